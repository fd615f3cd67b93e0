"""The cost of each call, beside that of an empty one.

Runs a private PostgreSQL and one tokend, and two more for the calls that wait
for all replicas; then Envoy in front of two. Compared things take turns, round
by round, so that a machine whose speed drifts slows them all; what is quoted are
medians over the rounds, and ratios within a round.
"""

import argparse
import contextlib
import json
import os
import pathlib
import statistics
import struct
import subprocess
import sys
import tempfile

import grpc

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "e2e"))

import envoy_cost  # noqa: E402
from harness import paths  # noqa: E402
from harness.cluster import Cluster  # noqa: E402
from harness.server import Server, migrate  # noqa: E402
from measuring import (  # noqa: E402
    cpu_seconds,
    h2load,
    percentile,
    spread,
    take_turns,
)

VALIDATE = "/wemasy.tokens.v1.AuthService/Validate"
CHECK = "/envoy.service.auth.v3.Authorization/Check"
EMPTY = "/wemasy.tokens.bench.EmptyService/Call"
WATCHERS = 100

# Tokens for the lists and the index, without secrets anybody has.
SEED = """
INSERT INTO projects (id) VALUES ('bench-small'), ('bench-large');
INSERT INTO tokens (id, project, display_name, description, scopes, metadata,
  creator, create_time, expire_time, hint, revision)
SELECT gen_random_uuid(), p, 'token ' || i, '', '{{pages:read}}', '{{}}',
  'user-' || i % 1000, now() - i * interval '1 second', 'infinity', 'abcd', 1
FROM (SELECT 'bench-small' AS p, i FROM generate_series(1, 10) i
  UNION ALL SELECT 'bench-large', i FROM generate_series(1, {large}) i) s;
INSERT INTO token_digests (digest, version, token_id, is_current, ends_at)
SELECT sha256(uuid_send(id)), 1, id, true, 'infinity' FROM tokens;
ANALYZE;
"""


def frame(message: bytes) -> bytes:
    """A message as gRPC puts it on the wire."""
    return struct.pack(">BI", 0, len(message)) + message


def field(number: int, content) -> bytes:
    """A string or message as a field of a protobuf message."""
    if isinstance(content, str):
        content = content.encode()
    size = len(content)
    length = (
        bytes([size]) if size < 128 else bytes([size & 127 | 128, size >> 7])
    )
    return bytes([number << 3 | 2]) + length + content


def validate_request(secret: str) -> bytes:
    return field(1, secret)


def check_request(secret: str) -> bytes:
    """What Envoy sends if it is told to show the credentials only."""
    headers = {
        "authorization": f"Bearer {secret}",
        "x-request-id": "5c1f2f5e-3b0e-4b57-9d0a-6f5b1a2c3d4e",
    }
    http = field(1, headers["x-request-id"]) + field(2, "GET")
    for name, value in headers.items():
        http += field(3, field(1, name) + field(2, value))
    http += field(4, "/v1/pages?limit=10") + field(5, "api.example.com")
    http += field(6, "https") + field(11, "HTTP/2")

    def peer(port: bytes) -> bytes:
        # An address.socket_address with an address and a port.
        return field(1, field(1, field(2, "127.0.0.1") + b"\x18" + port))

    attributes = field(1, peer(b"\xd0\x8f\x03")) + field(2, peer(b"\xbb\x03"))
    attributes += field(4, field(2, http))
    attributes += field(10, field(1, "project") + field(2, "projects/bench"))
    return field(1, attributes)


class Load:
    """One path of the server, driven by h2load."""

    def __init__(self, server, path: str, body: bytes, folder: pathlib.Path):
        self._server = server
        self._path = path
        self._folder = folder
        self._body = folder / (path.rpartition("/")[2] + ".bin")
        self._body.write_bytes(frame(body))

    # The server gives its connections to eight queues in turn: two for each rpc
    # that is measured, and two of its own. With sixteen, every turn finds them
    # spread alike.
    def run(self, calls: int) -> dict:
        pid = self._server.process.pid
        before = cpu_seconds(pid)
        seen = h2load(
            f"http://{self._server.target}{self._path}",
            calls,
            self._folder,
            ["content-type: application/grpc", "te: trailers"],
            self._body,
            clients=16,
        )
        cpu = cpu_seconds(pid) - before
        return {**seen, "cpu_us": cpu / calls * 1e6}


