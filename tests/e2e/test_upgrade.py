"""An old and a new binary on one database, whose schema is migrated."""

import concurrent.futures
import contextlib
import threading
import time

from harness import paths
from harness.client import Client
from harness.load import Load
from harness.server import Server, migrate
from harness.waiting import wait_until


def owner_url(fleet):
    return fleet.cluster.url(fleet.database, user="postgres")


def migrate_to_next(fleet):
    done = migrate(owner_url(fleet), paths.next_binary("tokend"))
    assert done.returncode == 0, done.stderr
    assert "_next.sql" in done.stdout


def backends(fleet) -> set[str]:
    rows = fleet.cluster.sql(
        "postgres",
        "SELECT pid FROM pg_stat_activity "
        f"WHERE datname = '{fleet.database}' AND usename = 'tokend'",
    )
    return set(rows.split())


def kill_connections(fleet) -> set[str]:
    return set(
        fleet.cluster.sql(
            "postgres",
            # Chosen first, ended then: in one condition the planner may end
            # others, this session too.
            "SELECT pid FROM (SELECT pid FROM pg_stat_activity "
            f"WHERE datname = '{fleet.database}' AND usename = 'tokend' "
            "OFFSET 0) AS chosen WHERE pg_terminate_backend(pid)",
        ).split()
    )


def check_verdicts(servers, sent):
    """Every token that is done with, at every server."""
    expected = {
        token.secret: "REVOKED" if token.revoked else "VALID"
        for token in list(sent)
        if token.done
    }
    assert {"REVOKED", "VALID"} <= set(expected.values())
    for server in servers:
        with server.client() as client:
            for secret, verdict in expected.items():
                assert client.verdict(secret) == verdict, server.target


def check_each_serves(servers, project):
    """What any of them changes, all of them know on the next call."""
    for changed in servers:
        with contextlib.ExitStack() as stack:
            client = stack.enter_context(changed.client())
            others = [stack.enter_context(s.client()) for s in servers]
            created = client.create(project)
            for verdict in ("VALID", "REVOKED"):
                assert client.verdict(created.secret) == verdict
                for other in others:
                    assert other.verdict(created.secret) == verdict
                if verdict == "VALID":
                    client.revoke(created.token.name)


def watch(server, live, dead, stop) -> list[str]:
    """Returns each wrong verdict until told to stop."""
    wrong = []
    options = [("grpc.use_local_subchannel_pool", 1)]
    with Client(server.target, options=options) as client:
        while not stop.is_set():
            for secret, verdict in ((live, "VALID"), (dead, "REVOKED")):
                found = client.verdict(secret)
                if found != verdict:
                    wrong.append(f"{found} for {verdict}")
            time.sleep(0.01)
    return wrong


# Fault: refuse every schema version above the binary's own. The old servers
# do not come back when their connections are gone.
def test_upgrade_under_load_loses_no_call(fleet, tmp_path, project):
    olds = [fleet.start(), fleet.start()]
    # Not started yet; but clients know where it will be.
    new = Server(
        tmp_path / "new",
        fleet.url,
        program=paths.next_binary("tokend"),
        max_active_tokens=1_000_000,
        lease_ttl="5s",
        lame_duck="0s",
    )
    with olds[0].client() as client:
        live, dead = client.create(project), client.create(project)
        client.revoke(dead.token.name)
    check_each_serves(olds, project)

    with contextlib.ExitStack() as stack:
        stack.callback(new.stop)
        executor = stack.enter_context(concurrent.futures.ThreadPoolExecutor())
        stop_watching = threading.Event()
        stack.callback(stop_watching.set)
        watched = [
            executor.submit(
                watch, old, live.secret, dead.secret, stop_watching
            )
            for old in olds
        ]
        with Load([*olds, new], project) as load:
            time.sleep(0.5)
            migrate_to_next(fleet)
            time.sleep(0.5)
            check_each_serves(olds, project)

            killed = kill_connections(fleet)
            assert len(killed) >= 2 * len(olds)
            # Each server has two of its own, and those of its calls.
            wait_until(
                lambda: len(backends(fleet) - killed) >= 3 * len(olds),
                30,
                "reconnecting to the new schema",
            )
            time.sleep(0.5)
            check_each_serves(olds, project)

            new.start()
            check_each_serves([*olds, new], project)
            check_verdicts([*olds, new], load.sent)
            # The clients have found the new one, too.
            wait_until(
                lambda: served_creates(new) > 10, 20, "load at the new server"
            )
            stop_watching.set()
            assert [each.result() for each in watched] == [[], []]
            for old in olds:
                assert old.stop() == 0
                time.sleep(0.5)
        assert load.failures == []
        assert load.calls > 100
        assert all(token.done for token in load.sent)
        check_verdicts([new], load.sent)


def served_creates(server) -> float:
    return sum(
        float(line.rsplit(" ", 1)[1])
        for line in server.metrics().splitlines()
        if line.startswith("grpc_server_handled_total{")
        if 'grpc_method="CreateToken"' in line and 'grpc_code="OK"' in line
    )


def test_going_back_needs_no_change_of_the_database(fleet, project):
    """An old binary starts on the new schema, and has nothing to migrate."""
    migrate_to_next(fleet)
    new = fleet.start(program=paths.next_binary("tokend"))
    done = migrate(owner_url(fleet))
    assert done.returncode == 0, done.stderr
    assert "nothing done" in done.stdout
    assert "compatible" in done.stdout
    check_each_serves([new, fleet.start()], project)
