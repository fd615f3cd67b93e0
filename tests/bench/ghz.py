"""Calls by ghz, which nobody here wrote, and which can do what h2load cannot:
present a client's certificate, and send other requests in turn."""

import json
import pathlib
import subprocess

from harness import paths
from measuring import percentile

CONNECTIONS = 16
CALLS_AT_ONCE = 64
PROTO = paths.SOURCE / "tests" / "bench" / "bench.proto"


def program() -> str:
    path = paths.CACHE / "tools" / "ghz"
    if not path.exists():
        raise FileNotFoundError("no ghz here: run scripts/install-ghz")
    return str(path)


def run(
    target: str,
    path: str,
    requests: list[dict],
    calls: int,
    folder: pathlib.Path,
    certificate=None,
) -> dict:
    """So many calls as fast as they are answered, each by OK; what h2load() of
    measuring.py returns."""
    data = folder / "ghz.json"
    data.write_text(json.dumps(requests), encoding="utf-8")
    command = [
        program(),
        *("--call", path.removeprefix("/"), "--data-file", str(data)),
        *("--total", str(calls), "--connections", str(CONNECTIONS)),
        *("--concurrency", str(CALLS_AT_ONCE), "--timeout", "20s"),
        *("--disable-template-data", "--disable-template-functions"),
        *("--format", "json"),
    ]
    # tokend tells the types of its own rpcs.
    if path.startswith("/wemasy.tokens.bench."):
        command += ["--proto", str(PROTO)]
    if certificate:
        command += ["--cacert", certificate.ca, "--cert"]
        command += [certificate.certificate, "--key", certificate.key]
    else:
        command.append("--insecure")
    done = subprocess.run(
        [*command, target], capture_output=True, text=True, check=False
    )
    if done.returncode != 0:
        raise RuntimeError(f"ghz failed: {done.stderr}")
    report = json.loads(done.stdout)
    if report["statusCodeDistribution"] != {"OK": calls}:
        raise RuntimeError(f"not all OK: {report['statusCodeDistribution']}")
    latencies = [call["latency"] / 1000 for call in report["details"]]
    return {
        "throughput": report["rps"],
        "p50_us": percentile(latencies, 0.5),
        "p99_us": percentile(latencies, 0.99),
    }
