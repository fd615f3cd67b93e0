"""What replicas and caching clients cost as they grow in number: the renewals
of their rows, the last uses that they write, and the changes that have to reach
them all.

A change costs what a time with changes takes above an equally long one without.
What grows with a number is the slope over a few of it.
"""

import concurrent.futures
import contextlib
import itertools
import json
import os
import pathlib
import statistics
import time

from measuring import cpu_seconds, family_cpu_seconds, percentile
from world import running

ROWS = (3, 50, 200)
REPLICAS = (1, 3, 8)
CLIENTS = (0, 50, 100)

# From one change to the next: each has its sync points for itself.
PACE_SECONDS = 0.05
# Who makes changes as fast as they are confirmed: those share sync points.
CALLERS = 16

# Rows that nobody renews.
OTHERS = """INSERT INTO replicas (id, timeline, max_operation)
SELECT rpad('other-' || i, 26, '-'), timeline, max_operation
FROM replicas, generate_series(1, {}) i"""
NO_OTHERS = "DELETE FROM replicas WHERE id LIKE 'other-%'; VACUUM replicas"
WRITTEN = "SELECT pg_wal_lsn_diff(pg_current_wal_insert_lsn(), '0/0')"
RENEWALS = "SELECT sum(renewals) FROM replicas"
HOT_SHARE = (
    "SELECT n_tup_hot_upd::float / n_tup_upd FROM pg_stat_user_tables"
    " WHERE relname = '{}'"
)
SERVERS_SESSIONS = "SELECT pid FROM pg_stat_activity WHERE usename = 'tokend'"


def measure(world, quick: bool) -> dict:
    with Session(world) as session:
        figures = writes(world, session, quick)
        figures |= changes(world, session, quick)
        for table in ("replicas", "change_head"):
            share = session.ask(HOT_SHARE.format(table))
            figures[f"{table}_hot_share"] = float(share)
    return figures


class Session:
    """One of the database's, for all that is asked: to begin another would cost
    more than what is measured."""

    def __init__(self, world):
        self._psql = world.cluster.open_session(world.database)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._psql.communicate()

    def ask(self, sql: str) -> str:
        self._psql.stdin.write(f"{sql};\n\\echo .\n")
        self._psql.stdin.flush()
        answer = ""
        while (line := self._psql.stdout.readline()) != ".\n":
            if not line:
                raise RuntimeError("psql has ended")
            answer += line
        return answer.strip()


def slope(points: dict) -> float:
    return statistics.linear_regression(*zip(*points.items())).slope


def writes(world, session, quick: bool) -> dict:
    """By the server's own stores."""
    with running("store_bench", world.database_url) as program:

        def run(command: str) -> dict:
            """What the database spends on it, and how long each step takes."""
            written = float(session.ask(WRITTEN))
            before = family_cpu_seconds(world.postmaster)
            program.stdin.write(command + "\n")
            program.stdin.flush()
            latencies = json.loads(program.stdout.readline())
            spent = family_cpu_seconds(world.postmaster) - before
            return {
                "cpu_us": spent * 1e6,
                "wal": float(session.ask(WRITTEN)) - written,
                "latencies_us": [nanos / 1000 for nanos in latencies],
            }

        return {
            **renewals(session, run, quick),
            **renewals_without_pruning(world, session, run),
            **last_uses(run, quick),
        }


def renewals(session, run, quick: bool) -> dict:
    """On one connection, in tables of replicas of several lengths."""
    rounds, count = (3, 100) if quick else (7, 400)
    results = {rows: [] for rows in ROWS}
    for index in range(rounds):
        for rows in sorted(ROWS, reverse=index % 2 == 1):
            session.ask(OTHERS.format(rows - 1))
            run(f"renew {count}")
            results[rows].append(run(f"renew {count}"))
            session.ask(NO_OTHERS)
    figures = {}
    for rows, seen in results.items():
        latencies = [us for result in seen for us in result["latencies_us"]]
        figures |= {
            f"renewal_db_cpu_us_{rows}_rows": median_each(
                seen, "cpu_us", count
            ),
            f"renewal_p50_us_{rows}_rows": percentile(latencies, 0.5),
            f"renewal_p99_us_{rows}_rows": percentile(latencies, 0.99),
        }
    few = results[ROWS[0]]
    return {**figures, "renewal_wal_bytes": median_each(few, "wal", count)}


def renewals_without_pruning(world, session, run) -> dict:
    """While a long transaction, such as a load or a dump, keeps PostgreSQL from
    taking old versions of rows away, all of which a renewal has to look at."""
    steps, count = 5, 1000
    cpu = {}
    with Session(world) as reader:
        reader.ask("BEGIN ISOLATION LEVEL REPEATABLE READ; TABLE change_head")
        for step in range(steps):
            versions = (step + 0.5) * count
            cpu[versions] = run(f"renew {count}")["cpu_us"] / count
    session.ask("VACUUM replicas")
    return {"renewal_db_cpu_us_per_1000_old_versions": 1000 * slope(cpu)}


def last_uses(run, quick: bool) -> dict:
    """In a new minute, and by another replica in the same minute, which
    changes nothing."""
    rounds, count = (3, 5_000) if quick else (7, 20_000)
    run(f"use {count} 0")
    results = {"": [], "_repeated": []}
    for minute in range(1, rounds + 1):
        for seen in results.values():
            seen.append(run(f"use {count} {minute}"))
    figures = {}
    for name, seen in results.items():
        each = f"per{name}_last_use"
        figures[f"db_cpu_us_{each}"] = median_each(seen, "cpu_us", count)
        figures[f"wal_bytes_{each}"] = median_each(seen, "wal", count)
    return figures


