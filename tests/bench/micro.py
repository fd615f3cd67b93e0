"""What the hot path's pieces cost without gRPC, by Google Benchmark."""

import json
import subprocess

from world import program


def measure(_world, _quick: bool) -> dict:
    return validator_nanoseconds()


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
        "BM_Malformed_median": "malformed_ns",
        "BM_Digest_median": "digest_ns",
        "BM_LeaseCheck_median": "lease_check_ns",
        "BM_BootClock_median": "boot_clock_ns",
    }
    rows = {row["name"]: row for row in json.loads(done.stdout)["benchmarks"]}
    return {ours: rows[theirs]["cpu_time"] for theirs, ours in names.items()}
