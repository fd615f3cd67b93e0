"""A token that is revoked is refused by the very next request."""

import pytest

from . import cases, http1
from .conftest import SCOPES, issue
from .deviations import outcome_of
from .gateway import GATEWAYS
from .outcomes import INVALID, NO_TOKEN, PASSES, check_response

ROUNDS = 20


@pytest.mark.parametrize("name", GATEWAYS)
def test_the_next_request_is_refused(name, running, site):
    """On the connection that was let through, and on another one."""
    gateway = running(name)
    outcome = outcome_of(name, cases.REVOKED_NOW)
    with gateway.connect() as connection:
        for _ in range(ROUNDS):
            token = issue(site.client, scopes=SCOPES)
            data = http1.request(
                "/pages/x", [("Authorization", f"Bearer {token.secret}")]
            )
            # As often as there are servers, for they are asked in turn.
            for _ in site.servers:
                check_response(PASSES, connection.exchange(data))
            site.client.revoke(token.name)
            for _ in site.servers:
                check_response(outcome, connection.exchange(data))
            with gateway.connect() as another:
                check_response(outcome, another.exchange(data))


@pytest.mark.parametrize("name", GATEWAYS)
def test_each_request_of_a_connection_is_judged_alone(
    name, running, site, tokens
):
    def sent(*headers):
        return http1.request("/api/x", headers)

    valid = sent(("Authorization", f"Bearer {tokens['valid'].secret}"))
    revoked = sent(("Authorization", f"Bearer {tokens['revoked'].secret}"))
    gateway = running(name)
    with gateway.connect() as connection:
        for data, outcome in (
            (valid, PASSES),
            (sent(), NO_TOKEN),
            (valid, PASSES),
            (revoked, INVALID),
            (valid, PASSES),
        ):
            check_response(outcome, connection.exchange(data))
    # All at once.
    with gateway.connect() as connection:
        connection.send(valid + sent() + valid + revoked)
        for outcome in (PASSES, NO_TOKEN, PASSES, INVALID):
            check_response(outcome, connection.reader.response())
