"""Backends that keep answers: what was taken away, none of them says VALID."""

import contextlib
import itertools
import signal
import time

import pytest
from harness.caching_client import CachingClient
from harness.waiting import wait_until
from test_replicas import metric

TTL = 3
CLIENT_TTL = 2
# A wait for a grant to end takes no longer than that.
LONGEST_WAIT = CLIENT_TTL + 1


@pytest.fixture
def servers(fleet):
    return [fleet.start(lease_ttl=f"{TTL}s") for _ in range(3)]


@pytest.fixture
def manager(servers):
    with servers[0].client() as client:
        yield client


def watched(server) -> float:
    return metric(server, "tokend_watch_streams")


# --- While all is well


def test_in_steady_state_no_server_is_asked(servers, manager, project):
    created = [manager.create(project) for _ in range(10)]
    with CachingClient(servers) as client:
        for each in created:
            assert client.ask(each.secret) == ("VALID", False)
        asked = client.stats()["misses"]
        end = time.monotonic() + 3 * CLIENT_TTL
        count = itertools.count()
        while time.monotonic() < end:
            for each in created:
                assert client.ask(each.secret) == ("VALID", True)
                next(count)
        assert client.stats()["misses"] == asked
        assert client.stats()["sessions"] == 1
        assert client.stats()["hits"] >= next(count) > 10 * len(created)


# Faults: acknowledge before the watchers have; a stale answer is kept.
def test_revoked_is_refused_by_every_client_on_the_next_call(
    servers, fleet, project
):
    with contextlib.ExitStack() as stack:
        managers = [stack.enter_context(s.client()) for s in servers]
        clients = [
            stack.enter_context(CachingClient(servers[i:] + servers[:i]))
            for i in range(4)
        ]
        took = []
        for i in range(40):
            manager = managers[i % 3]
            created = manager.create(project, scopes=["read", "write"])
            for client in clients:
                assert client.verdict(created.secret) == "VALID"
                wait_until(lambda c=client: c.ask(created.secret)[1], 10, "kept")
            # Answers that are under way meanwhile.
            racing = [client.begin(created.secret) for client in clients]
            begun = time.monotonic()
            if i % 4 == 3:
                manager.update(created.token.name, ["scopes"], scopes=["read"])
            elif i % 4 == 2:
                rotated = manager.rotate(created.token.name)
            else:
                manager.revoke(created.token.name)
            took.append(time.monotonic() - begun)
            for client in clients:
                if i % 4 == 3:
                    found = client.verdict(created.secret, "write")
                    assert found == "INSUFFICIENT_SCOPE"
                else:
                    assert client.verdict(created.secret) == "REVOKED"
                if i % 4 == 2:
                    assert client.verdict(rotated.secret) == "VALID"
            for answer in racing:
                answer()
        print(f"changes: median {sorted(took)[20] * 1e3:.1f} ms")


def test_a_client_hears_of_the_end_of_what_it_let_in(
    servers, manager, project
):
    kept, revoked, rotated = (manager.create(project) for _ in range(3))
    with CachingClient(servers) as client:
        waits = {
            each.token.name: client.watch(each.secret)
            for each in (kept, revoked, rotated)
        }
        time.sleep(0.5)
        manager.revoke(revoked.token.name)
        waits[revoked.token.name]()
        manager.rotate(rotated.token.name)
        waits[rotated.token.name]()
        with pytest.raises(TimeoutError):
            waits[kept.token.name](0.5)


def test_a_server_has_a_bound_on_streams(fleet, project):
    """Whoever comes later finds a server that has room."""
    full = fleet.start(max_watch_streams=1)
    other = fleet.start(max_watch_streams=1)
    with CachingClient([full]), CachingClient([full, other]):
        wait_until(lambda: watched(other) == 1, 10, "the other server")
        assert watched(full) == 1


# --- Clients that do not answer