def median_each(results: list, name: str, count: int) -> float:
    return statistics.median(result[name] for result in results) / count


def changes(world, session, quick: bool) -> dict:
    with contextlib.ExitStack() as stack:
        fleet = Fleet(world, session, stack)
        fleet.grow(to=1)
        rounds = 2 if quick else 5
        by_clients, resident = {}, {}
        for clients in CLIENTS:
            with fleet.clients(clients):
                by_clients[clients] = paced_changes(fleet, rounds)
                resident[clients] = resident_bytes(fleet.first.process.pid)
        by_replicas, busy = {1: by_clients[0]}, {}
        busy[1] = hurried_changes(fleet, rounds)
        for replicas in REPLICAS[1:]:
            fleet.grow(to=replicas)
            by_replicas[replicas] = paced_changes(fleet, rounds)
            busy[replicas] = hurried_changes(fleet, rounds)
        return {
            **fleet.figures(),
            **replicas_figures(by_replicas, busy),
            **clients_figures(by_clients, resident),
        }


def replicas_figures(paced: dict, busy: dict) -> dict:
    def grows(results, name) -> float:
        return slope({n: result[name] for n, result in results.items()})

    most = REPLICAS[-1]
    return {
        "change_db_cpu_us_1_replica": paced[1]["database"],
        "change_db_cpu_us_per_replica": grows(paced, "database"),
        "change_server_cpu_us_per_replica": paced[most]["follower"],
        "change_renewals_per_replica": grows(paced, "renewals"),
        "change_wal_bytes_1_replica": paced[1]["wal"],
        "change_wal_bytes_per_replica": grows(paced, "wal"),
        **{f"change_p50_us_{n}_replicas": paced[n]["p50_us"] for n in REPLICAS},
        "busy_changes_per_second": busy[most]["per_second"],
        "busy_change_db_cpu_us_1_replica": busy[1]["database"],
        "busy_change_db_cpu_us_per_replica": grows(busy, "database"),
        "busy_change_renewals_per_replica": grows(busy, "renewals"),
        **{
            f"busy_change_p99_us_{n}_replicas": busy[n]["p99_us"]
            for n in REPLICAS
        },
    }


def clients_figures(results: dict, resident: dict) -> dict:
    def grows(name) -> float:
        return slope({n: result[name] for n, result in results.items()})

    return {
        "change_server_cpu_us_per_watcher": grows("first"),
        "change_client_cpu_us_per_watcher": grows("clients"),
        "idle_server_cpu_us_per_watcher_second": grows("first_idle") * 1e6,
        "idle_client_cpu_us_per_watcher_second": grows("clients_idle") * 1e6,
        "watcher_server_bytes": slope(resident),
        **{
            f"change_p50_us_{n}_watchers": results[n]["p50_us"] for n in CLIENTS
        },
    }


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


def watch(fleet, work) -> tuple[dict, list]:
    """What is spent while `work` is done, and what that returns."""
    written = fleet.written()
    begun, before = time.monotonic(), fleet.cpu()
    result = work()
    after, ended = fleet.cpu(), time.monotonic()
    spent = {name: after[name] - before[name] for name in after}
    for name, value in fleet.written().items():
        spent[name] = value - written[name]
    return {**spent, "seconds": ended - begun}, result


def paced_changes(fleet, rounds: int, count=20) -> dict:
    """One after another, with time between them."""
    results, latencies = [], []
    with fleet.first.client() as client:
        for _ in range(rounds):
            idle, _ = watch(fleet, lambda: time.sleep(count * PACE_SECONDS))
            spent, seen = watch(
                fleet, lambda: make_changes(client, count, PACE_SECONDS)
            )
            results.append(above(spent, idle, count))
            latencies += seen
    return {**medians(results), "p50_us": percentile(latencies, 0.5)}


def above(spent: dict, idle: dict, count: int) -> dict:
    """For each change, in microseconds of CPU time; and what a second without
    any takes."""
    each = {}
    for name, value in spent.items():
        rate = idle[name] / idle["seconds"]
        each[name] = (value - rate * spent["seconds"]) / count
        each[f"{name}_idle"] = rate
    return in_microseconds(each)


def hurried_changes(fleet, rounds: int, count=10) -> dict:
    """By several callers at once."""
    results, latencies = [], []
    with contextlib.ExitStack() as stack:
        # With connections of their own.
        options = [("grpc.use_local_subchannel_pool", 1)]
        clients = [
            stack.enter_context(fleet.first.client(options=options))
            for _ in range(CALLERS)
        ]
        pool = stack.enter_context(
            concurrent.futures.ThreadPoolExecutor(CALLERS)
        )

        def work():
            return list(
                pool.map(make_changes, clients, itertools.repeat(count))
            )

        for _ in range(rounds):
            spent, seen = watch(fleet, work)
            made = CALLERS * count
            each = {name: value / made for name, value in spent.items()}
            each["per_second"] = 1 / each["seconds"]
            results.append(in_microseconds(each))
            latencies += itertools.chain.from_iterable(seen)
    return {**medians(results), "p99_us": percentile(latencies, 0.99)}


def in_microseconds(each: dict) -> dict:
    for name in ("database", "first", "follower", "clients"):
        each[name] *= 1e6
    return each


def medians(results: list) -> dict:
    return {
        name: statistics.median(result[name] for result in results)
        for name in results[0]
    }


def resident_bytes(pid: int) -> int:
    pages = pathlib.Path(f"/proc/{pid}/statm").read_text().split()[1]
    return int(pages) * os.sysconf("SC_PAGE_SIZE")


def private_bytes(pid) -> int:
    """Without what it has in common with others."""
    lines = pathlib.Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    return 1024 * sum(
        int(line.split()[1]) for line in lines if line.startswith("Private_")
    )
