"""Fixtures of the gateways' tests: the servers and the gateways of a run."""

import contextlib
import dataclasses
import time

import pytest
from conftest import migrated_database
from harness.stubs import token_pb2
from harness.waiting import wait_until

from . import gateway as gateways
from .site import Site

SCOPES = ["pages:read", "pages:write"]
# As many as a token may have, and as long.
LONG_SCOPES = [f"s{number:063}" for number in range(64)]


@dataclasses.dataclass(frozen=True)
class Token:
    """An issued token, and what the API is told of who bears it."""

    secret: str
    name: str
    project: str
    scopes: str


@pytest.fixture(scope="session")
def site(cluster, tmp_path_factory):
    """Two servers and an API that are always there."""
    url = cluster.url(migrated_database(cluster))
    with Site(tmp_path_factory.mktemp("site"), url) as site:
        yield site


@pytest.fixture(scope="session")
def running(site, tmp_path_factory):
    """Gateways by their names, started when they are first asked for."""
    with contextlib.ExitStack() as stack:
        started = {}

        def start(name):
            if name not in started:
                folder = tmp_path_factory.mktemp(name.replace("/", "-"))
                started[name] = stack.enter_context(
                    gateways.make(name, folder, site)
                )
            return started[name]

        yield start


@pytest.fixture
def start(tmp_path):
    """Starts a gateway of the test's own: start(name, site, edits)."""
    with contextlib.ExitStack() as stack:

        def start(name, site, edits=None, **more):
            folder = tmp_path / name.replace("/", "-")
            made = gateways.make(name, folder, site, edits, **more)
            return stack.enter_context(made)

        yield start


def issue(client, project="demo", scopes=(), **fields) -> Token:
    created = client.create(project, scopes=scopes, **fields)
    return Token(
        created.secret,
        created.token.name,
        f"projects/{project}",
        " ".join(created.token.scopes),
    )


@pytest.fixture(scope="session")
def tokens(site) -> dict:
    """One of each kind that the cases name."""
    made = {
        "valid": issue(site.client, scopes=SCOPES),
        "narrow": issue(site.client, scopes=SCOPES[:1]),
        "bare": issue(site.client),
        "scoped": issue(site.client, scopes=LONG_SCOPES),
        "other": issue(site.client, "shop", SCOPES),
        "revoked": issue(site.client, scopes=SCOPES),
    }
    soon = token_pb2.Token().expire_time
    soon.FromNanoseconds(time.time_ns() + 5 * 10**9)
    made["expired"] = issue(site.client, scopes=SCOPES, expire_time=soon)
    site.client.revoke(made["revoked"].name)
    for kind in ("revoked", "expired"):
        wait_until(
            lambda kind=kind: (
                site.client.verdict(made[kind].secret) == kind.upper()
            ),
            20,
            kind,
        )
    return made