# Fault: the acknowledgement ignores grants.
@pytest.mark.parametrize("how", [signal.SIGSTOP, signal.SIGKILL])
def test_a_client_that_is_gone_delays_a_revoke_by_its_grant(
    servers, manager, project, how
):
    created = [manager.create(project) for _ in range(4)]
    with CachingClient(servers) as client, CachingClient(servers) as other:
        for each in created:
            assert client.verdict(each.secret) == "VALID"
        client.process.send_signal(how)
        begun = time.monotonic()
        receipt = manager.revoke(created[0].token.name).receipt
        took = time.monotonic() - begun
        print(f"{how.name}: {took:.2f} s")
        assert CLIENT_TTL / 4 < took < LONGEST_WAIT
        assert receipt.acknowledged_replicas == 3
        assert other.verdict(created[0].secret) == "REVOKED"
        # Once.
        took = []
        for each in created[1:]:
            begun = time.monotonic()
            manager.revoke(each.token.name)
            took.append(time.monotonic() - begun)
        assert min(took) < 1
        if how == signal.SIGSTOP:
            late = client.begin(created[0].secret)
            client.process.send_signal(signal.SIGCONT)
            assert late()[0] == "REVOKED"
            assert client.verdict(created[1].secret) == "REVOKED"


# --- Replicas that go


# Faults: no flush on a broken stream; a lease that survives its stream.
def test_a_client_goes_on_with_another_replica(servers, manager, project):
    created = [manager.create(project) for _ in range(4)]
    with CachingClient(servers[1:]) as client:
        for each in created:
            client.verdict(each.secret)
        mine, other = sorted(servers[1:], key=watched, reverse=True)
        assert (watched(mine), watched(other)) == (1, 0)
        mine.stop(signal.SIGKILL)
        assert client.verdict(created[0].secret) == "VALID"
        begun = time.monotonic()
        manager.revoke(created[0].token.name)
        assert time.monotonic() - begun < 2 * TTL
        assert client.verdict(created[0].secret) == "REVOKED"
        client.wait_for_lease()
        assert watched(other) == 1
        for each in created[1:]:
            client.verdict(each.secret)
            wait_until(
                lambda s=each.secret: client.ask(s) == ("VALID", True),
                10,
                "kept",
            )
        manager.revoke(created[1].token.name)
        assert client.verdict(created[1].secret) == "REVOKED"


# Fault: a drained replica leaves before its grants end.
def test_a_draining_replica_sends_its_clients_away(servers, manager, project):
    created = manager.create(project)
    with CachingClient(servers[1:]) as client:
        assert client.verdict(created.secret) == "VALID"
        mine = max(servers[1:], key=watched)
        mine.process.send_signal(signal.SIGTERM)
        begun = time.monotonic()
        manager.revoke(created.token.name)
        assert time.monotonic() - begun < LONGEST_WAIT
        assert client.verdict(created.secret) == "REVOKED"
        assert mine.process.wait(20) == 0
        client.wait_for_lease()


def test_without_any_replica_nobody_is_let_in(fleet, project):
    server = fleet.start(lease_ttl="20s", client_lease_ttl="6s")
    with server.client() as manager, CachingClient([server]) as client:
        created = manager.create(project)
        assert client.verdict(created.secret) == "VALID"
        server.freeze()
        try:
            # Until the grant has ended, from memory.
            assert client.verdict(created.secret) == "VALID"
            wait_until(lambda: client.stats()["lease"] == 0, 6 + 1, "its end")
            assert client.verdict(created.secret) == "DEADLINE_EXCEEDED"
        finally:
            server.thaw()
        client.wait_for_lease()
        assert client.verdict(created.secret) == "VALID"


# Fault: no thread looks after connections while nobody waits for an answer.
def test_clients_are_back_soon_after_all_servers(servers, manager, project):
    secret = manager.create(project).secret
    with CachingClient(servers) as client:
        for server in servers:
            server.stop(signal.SIGKILL)
        wait_until(
            lambda: client.verdict(secret) == "UNAVAILABLE", 10, "no answer"
        )
        # From now on gRPC waits two seconds between two attempts.
        time.sleep(6)
        for server in servers:
            server.start(wait=False)
        for server in servers:
            server.wait_until_ready()
        back = time.monotonic()
        wait_until(lambda: client.verdict(secret) == "VALID", 30, "an answer")
        assert time.monotonic() - back < 4
