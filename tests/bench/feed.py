"""What replicas and caching clients cost as they grow in number: the renewals
of their rows, the last uses that they write, and the changes that have to reach
them all.

A change costs what a time with changes takes above an equally long one without.
What grows with a number is the slope over a few of it.
"""

import concurrent.futures
import contextlib
import itertools
import statistics
import time

import store_writes
from fleet import Fleet, make_changes, resident_bytes
from measuring import percentile, slope
from psql_session import Session

REPLICAS = (1, 3, 8)
CLIENTS = (0, 50, 100)

# From one change to the next: each has its sync points for itself.
PACE_SECONDS = 0.05
# Who makes changes as fast as they are confirmed: those share sync points.
CALLERS = 16

HOT_SHARE = (
    "SELECT n_tup_hot_upd::float / n_tup_upd FROM pg_stat_user_tables"
    " WHERE relname = '{}'"
)


def measure(world, quick: bool) -> dict:
    with Session(world) as session:
        figures = store_writes.measure(world, session, quick)
        figures |= changes(world, session, quick)
        for table in ("replicas", "change_head"):
            share = session.ask(HOT_SHARE.format(table))
            figures[f"{table}_hot_share"] = float(share)
    return figures


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
