"""Requests by h2load, and the CPU time of processes."""

import os
import pathlib
import shutil
import statistics
import subprocess

TICKS_PER_SECOND = os.sysconf("SC_CLK_TCK")


def cpu_seconds(*pids: int) -> float:
    ticks = 0
    for pid in pids:
        stat = pathlib.Path(f"/proc/{pid}/stat").read_text(encoding="utf-8")
        utime, stime = stat.rpartition(")")[2].split()[11:13]
        ticks += int(utime) + int(stime)
    return ticks / TICKS_PER_SECOND


def percentile(values, part: float) -> float:
    values = sorted(values)
    return values[min(len(values) - 1, int(len(values) * part))]


def spread(name: str, values) -> dict:
    """The median under that name, and the least and the most."""
    return {
        name: statistics.median(values),
        f"{name}_min": min(values),
        f"{name}_max": max(values),
    }


def h2load_program() -> str:
    path = shutil.which("h2load")
    if not path:
        raise FileNotFoundError("no h2load here: run scripts/install-deps")
    return path


def h2load(
    url: str,
    calls: int,
    folder: pathlib.Path,
    headers=(),
    body: pathlib.Path | None = None,
    clients=16,
    streams=4,
) -> dict:
    """Sends so many requests as fast as they are answered, and returns what it
    saw: requests per second, and latencies. Each must be answered by 2xx or
    3xx."""
    log = folder / "h2load.log"
    log.unlink(missing_ok=True)
    command = [
        h2load_program(),
        *("-n", str(calls), "-c", str(clients), "-m", str(streams)),
        *("-t", "1", f"--log-file={log}"),
    ]
    for header in headers:
        command += ["-H", header]
    if body:
        command += ["-d", body]
    done = subprocess.run(
        [*command, url], capture_output=True, text=True, check=True
    )
    if f" {calls} succeeded" not in done.stdout:
        raise RuntimeError(done.stdout)
    lines = log.read_text(encoding="utf-8").splitlines()
    rows = [line.split() for line in lines]
    latencies = [int(row[2]) for row in rows]
    begun = min(int(row[0]) for row in rows)
    ended = max(int(row[0]) + int(row[2]) for row in rows)
    return {
        "throughput": calls / (ended - begun) * 1e6,
        "p50_us": percentile(latencies, 0.5),
        "p99_us": percentile(latencies, 0.99),
    }


def take_turns(loads: dict, rounds: int, calls: int) -> dict:
    """What each of the loads comes to, round by round: load.run(calls)."""
    for load in loads.values():
        load.run(calls)
    results = {name: [] for name in loads}
    for index in range(rounds):
        # Who comes first changes, too.
        for name in sorted(loads, reverse=index % 2 == 1):
            results[name].append(loads[name].run(calls))
    return results
