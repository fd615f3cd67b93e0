"""Servers of one database, and what they and their clients spend."""

import contextlib
import os
import pathlib
import statistics
import time

from measuring import cpu_seconds, family_cpu_seconds
from psql_session import WRITTEN
from world import running

RENEWALS = "SELECT sum(renewals) FROM replicas"
SERVERS_SESSIONS = "SELECT pid FROM pg_stat_activity WHERE usename = 'tokend'"


class Fleet:
    """Servers of one database; the first is asked for all changes. Perhaps with
    clients that keep its answers."""

    def __init__(self, world, session, stack):
        self._world = world
        self._stack = stack
        self._loads = []
        self._clients = None
        self.session = session
        self.servers = []

    @property
    def first(self):
        return self.servers[0]

    def grow(self, to: int):
        while len(self.servers) < to:
            before = family_cpu_seconds(self._world.postmaster)
            server = self._stack.enter_context(
                self._world.tokend(f"fleet-{len(self.servers)}", lame_duck="0s")
            )
            self._loads.append(
                (
                    family_cpu_seconds(self._world.postmaster) - before,
                    cpu_seconds(server.process.pid),
                )
            )
            self.servers.append(server)
        check_revoking(self.servers)

    @contextlib.contextmanager
    def clients(self, count: int):
        if count == 0:
            yield
            return
        with running("watchers", count, self.first.target) as watchers:
            self._clients = watchers.pid
            try:
                yield
            finally:
                self._clients = None

    def cpu(self) -> dict:
        """What each kind of process has spent."""
        first, *others = (server.process.pid for server in self.servers)
        return {
            "database": family_cpu_seconds(self._world.postmaster),
            "first": cpu_seconds(first),
            "follower": cpu_seconds(*others) / max(1, len(others)),
            "clients": cpu_seconds(self._clients) if self._clients else 0.0,
        }

    def written(self) -> dict:
        return {
            "renewals": int(self.session.ask(RENEWALS)),
            "wal": float(self.session.ask(WRITTEN)),
        }

    def figures(self) -> dict:
        tokens = int(self.session.ask("SELECT count(*) FROM token_digests"))
        sessions = self.session.ask(SERVERS_SESSIONS).split()
        database, server = map(statistics.median, zip(*self._loads))
        return {
            "load_db_cpu_ns_per_token": database / tokens * 1e9,
            "load_server_cpu_ns_per_token": server / tokens * 1e9,
            "database_session_bytes": statistics.median(
                map(private_bytes, sessions)
            ),
        }


def check_revoking(servers):
    """Changes that reach nobody would cost nothing."""
    with contextlib.ExitStack() as stack:
        clients = [stack.enter_context(server.client()) for server in servers]
        created = clients[0].create("bench-feed", scopes=["pages:read"])
        before = [client.verdict(created.secret) for client in clients]
        clients[0].revoke(created.token.name)
        after = [client.verdict(created.secret) for client in clients]
    if {*before} != {"VALID"} or {*after} != {"REVOKED"}:
        raise RuntimeError(f"verdicts: {before}, then {after}")


def make_changes(client, count: int, pace=0.0) -> list:
    """Creates and revokes in turn, and returns their latencies in
    microseconds."""
    latencies = []
    due = time.monotonic()
    for index in range(count):
        begun = time.monotonic()
        if index % 2 == 0:
            name = client.create("bench-feed").token.name
        else:
            client.revoke(name)
        ended = time.monotonic()
        latencies.append((ended - begun) * 1e6)
        due += pace
        time.sleep(max(0.0, due - ended))
    return latencies


def resident_bytes(pid: int) -> int:
    pages = pathlib.Path(f"/proc/{pid}/statm").read_text().split()[1]
    return int(pages) * os.sysconf("SC_PAGE_SIZE")


def private_bytes(pid) -> int:
    """Without what it has in common with others."""
    lines = pathlib.Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    return 1024 * sum(
        int(line.split()[1]) for line in lines if line.startswith("Private_")
    )
