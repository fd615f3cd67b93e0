"""Several servers on one database: what one has answered, all of them know."""

import concurrent.futures
import contextlib
import signal
import statistics
import time

import grpc
import pytest
from conftest import migrated_database
from harness import evidence
from harness.client import ACTOR, Client
from harness.load import SERVICE_CONFIG
from harness.nghttp import error_at_deadline
from harness.relay import Relay
from harness.server import Server
from harness.stubs import service_pb2
from harness.waiting import wait_until

FAILED_CLOSED = 5
TTL = 3
# What a Revoke may take when a replica does not answer.
LONGEST_WAIT = 2 * TTL


@pytest.fixture
def pair(fleet):
    """Clients of two servers on one database."""
    with fleet.start().client() as a, fleet.start().client() as b:
        yield a, b


# --- While all is well


# Fault: wait for the own index only.
def test_revoked_is_refused_everywhere_on_the_next_call(fleet, project):
    servers = [fleet.start() for _ in range(3)]
    with contextlib.ExitStack() as stack:
        clients = [stack.enter_context(s.client()) for s in servers]
        took = []
        for i in range(60):
            mutator = clients[i % 3]
            created = mutator.create(project)
            # Created is found everywhere on the next call, too.
            for client in clients:
                assert client.verdict(created.secret) == "VALID"
            begun = time.monotonic()
            receipt = mutator.revoke(created.token.name).receipt
            took.append(time.monotonic() - begun)
            for client in clients:
                assert client.verdict(created.secret) == "REVOKED"
            assert receipt.acknowledged_replicas == 3
            assert receipt.gone_replicas == receipt.expired_replicas == 0
    print(f"revoke: median {statistics.median(took) * 1e3:.1f} ms")


# Fault: what is deduced from a change that was not waited for.
def test_every_change_is_in_effect_everywhere_on_the_next_call(pair, project):
    a, b = pair
    created = a.create(project, scopes=["read", "write"])
    assert b.verdict(created.secret) == "VALID"
    b.update(created.token.name, ["scopes"], scopes=["read"])
    write = {"required_scopes": ["write"]}
    for client in pair:
        assert client.verdict(created.secret, **write) == "INSUFFICIENT_SCOPE"
    rotated = b.rotate(created.token.name)
    assert a.verdict(created.secret) == "REVOKED"
    assert a.verdict(rotated.secret) == "VALID"
    b.revoke_leaked({"secret": rotated.secret})
    assert a.verdict(rotated.secret) == "REVOKED"


# Fault: each waiter looks for itself.
def test_many_revokes_share_their_sync_points(fleet, project):
    servers = [fleet.start() for _ in range(3)]
    with servers[0].client() as a, servers[1].client() as b:
        for count in (1, 200):
            created = [a.create(project) for _ in range(count)]
            before = [sync_points(server) for server in servers]
            begun = time.monotonic()
            with concurrent.futures.ThreadPoolExecutor(200) as executor:
                names = [c.token.name for c in created]
                list(executor.map(a.revoke, names))
            took = time.monotonic() - begun
            spent = [sync_points(s) - n for s, n in zip(servers, before)]
            print(
                f"{count} revokes at once: {took * 1e3:.0f} ms, sync points at "
                f"each of three servers: {spent}"
            )
            # One round for all who wait, each 5 ms at the soonest.
            assert max(spent) < 20 + took / 0.005
        for each in created:
            assert b.verdict(each.secret) == "REVOKED"


def sync_points(server) -> float:
    return metric(server, 'tokend_sync_points_total{result="ok"}')


def metric(server, series) -> float:
    for line in server.metrics().splitlines():
        if line.startswith(series + " "):
            return float(line.rpartition(" ")[2])
    raise KeyError(series)


# --- Replicas that do not answer


def test_a_paused_replica_is_waited_for_until_its_lease_is_over(
    fleet, project
):
    """And says nothing that was taken away when it goes on."""
    a, b = fleet.start(lease_ttl=f"{TTL}s"), fleet.start(lease_ttl=f"{TTL}s")
    with a.client() as client_a, b.client() as client_b:
        created = client_a.create(project)
        assert client_b.verdict(created.secret) == "VALID"
        begun = time.monotonic()
        b.freeze()
        # A call that is on its way when the replica stops.
        with concurrent.futures.ThreadPoolExecutor() as executor:
            late = executor.submit(verdict_or_code, client_b, created.secret)
            receipt = client_a.revoke(created.token.name).receipt
            assert receipt.acknowledged_replicas == 1
            assert receipt.expired_replicas + receipt.gone_replicas == 1
            assert TTL * 0.75 < time.monotonic() - begun < LONGEST_WAIT
            b.thaw()
            # CANCELLED is the word of a server that leaves, as this one does.
            refusals = ("REVOKED", "UNAVAILABLE", "CANCELLED")
            assert late.result() in refusals
        end = time.monotonic() + 1
        while time.monotonic() < end:
            found = verdict_or_code(client_b, created.secret)
            assert found in refusals, found


def verdict_or_code(client, secret) -> str:
    try:
        return client.verdict(secret)
    except grpc.RpcError as error:
        return error.code().name


