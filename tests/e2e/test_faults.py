"""Servers and databases that go away, and come back."""

import concurrent.futures
import contextlib
import signal
import time
import uuid

import grpc
import pytest
from conftest import migrated_database
from harness import evidence
from harness.client import failing
from harness.load import Load
from harness.relay import Relay
from harness.server import Server
from harness.stubs import token_pb2
from harness.waiting import wait_until

FORGED = "wmsy_kwoEaQxqGV4S3oUccpFeOf5Vafi37041P62J"
UNAVAILABLE = grpc.StatusCode.UNAVAILABLE


# --- Servers that end


def test_sigterm_under_load_loses_no_call(fleet, project):
    """With clients that try UNAVAILABLE again, as the service config says."""
    a, b = fleet.start(lame_duck="1s"), fleet.start(lame_duck="1s")
    with Load([a, b], project) as load:
        wait_until(lambda: load.calls > 100, 60, "load")
        for server in (a, b):
            time.sleep(1)
            assert server.stop() == 0
            server.start()
        time.sleep(0.5)
    assert load.failures == []
    assert load.calls > 100
    with a.client() as client:
        check_what_was_acknowledged(client, load.sent, project)


def test_sigterm_says_not_serving_while_it_drains(fleet, project):
    server = fleet.start(lame_duck="60s")
    with server.client() as client:
        secret = client.create(project).secret
        server.process.send_signal(signal.SIGTERM)
        wait_until(client.not_serving, 20, "health of the draining")
        # Whoever has not noticed yet is served.
        assert client.verdict(secret) == "VALID"
        assert client.create(project).secret
        # A second signal cuts that short.
        server.process.send_signal(signal.SIGTERM)
        assert server.process.wait(30) == 0


def test_sigterm_writes_the_last_uses(fleet, project):
    server = fleet.start()
    with server.client() as client:
        used, unused = client.create(project), client.create(project)
        assert client.verdict(used.secret) == "VALID"
    assert server.stop() == 0
    server.start()
    with server.client() as client:
        assert client.get(used.token.name).HasField("last_used_time")
        assert not client.get(unused.token.name).HasField("last_used_time")


def test_sigkill_under_load_loses_nothing_acknowledged(fleet, project):
    server = fleet.start()
    with Load([server], project, retries=False) as load:
        wait_until(lambda: load.calls > 50, 60, "load")
        time.sleep(1.5)
        server.stop(signal.SIGKILL)
        time.sleep(0.1)
        server.start(wait=False)
        server.wait_until_ready()
        time.sleep(0.5)
    assert load.failures, "the kill was not noticed"
    assert load.calls > 50
    with server.client() as client:
        check_what_was_acknowledged(client, load.sent, project)
        check_what_was_not(client, load.sent, project)


def check_what_was_acknowledged(client, sent, project):
    events = []
    page = client.audit(project, page_size=1000)
    events.extend(page.audit_events)
    while page.next_page_token:
        page = client.audit(
            project, page_size=1000, page_token=page.next_page_token
        )
        events.extend(page.audit_events)
    created = {e.token for e in events if e.action == 1}
    revoked = {e.token for e in events if e.action == 5}
    listed = {t.name: t for t in client.list_all(project, page_size=1000)}
    for token in sent:
        if not token.name:
            continue
        assert token.name in created
        verdict = client.verdict(token.secret)
        if token.revoked:
            assert verdict == "REVOKED"
            assert token.name in revoked
            assert listed[token.name].state == token_pb2.TOKEN_STATE_REVOKED
        elif token.revoking:
            assert verdict in ("VALID", "REVOKED")
        else:
            assert verdict == "VALID"
            assert listed[token.name].state == token_pb2.TOKEN_STATE_ACTIVE


def check_what_was_not(client, sent, project):
    """A create whose reply was lost is repeated, and makes one token."""
    for token in sent:
        if token.name:
            continue
        again = client.create(
            project, token.display_name, request_id=token.request_id
        )
        assert client.verdict(again.secret) == "VALID"
    names = [t.display_name for t in client.list_all(project, page_size=1000)]
    assert len(names) == len(set(names))
    assert set(names) == {token.display_name for token in sent}


# --- A database that goes away


def test_database_away_at_start(private_fleet, project):
    fleet = private_fleet
    fleet.cluster.stop("immediate")
    server = fleet.start(wait=False)
    wait_until(lambda: "listening" in server.log(), 30, "the listener")
    assert server.process.poll() is None, server.log()
    assert not server.is_ready()
    with server.client() as client:
        with failing(UNAVAILABLE, "LEASE_NOT_HELD"):
            client.validate(FORGED)
        with failing(UNAVAILABLE, "DATABASE_UNAVAILABLE"):
            client.list(project)
    fleet.cluster.start()
    server.wait_until_ready()
    with server.client() as client:
        assert client.verdict(client.create(project).secret) == "VALID"


