"""TokenService's calls, which wait for three replicas, beside a durable
commit; and the same with clients that keep answers."""

import contextlib
import itertools
import json
import statistics
import subprocess

from harness import paths
from measuring import percentile
from world import program, running

WATCHERS = 100
# How many of them have the token: one, as each integration has its own token, or
# all, which is the worst case.
HOLDERS = {"watched_": 1, "all_have_it_": WATCHERS}


def measure(world, quick: bool) -> dict:
    calls = 100 if quick else 500
    with contextlib.ExitStack() as stack:
        servers = [
            stack.enter_context(world.tokend(name))
            for name in ("first", "second", "third")
        ]
        return three_replicas(world, servers, calls)


def three_replicas(world, servers, calls) -> dict:
    commits = commit_microseconds(world, calls)
    figures = calls_microseconds(servers[0], calls)
    targets = [server.target for server in servers]
    for prefix, holders in HOLDERS.items():
        watched = watched_microseconds(servers[0], calls, targets, holders)
        for name in ("revoke_p50_us", "revoke_p99_us"):
            figures[f"{prefix}{name}"] = watched[name]
    commits += commit_microseconds(world, calls)
    for name, part in (("p50", 0.5), ("p99", 0.99)):
        commit = percentile(commits, part)
        figures[f"commit_{name}_us"] = commit
        for prefix in ("", *HOLDERS):
            extra = figures[f"{prefix}revoke_{name}_us"] - commit
            figures[f"{prefix}revoke_extra_{name}_ms"] = extra / 1000
    return figures


def watched_microseconds(server, calls: int, targets, holders: int) -> dict:
    """With clients that keep answers, spread evenly, of which some have the
    token that is revoked."""
    addresses = list(itertools.islice(itertools.cycle(targets), WATCHERS))
    with contextlib.ExitStack() as stack:
        others = addresses[holders:]
        if others:
            stack.enter_context(running("watchers", len(others), *others))
        return calls_microseconds(server, calls, addresses[:holders])


def calls_microseconds(server, rounds: int, holders=()) -> dict:
    done = subprocess.run(
        [program("calls_bench"), server.target, str(rounds), *holders],
        capture_output=True,
        text=True,
        check=True,
    )
    figures = {}
    latencies = json.loads(done.stdout)
    for name, values in latencies.items():
        figures[f"{name}_p50_us"] = percentile(values, 0.5)
        figures[f"{name}_p99_us"] = percentile(values, 0.99)
    figures["list_100k_vs_10"] = statistics.median(
        large / small
        for large, small in zip(latencies["list_100k"], latencies["list_10"])
    )
    return figures


def commit_microseconds(world, commits: int) -> list:
    """The latencies of single durable commits, by pgbench."""
    world.cluster.sql(
        world.database,
        "CREATE TABLE IF NOT EXISTS bench_commits (n int);"
        "INSERT INTO bench_commits SELECT 0 WHERE NOT EXISTS"
        " (SELECT FROM bench_commits)",
    )
    script = world.folder / "commit.sql"
    script.write_text("UPDATE bench_commits SET n = n + 1;\n")
    for log in world.folder.glob("commits.*"):
        log.unlink()
    subprocess.run(
        [
            paths.postgres("pgbench"),
            *("-h", str(world.cluster.folder), "-U", "postgres", "-n", "-l"),
            *("-f", script, "-t", str(commits), "-M", "prepared"),
            *(f"--log-prefix={world.folder}/commits", world.database),
        ],
        capture_output=True,
        check=True,
    )
    (log,) = world.folder.glob("commits.*")
    return [int(line.split()[2]) for line in log.read_text().splitlines()]