# Fault: nobody takes away the row of the dead.
def test_a_killed_replica_is_waited_for_once(fleet, project):
    a, b = fleet.start(lease_ttl=f"{TTL}s"), fleet.start(lease_ttl=f"{TTL}s")
    with a.client() as client:
        created = [client.create(project) for _ in range(3)]
        b.stop(signal.SIGKILL)
        begun = time.monotonic()
        client.revoke(created[0].token.name)
        assert time.monotonic() - begun < LONGEST_WAIT
        wait_until(
            lambda: metric(a, "tokend_replicas") == 1, 20, "reaping"
        )
        assert metric(a, "tokend_replicas_reaped_total") == 1
        receipt = client.revoke(created[1].token.name).receipt
        assert receipt.acknowledged_replicas == 1
        assert receipt.expired_replicas == receipt.gone_replicas == 0


def test_a_drained_replica_is_waited_for_not_at_all(fleet, project):
    a, b = fleet.start(), fleet.start()
    with a.client() as client:
        created = client.create(project)
        assert b.stop() == 0
        receipt = client.revoke(created.token.name).receipt
        assert receipt.acknowledged_replicas == 1
        assert receipt.expired_replicas == 0


def test_a_deadline_before_the_confirmation_says_what_is_known(
    fleet, project
):
    a, b = fleet.start(lease_ttl="10s"), fleet.start(lease_ttl="10s")
    with a.client() as client_a, b.client() as client_b:
        created = client_a.create(project)
        b.freeze()
        try:
            request = service_pb2.RevokeTokenRequest(
                name=created.token.name, actor=ACTOR
            )
            for _ in range(2):
                code, info = error_at_deadline(
                    a, "RevokeToken", request, "500m"
                )
                assert code == grpc.StatusCode.DEADLINE_EXCEEDED.value[0]
                assert info.reason == "CHANGE_UNCONFIRMED"
                assert info.domain == "tokens.wemasy.com"
                assert info.metadata["name"] == created.token.name
                evidence.add_reason(info.reason, "DEADLINE_EXCEEDED")
            # Durable all the same; and the repeated call waits again.
            assert client_a.verdict(created.secret) == "REVOKED"
            assert client_a.revoke(created.token.name).receipt.HasField(
                "confirm_time"
            )
        finally:
            b.thaw()
        assert verdict_or_code(client_b, created.secret) != "VALID"


# Fault: a lease that counts from the answer.
# Fault: whoever waits for a lease's end reckons with its own lease's length.
@pytest.mark.parametrize("longer", (1, 3))
def test_a_replica_cut_off_from_the_database_stops_in_time(
    cluster, tmp_path, project, longer
):
    database = migrated_database(cluster)
    options = {"lame_duck": "0s"}
    with contextlib.ExitStack() as stack:
        relay = stack.enter_context(Relay(cluster))
        a = Server(
            tmp_path / "a",
            cluster.url(database),
            lease_ttl=f"{TTL}s",
            **options,
        )
        b = Server(
            tmp_path / "b",
            relay.url(database),
            lease_ttl=f"{longer * TTL}s",
            **options,
        )
        clients = []
        for server in (a, b):
            stack.callback(server.stop)
            clients.append(stack.enter_context(server.start().client()))
        client_a, client_b = clients
        created = client_a.create(project)
        assert client_b.verdict(created.secret) == "VALID"
        relay.hold.set()
        receipt = client_a.revoke(created.token.name).receipt
        assert receipt.expired_replicas + receipt.gone_replicas == 1
        end = time.monotonic() + 1
        while time.monotonic() < end:
            assert verdict_or_code(client_b, created.secret) == "UNAVAILABLE"
        assert b.process.poll() is None
        relay.hold.clear()
        # Its row may be gone by now: then it ends, to be started again.
        wait_until(
            lambda: b.process.poll() is not None
            or verdict_or_code(client_b, created.secret) == "REVOKED",
            10,
            "the end of the cut",
        )
        assert b.process.poll() in (None, FAILED_CLOSED)


# Fault: retries that a closed replica uses up.
def test_clients_do_not_notice_a_replica_that_is_closed(
    cluster, tmp_path, project
):
    database = migrated_database(cluster)
    options = {"lease_ttl": f"{TTL}s", "lame_duck": "0s"}
    with contextlib.ExitStack() as stack:
        relay = stack.enter_context(Relay(cluster))
        servers = []
        for name, source in (("a", cluster), ("b", relay), ("c", cluster)):
            server = Server(tmp_path / name, source.url(database), **options)
            stack.callback(server.stop)
            servers.append(server.start())
        target = "ipv4:" + ",".join(server.target for server in servers)
        client = stack.enter_context(
            Client(target, options=[("grpc.service_config", SERVICE_CONFIG)])
        )
        created = client.create(project)
        relay.hold.set()
        with servers[1].client() as direct:
            wait_until(
                lambda: verdict_or_code(direct, created.secret)
                == "UNAVAILABLE",
                LONGEST_WAIT,
                "the end of the lease",
            )
            # By turns, so that a third of them come to the one that is closed.
            for _ in range(1000):
                assert client.verdict(created.secret) == "VALID"
            assert verdict_or_code(direct, created.secret) == "UNAVAILABLE"


# --- Servers that come


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