def test_database_goes_away_and_comes_back(private_fleet, project):
    fleet = private_fleet
    server = fleet.start(lease_ttl="5s")
    with server.client() as client:
        live = client.create(project)
        dead = client.create(project)
        client.revoke(dead.token.name)

        with concurrent.futures.ThreadPoolExecutor() as executor:
            gone = time.monotonic()
            fleet.cluster.stop("immediate")
            stopped = time.monotonic()
            validating = executor.submit(
                validate_while_it_vouches, server, live.secret, dead.secret
            )
            # Mutations fail at once, and say so.
            unavailable = (UNAVAILABLE, "DATABASE_UNAVAILABLE")
            with failing(*unavailable):
                client.create(project)
            with failing(*unavailable):
                client.revoke(live.token.name)
            with failing(*unavailable):
                client.get(live.token.name)
            last_vouched = validating.result()
        # It went on for most of the lease, and not a moment longer.
        assert 0.75 * 5 < last_vouched - gone
        assert last_vouched - stopped < 5
        wait_until(
            lambda: client.not_serving("wemasy.tokens.v1.AuthService"),
            10,
            "health of AuthService",
        )
        wait_until(
            lambda: client.not_serving("wemasy.tokens.v1.TokenService"),
            10,
            "health of TokenService",
        )
        for secret in (live.secret, dead.secret):
            with failing(UNAVAILABLE, "LEASE_NOT_HELD"):
                client.validate(secret)

        fleet.cluster.start()
        wait_until(client.serving, 20, "recovery")
        assert client.verdict(live.secret) == "VALID"
        assert client.verdict(dead.secret) == "REVOKED"
        wait_until(
            lambda: client.serving("wemasy.tokens.v1.TokenService"),
            10,
            "recovery of TokenService",
        )
        client.revoke(live.token.name)
        assert client.verdict(live.secret) == "REVOKED"


def validate_while_it_vouches(server, live, dead) -> float:
    """Returns when the last call that was answered was begun."""
    last = time.monotonic()
    with server.client() as client:
        while True:
            begun = time.monotonic()
            try:
                assert client.verdict(live) == "VALID"
                assert client.verdict(dead) == "REVOKED"
            except grpc.RpcError as error:
                assert evidence.Failure(error).reason == "LEASE_NOT_HELD"
                return last
            last = begun
            time.sleep(0.01)


def test_killed_connections_are_made_again(fleet, project):
    """The change feed's among them; Validate never notices."""
    a, b = fleet.start(lease_ttl="10s"), fleet.start(lease_ttl="10s")
    with a.client() as client_a, b.client() as client_b:
        created = client_a.create(project)
        assert client_b.verdict(created.secret) == "VALID"
        for _ in range(3):
            fleet.cluster.sql(
                "postgres",
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                f"WHERE datname = '{fleet.database}'",
            )
            end = time.monotonic() + 0.5
            while time.monotonic() < end:
                assert client_b.verdict(created.secret) == "VALID"
        revoke_when_possible(client_a, created.token.name)
        assert client_b.verdict(created.secret) == "REVOKED"


def revoke_when_possible(client, name):
    """Right after a connection was lost a call may be told UNAVAILABLE."""
    for _ in range(20):
        try:
            client.revoke(name)
            return
        except grpc.RpcError as error:
            assert error.code() == UNAVAILABLE, error
            time.sleep(0.1)
    pytest.fail("the database stays unavailable")


def test_database_that_turns_read_only(fleet, project):
    server = fleet.start(lease_ttl="3s")
    with server.client() as client:
        created = client.create(project)

        def set_read_only(value):
            fleet.cluster.sql(
                "postgres",
                f"ALTER DATABASE {fleet.database} "
                f"SET default_transaction_read_only = {value}",
            )
            fleet.cluster.sql(
                "postgres",
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                f"WHERE datname = '{fleet.database}'",
            )

        set_read_only("on")
        with failing(UNAVAILABLE, "DATABASE_UNAVAILABLE"):
            client.create(project)
        wait_until(client.not_serving, 20, "the end of the lease")
        with failing(UNAVAILABLE, "LEASE_NOT_HELD"):
            client.validate(created.secret)
        set_read_only("off")
        wait_until(client.serving, 20, "recovery")
        assert client.verdict(created.secret) == "VALID"


def test_lost_answer_to_a_commit(cluster, tmp_path, project):
    """Reported as in doubt; repeating the request settles it."""
    database = migrated_database(cluster)
    with contextlib.ExitStack() as stack, Relay(cluster) as relay:
        server = Server(tmp_path / "server", relay.url(database))
        stack.callback(server.stop)
        with server.start().client() as client:
            request_id = str(uuid.uuid4())
            # Another writer's COMMIT may come first: sync points are written.
            for _ in range(20):
                relay.lose_next_commit.set()
                try:
                    client.create(project, request_id=request_id)
                except grpc.RpcError as error:
                    failure = evidence.Failure(error)
                    if failure.reason == "COMMIT_IN_DOUBT":
                        assert failure.code == grpc.StatusCode.UNKNOWN
                        break
                    assert failure.code == UNAVAILABLE, str(failure)
                time.sleep(0.1)
            else:
                pytest.fail("no COMMIT's answer was lost")
            relay.lose_next_commit.clear()
            created = client.create(project, request_id=request_id)
            assert client.verdict(created.secret) == "VALID"
            assert len(client.list_all(project)) == 1
