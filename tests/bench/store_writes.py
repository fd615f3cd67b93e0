"""What a server's writes that do not come from calls cost PostgreSQL: renewals,
and last uses. By the server's own stores."""

import json
import statistics

from measuring import family_cpu_seconds, percentile, slope
from psql_session import WRITTEN, Session
from world import running

ROWS = (3, 50, 200)

# Rows that nobody renews.
OTHERS = """INSERT INTO replicas (id, timeline, max_operation)
SELECT rpad('other-' || i, 26, '-'), timeline, max_operation
FROM replicas, generate_series(1, {}) i"""
NO_OTHERS = "DELETE FROM replicas WHERE id LIKE 'other-%'; VACUUM replicas"


def measure(world, session, quick: bool) -> dict:
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
