"""What a server is shown by GET /check, and no more. Envoy's: test_envoy.py."""

import contextlib
import dataclasses

import pytest

from .gateway import OTHERS
from .http1 import Closed
from .site import HOSTS, free_port
from .upstream import Upstream

HEADERS = [
    ("Authorization", "Bearer of-this"),
    ("x-api-key", "and-this"),
    ("Cookie", "not-of-this"),
    ("x-secret", "nor-of-this"),
    ("X-Forwarded-Uri", "/api/x"),
    ("X-Forwarded-Method", "OPTIONS"),
]


@dataclasses.dataclass
class Stand:
    """Servers that let everything pass, and remember what they were shown."""

    api: Upstream
    check_port: int
    ops_port: int
    servers: list

    def shown(self) -> list:
        return [each for server in self.servers for each in server.seen()]


@pytest.fixture
def stand(site):
    check_port, ops_port = free_port(), free_port()
    with contextlib.ExitStack() as stack:
        servers = [
            stack.enter_context(Upstream(host, check_port)) for host in HOSTS
        ]
        for host in HOSTS:
            stack.enter_context(Upstream(host, ops_port))
        yield Stand(site.api, check_port, ops_port, servers)


@pytest.mark.parametrize("name", OTHERS)
def test_the_server_is_shown_what_it_needs(name, start, stand):
    gateway = start(name, stand, ready_status=200)
    with contextlib.suppress(Closed):
        gateway.exchange(
            "/pages/x", HEADERS, method="POST", body=b"GET / HTTP/1.1\r\n\r\n"
        )
    (shown,) = [each for each in stand.shown() if each.all("x-api-key")]
    demand = "/check?required_scopes=pages:write,pages:read"
    assert shown.start == f"GET {demand} HTTP/1.1"
    assert shown.get("authorization") == "Bearer of-this"
    assert shown.get("x-api-key") == "and-this"
    assert shown.body == b"" and not shown.all("transfer-encoding")
    assert shown.get("content-length") in (None, "0")
    assert not shown.all("cookie")
    # No body was taken for a request.
    assert {each.start for each in stand.shown()} <= {
        f"GET {demand} HTTP/1.1",
        "GET /check HTTP/1.1",
        "GET /check? HTTP/1.1",
    }
    if name == "traefik":
        assert not shown.all("x-secret")
        assert not shown.all("x-forwarded-uri")
