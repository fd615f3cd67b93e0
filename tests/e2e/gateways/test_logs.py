"""Logs say which token it was, and never its secret."""

import pytest
from harness import evidence
from harness.leaks import Searcher
from harness.waiting import wait_until

from .conftest import issue
from .gateway import GATEWAYS, OTHERS


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


@pytest.mark.last
def test_no_log_has_a_secret(running):
    """Of gateways and of servers, after all other tests."""
    for name in GATEWAYS:
        running(name)
    secrets = evidence.secrets()
    searcher = Searcher.for_secrets(secrets)
    assert searcher.find(b"Bearer " + secrets[0].encode())
    assert searcher.find(b"\n".join(evidence.logs())) == []
