"""TokenService's calls, which wait for three replicas, beside a durable
commit; and the same with clients that keep answers."""

import contextlib
import json
import statistics
import subprocess

from harness import paths
from measuring import cpu_seconds, percentile
from world import program, running

WATCHERS = 100


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
    # Clients that keep answers, which changes wait for, too.
    with running("watchers", WATCHERS, *targets) as watchers:
        before = cpu_seconds(watchers.pid)
        watched = calls_microseconds(servers[0], calls)
        # What the clients, which have the machine in common with the servers,
        # spend on each change: a Create and a Revoke a round.
        figures["watching_clients_cpu_ms"] = (
            (cpu_seconds(watchers.pid) - before) / (2 * calls) * 1000
        )
    for name in ("revoke_p50_us", "revoke_p99_us"):
        figures[f"watched_{name}"] = watched[name]
    commits += commit_microseconds(world, calls)
    for name, part in (("p50", 0.5), ("p99", 0.99)):
        commit = percentile(commits, part)
        figures[f"commit_{name}_us"] = commit
        for prefix in ("", "watched_"):
            extra = figures[f"{prefix}revoke_{name}_us"] - commit
            figures[f"{prefix}revoke_extra_{name}_ms"] = extra / 1000
    return figures


def calls_microseconds(server, rounds: int) -> dict:
    done = subprocess.run(
        [program("calls_bench"), server.target, str(rounds)],
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
