"""Two servers on one database."""

import time

import pytest

# The feed's delay, and some for a loaded machine.
FEED_SECONDS = 2


@pytest.fixture
def pair(fleet):
    """Clients of two servers on one database."""
    with fleet.start().client() as a, fleet.start().client() as b:
        yield a, b


def seconds_until(condition, limit=FEED_SECONDS) -> float:
    start = time.monotonic()
    while not condition():
        elapsed = time.monotonic() - start
        assert elapsed < limit, f"not within {limit} s"
        time.sleep(0.005)
    return time.monotonic() - start


def test_a_revoke_reaches_the_other_server(pair, project):
    a, b = pair
    delays = []
    for _ in range(10):
        created = a.create(project)
        seconds_until(lambda: b.verdict(created.secret) == "VALID")
        a.revoke(created.token.name)
        # Its own server refuses it before the call returns.
        assert a.verdict(created.secret) == "REVOKED"
        delays.append(
            seconds_until(lambda: b.verdict(created.secret) == "REVOKED")
        )
    print("revoke at A refused by B after", sorted(delays))


def test_every_change_reaches_the_other_server(pair, project):
    a, b = pair
    created = a.create(project, scopes=["read", "write"])
    seconds_until(lambda: b.verdict(created.secret) == "VALID")
    b.update(created.token.name, ["scopes"], scopes=["read"])
    write = {"required_scopes": ["write"]}
    assert b.verdict(created.secret, **write) == "INSUFFICIENT_SCOPE"
    seconds_until(
        lambda: a.verdict(created.secret, **write) == "INSUFFICIENT_SCOPE"
    )
    rotated = b.rotate(created.token.name)
    seconds_until(lambda: a.verdict(created.secret) == "REVOKED")
    seconds_until(lambda: a.verdict(rotated.secret) == "VALID")


def test_a_new_server_knows_everything(fleet, project):
    with fleet.start().client() as a:
        live = a.create(project)
        dead = a.create(project)
        a.revoke(dead.token.name)
        with fleet.start().client() as b:
            assert b.verdict(live.secret) == "VALID"
            assert b.verdict(dead.secret) == "REVOKED"
            assert b.validate(dead.secret).token == dead.token.name
            assert len(b.list_all(project)) == 2


def test_page_tokens_are_good_at_every_server(pair, project):
    a, b = pair
    for i in range(3):
        a.create(project, f"t{i}")
    page = a.list(project, page_size=2)
    rest = b.list(project, page_token=page.next_page_token)
    assert len(rest.tokens) == 1
