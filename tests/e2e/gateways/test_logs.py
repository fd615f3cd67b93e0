"""Logs say which token it was, and never its secret."""

import dataclasses

import pytest
from harness import evidence
from harness.leaks import Searcher
from harness.waiting import wait_until

from .conftest import issue
from .gateway import GATEWAYS, OTHERS
from .site import free_port
from .upstream import Upstream


@pytest.mark.parametrize("name", OTHERS)
def test_the_access_log_names_the_token(name, running, site):
    """Envoy's says more: see test_envoy.py."""
    gateway = running(name)
    token = issue(site.client)
    response = gateway.exchange(
        "/api/x?token=of-the-query",
        [("Authorization", f"Bearer {token.secret}")],
    )
    assert response.status == 200
    wait_until(lambda: token.name in gateway.log(), 10, "the access log")
    assert "of-the-query" not in gateway.log()


@dataclasses.dataclass
class Deserted:
    """A site without servers."""

    api: Upstream
    port: int
    check_port: int
    ops_port: int


@pytest.mark.parametrize("name", GATEWAYS)
def test_no_log_has_the_query_of_what_went_wrong(name, start, site):
    """NGINX says in its log of errors which request it was, all of it."""
    deserted = Deserted(site.api, free_port(), free_port(), free_port())
    gateway = start(name, deserted, ready_status=503)
    for number in range(3):
        response = gateway.exchange(
            f"/api/x?token=of-the-query&number={number}",
            [("Authorization", "Bearer of-the-header")],
        )
        assert response.status >= 500
    # What was said of these is written before what is said of later ones. Not
    # every log has the path.
    size = len(gateway.log())
    gateway.exchange("/api/later")
    wait_until(lambda: len(gateway.log()) > size, 10, "the access log")
    assert "of-the-query" not in gateway.log()
    assert "of-the-header" not in gateway.log()


@pytest.mark.last
def test_no_log_has_a_secret(running):
    """Of gateways and of servers, after all other tests."""
    for name in GATEWAYS:
        running(name)
    secrets = evidence.secrets()
    searcher = Searcher.for_secrets(secrets)
    assert searcher.find(b"Bearer " + secrets[0].encode())
    assert searcher.find(b"\n".join(evidence.logs())) == []
