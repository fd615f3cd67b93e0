"""Requests by h2load, and the CPU time of processes."""

import contextlib
import ctypes
import os
import pathlib
import shutil
import statistics
import subprocess
import time

TICKS_PER_SECOND = os.sysconf("SC_CLK_TCK")
_LIBC = ctypes.CDLL(None)


def cpu_seconds(*pids: int) -> float:
    """By the processes' own clocks. /proc/PID/stat counts hundredths of a
    second, of which a short run has too few."""
    total = 0.0
    for pid in pids:
        clock = ctypes.c_int()
        error = _LIBC.clock_getcpuclockid(pid, ctypes.byref(clock))
        if error:
            raise OSError(error, os.strerror(error), f"process {pid}")
        total += time.clock_gettime(clock.value)
    return total


def family_cpu_seconds(pid: int) -> float:
    """Of a process and all its children, those that have ended too."""
    proc = pathlib.Path(f"/proc/{pid}")
    children = (proc / "task" / str(pid) / "children").read_text().split()
    total = cpu_seconds(pid)
    for child in children:
        # One may end at any time, and is counted by its parent then.
        with contextlib.suppress(OSError):
            total += cpu_seconds(int(child))
    stat = (proc / "stat").read_text(encoding="utf-8")
    ended = stat.rpartition(")")[2].split()[13:15]
    return total + sum(map(int, ended)) / TICKS_PER_SECOND


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


def slope(points: dict) -> float:
    """Of the line through them: what one more adds."""
    return statistics.linear_regression(*zip(*points.items())).slope


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