def validator_nanoseconds() -> dict:
    done = subprocess.run(
        [
            pathlib.Path(os.environ["WEMASY_BIN_DIR"]) / "validator_bench",
            "--benchmark_format=json",
            "--benchmark_repetitions=3",
            "--benchmark_report_aggregates_only=true",
        ],
        capture_output=True,
        text=True,
        check=True,
    )
    names = {
        "BM_Validate/10000_median": "validator_ns",
        "BM_Validate/1000000_median": "validator_ns_1m",
        "BM_Malformed_median": "malformed_ns",
        "BM_Digest_median": "digest_ns",
        "BM_LeaseCheck_median": "lease_check_ns",
        "BM_BootClock_median": "boot_clock_ns",
    }
    rows = {row["name"]: row for row in json.loads(done.stdout)["benchmarks"]}
    return {ours: rows[theirs]["cpu_time"] for theirs, ours in names.items()}


def calls_microseconds(server, rounds: int) -> dict:
    done = subprocess.run(
        [
            pathlib.Path(os.environ["WEMASY_BIN_DIR"]) / "calls_bench",
            server.target,
            str(rounds),
        ],
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


def commit_microseconds(cluster, database, folder, commits: int) -> list:
    """The latencies of single durable commits, by pgbench."""
    cluster.sql(
        database,
        "CREATE TABLE IF NOT EXISTS bench_commits (n int);"
        "INSERT INTO bench_commits SELECT 0 WHERE NOT EXISTS"
        " (SELECT FROM bench_commits)",
    )
    script = folder / "commit.sql"
    script.write_text("UPDATE bench_commits SET n = n + 1;\n")
    for log in folder.glob("commits.*"):
        log.unlink()
    subprocess.run(
        [
            paths.postgres("pgbench"),
            *("-h", str(cluster.folder), "-U", "postgres", "-n", "-l"),
            *("-f", script, "-t", str(commits), "-M", "prepared"),
            *(f"--log-prefix={folder}/commits", database),
        ],
        capture_output=True,
        check=True,
    )
    (log,) = folder.glob("commits.*")
    return [int(line.split()[2]) for line in log.read_text().splitlines()]


@contextlib.contextmanager
def watching_clients(count: int, servers):
    """Clients that keep answers, which changes wait for, too."""
    process = subprocess.Popen(
        [
            pathlib.Path(os.environ["WEMASY_BIN_DIR"]) / "watchers",
            str(count),
            *(server.target for server in servers),
        ],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        if process.stdout.readline() != "ready\n":
            raise RuntimeError("the watching clients did not get ready")
        yield process.pid
    finally:
        process.stdin.close()
        process.wait()


def three_replicas(server, cluster, database, folder, calls) -> dict:
    """TokenService's calls, which wait for three replicas, beside a commit;
    and the same with clients that keep answers."""
    others = [
        Server(folder / name, cluster.url(database), log_level="info").start()
        for name in ("second", "third")
    ]
    try:
        commits = commit_microseconds(cluster, database, folder, calls)
        figures = calls_microseconds(server, calls)
        with watching_clients(WATCHERS, [server, *others]) as pid:
            before = cpu_seconds(pid)
            watched = calls_microseconds(server, calls)
            # What the clients, which have the machine in common with the
            # servers, spend on each change: a Create and a Revoke a round.
            figures["watching_clients_cpu_ms"] = (
                (cpu_seconds(pid) - before) / (2 * calls) * 1000
            )
        for name in ("revoke_p50_us", "revoke_p99_us"):
            figures[f"watched_{name}"] = watched[name]
        commits += commit_microseconds(cluster, database, folder, calls)
    finally:
        for other in others:
            other.stop()
    for name, part in (("p50", 0.5), ("p99", 0.99)):
        commit = percentile(commits, part)
        figures[f"commit_{name}_us"] = commit
        for prefix in ("", "watched_"):
            extra = figures[f"{prefix}revoke_{name}_us"] - commit
            figures[f"{prefix}revoke_extra_{name}_ms"] = extra / 1000
    return figures


def compare_with_empty(server, secret: str, folder, rounds, calls) -> dict:
    loads = {
        "empty": Load(server, EMPTY, b"", folder),
        "validate": Load(server, VALIDATE, validate_request(secret), folder),
        "check": Load(server, CHECK, check_request(secret), folder),
    }
    results = take_turns(loads, rounds, calls)

    figures = {}
    for name, runs in results.items():
        for figure in runs[0]:
            figures[f"{name}_{figure}"] = statistics.median(
                run[figure] for run in runs
            )
    for ours, theirs, figure, key in (
        ("validate", "empty", "throughput", "throughput"),
        ("validate", "empty", "cpu_us", "cpu"),
        ("check", "validate", "cpu_us", "cpu"),
    ):
        ratios = [
            run[figure] / other[figure]
            for run, other in zip(results[ours], results[theirs])
        ]
        figures.update(spread(f"{ours}_{key}_vs_{theirs}", ratios))
    return figures


def check_verdict(server, secret: str):
    """h2load takes every answer for a good one."""
    with server.client() as client:
        verdict = client.verdict(secret)
    if verdict != "VALID":
        raise RuntimeError(f"the token to measure with is {verdict}")
    with grpc.insecure_channel(server.target) as channel:
        answer = channel.unary_unary(CHECK)(check_request(secret))
    if b"x-wemasy-token" not in answer:
        raise RuntimeError("the token to measure with does not pass Check")


def create_token(server) -> str:
    done = subprocess.run(
        [
            pathlib.Path(os.environ["WEMASY_BIN_DIR"]) / "tokenctl",
            *("--server", server.target, "create", "--project", "bench"),
            *("--name", "bench", "--scope", "pages:read"),
        ],
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout.strip()


def measure(arguments) -> dict:
    # Short turns: the machine's speed drifts within seconds.
    rounds, calls = (9, 10_000) if arguments.quick else (41, 15_000)
    envoy_cost.require_programs()
    figures = validator_nanoseconds()
    cluster = Cluster()
    try:
        database = cluster.new_database()
        done = migrate(cluster.url(database, user="postgres"))
        if done.returncode != 0:
            raise RuntimeError(done.stderr)
        cluster.sql(database, SEED.format(large=100_000))
        with tempfile.TemporaryDirectory() as name:
            folder = pathlib.Path(name)
            server = Server(
                folder,
                cluster.url(database),
                log_level="info",
                max_active_tokens=1_000_000,
            ).start()
            try:
                secret = create_token(server)
                check_verdict(server, secret)
                figures.update(
                    compare_with_empty(server, secret, folder, rounds, calls)
                )
                figures.update(
                    three_replicas(
                        server,
                        cluster,
                        database,
                        folder,
                        100 if arguments.quick else 500,
                    )
                )
            finally:
                server.stop()
            figures.update(
                envoy_cost.compare_routes(
                    cluster.url(database),
                    secret,
                    folder,
                    *((5, 3_000) if arguments.quick else (15, 5_000)),
                )
            )
    finally:
        cluster.destroy()
    return figures


def print_table(figures: dict):
    width = max(map(len, figures))
    print(f"| {'figure':{width}} | {'value':>12} |")
    print(f"|-{'-' * width}-|-{'-' * 11}:|")
    for name, value in figures.items():
        print(f"| {name:{width}} | {value:12,.3f} |")


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="fewer rounds")
    parser.add_argument("--json", metavar="FILE", help="also write the figures")
    arguments = parser.parse_args()
    figures = measure(arguments)
    print_table(figures)
    if arguments.json:
        pathlib.Path(arguments.json).write_text(
            json.dumps(figures, indent=2) + "\n", encoding="utf-8"
        )


main()
