"""What the hot path's pieces cost without gRPC, by Google Benchmark."""

import json
import subprocess

from tokens import create_token
from world import program


def measure(world, _quick: bool) -> dict:
    return {**validator_nanoseconds(), **cached_client_nanoseconds(world)}


def validator_nanoseconds() -> dict:
    done = subprocess.run(
        [
            program("validator_bench"),
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
        "BM_Validate/10000000_median": "validator_ns_10m",
        "BM_LookUp_median": "look_up_ns",
        "BM_LookUpAndMark_median": "look_up_and_mark_ns",
        "BM_Malformed_median": "malformed_ns",
        "BM_Digest_median": "digest_ns",
        "BM_LeaseCheck_median": "lease_check_ns",
        "BM_BootClock_median": "boot_clock_ns",
    }
    rows = {row["name"]: row for row in json.loads(done.stdout)["benchmarks"]}
    figures = {ours: rows[theirs]["cpu_time"] for theirs, ours in names.items()}
    figures["usage_mark_ns"] = (
        figures["look_up_and_mark_ns"] - figures["look_up_ns"]
    )
    return figures


def cached_client_nanoseconds(world) -> dict:
    """The C++ client's answers from memory. One reading of the clock is in
    each of the times."""
    with world.tokend() as server:
        secret, _ = create_token(server)
        done = subprocess.run(
            [
                program("cached_client_bench"),
                server.target,
                "--benchmark_format=json",
                "--benchmark_min_time=0.2",
                "--benchmark_repetitions=7",
                "--benchmark_enable_random_interleaving=true",
                "--benchmark_report_aggregates_only=true",
            ],
            input=secret,
            stdout=subprocess.PIPE,
            text=True,
            check=True,
        )
    rows = {row["name"]: row for row in json.loads(done.stdout)["benchmarks"]}

    def median(kind: str, threads: int, figure: str) -> float:
        return rows[f"BM_{kind}/real_time/threads:{threads}_median"][figure]

    rates = {
        threads: median("Throughput", threads, "items_per_second")
        for threads in (1, 2, 4, 8)
    }
    return {
        "cached_validate_ns": median("Latency", 1, "p50"),
        "cached_validate_p99_ns": median("Latency", 1, "p99"),
        **{
            f"cached_validate_ns_{threads}_threads": median(
                "Latency", threads, "p50"
            )
            for threads in (2, 4, 8)
        },
        "cached_validate_per_second": rates[1],
        **{
            f"cached_validate_throughput_{threads}_vs_1_thread": rates[threads]
            / rates[1]
            for threads in (2, 4, 8)
        },
    }
