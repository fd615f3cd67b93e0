"""Counts the instructions of a Validate by callgrind, and compares them with
what budgets.json allows.

Usage: count.py COMPILER validator|rpcs [--write]

COMPILER is a key of budgets.json. --write puts there what was counted, after a
change that is worth it. A count may be a little above the budget or below it:
far below, the budget is stale, and would let what was won be lost again.
"""

import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent / "e2e"), str(HERE.parent / "bench")]

from harness.cluster import Cluster  # noqa: E402
from harness.server import Server, migrate  # noqa: E402
from messages import EMPTY, VALIDATE, frame, validate_request  # noqa: E402

BUDGETS = HERE / "budgets.json"
MARGIN = 0.05
COUNTED = "wemasy::tokens::CountedCalls*"


def callgrind(output: pathlib.Path, *options) -> list:
    """The beginning of a command whose counts go to `output`."""
    valgrind = shutil.which("valgrind")
    if not valgrind:
        raise SystemExit("no valgrind here: run scripts/install-deps")
    return [
        *(valgrind, "--tool=callgrind", f"--callgrind-out-file={output}"),
        *options,
    ]


def program(name: str) -> pathlib.Path:
    return pathlib.Path(os.environ["WEMASY_BIN_DIR"]) / name


def counted(output: pathlib.Path) -> int:
    text = output.read_text(encoding="utf-8")
    return int(re.search(r"^(?:totals|summary): (\d+)", text, re.MULTILINE)[1])


def counted_in(function: str, output: pathlib.Path) -> int:
    """Of those, what the function took, and all that it called."""
    text = subprocess.run(
        ["callgrind_annotate", "--inclusive=yes", "--threshold=100", output],
        check=True,
        capture_output=True,
        text=True,
    ).stdout
    found = re.findall(rf"^ *([\d,]+) .*:{function} \[", text, re.MULTILINE)
    if len(found) != 1:
        raise RuntimeError(f"callgrind knows {len(found)} functions {function}")
    return int(found[0].replace(",", ""))


def count_validator(folder: pathlib.Path) -> dict:
    """Instructions of the validator alone, but for SHA-256: callgrind's
    processor has no instructions for it, as real ones have, and which code does
    without them is up to the machine."""
    calls = 10_000
    counts = {}
    for verdict in ("valid", "unknown", "malformed", "revoked"):
        output = folder / f"callgrind.{verdict}"
        subprocess.run(
            [
                *callgrind(output, "--quiet", f"--toggle-collect={COUNTED}"),
                *(program("validator_instructions"), verdict),
            ],
            check=True,
        )
        counts[f"validator_{verdict}"] = (
            counted(output) - counted_in("SHA256", output)
        ) / calls
    return counts


def count_rpcs(folder: pathlib.Path) -> dict:
    """Instructions of all of tokend for a call, and what Validate has more of
    them than a call that does nothing."""
    output = folder / "callgrind.tokend"
    command = callgrind(output, "--instr-atstart=no")
    command.append(pathlib.Path(os.environ["TOKEND_BIN_DIR"]) / "tokend")
    tokend = folder / "tokend"
    tokend.write_text(f'#!/bin/sh\nexec {" ".join(map(str, command))} "$@"\n')
    tokend.chmod(0o755)
    cluster = Cluster()
    try:
        database = cluster.new_database()
        done = migrate(cluster.url(database, user="postgres"))
        if done.returncode != 0:
            raise RuntimeError(done.stderr)
        server = Server(
            folder / "server",
            cluster.url(database),
            program=tokend,
            log_level="info",
            # What goes on in the background is rare.
            lease_ttl="10m",
        )
        server.start(wait=False)
        try:
            server.wait_until_ready(seconds=120)
            with server.client() as client:
                secret = client.create("demo", timeout=60).secret
                verdict = client.verdict(secret)
            if verdict != "VALID":
                raise RuntimeError(f"the token to measure with is {verdict}")
            return count_calls(server, secret, output)
        finally:
            server.stop(seconds=120)
    finally:
        cluster.destroy()


def count_calls(server, secret: str, output: pathlib.Path) -> dict:
    pid = str(server.process.pid)
    body = output.with_name("body")
    dumps = 0

    def control(*arguments):
        subprocess.run(
            ["callgrind_control", *arguments, pid],
            check=True,
            capture_output=True,
        )

    def instructions(path, calls) -> int:
        nonlocal dumps
        control("--zero")
        subprocess.run(
            [
                program("open_loop"),
                *(server.target, path, body),
                *("closed", "--in-flight=1", f"--calls={calls}"),
            ],
            check=True,
            stdout=subprocess.DEVNULL,
        )
        control("--dump")
        dumps += 1
        return counted(pathlib.Path(f"{output}.{dumps}"))

    control("--instr=on")
    few, many = 200, 1200
    counts = {}
    for name, path, request in (
        ("empty_rpc", EMPTY, b""),
        ("validate_rpc", VALIDATE, validate_request(secret)),
    ):
        body.write_bytes(frame(request))
        instructions(path, few)
        # The difference, as connecting costs, too.
        begin = instructions(path, few)
        counts[name] = (instructions(path, many) - begin) / (many - few)
    above = counts["validate_rpc"] - counts["empty_rpc"]
    return {**counts, "validate_rpc_above_empty": above}


def compare(counts: dict, budgets: dict) -> list:
    """What is wrong, as lines of text."""
    faults = []
    for name, count in counts.items():
        budget = budgets[name]
        ratio = count / budget - 1
        print(
            f"{name}: {count:.0f} instructions, budget {budget} ({ratio:+.1%})"
        )
        if ratio > MARGIN:
            faults.append(
                f"{name} takes {count - budget:.0f} instructions more than its"
                f" budget of {budget}: {ratio:+.1%}, want at most"
                f" {MARGIN:+.0%}. What is it worth?"
            )
        elif ratio < -MARGIN:
            faults.append(
                f"{name} takes {budget - count:.0f} instructions fewer than its"
                f" budget of {budget}: {ratio:+.1%}. Lower the budget, so that"
                " they stay away."
            )
    return faults


def main(compiler: str, what: str, write: bool) -> int:
    all_budgets = json.loads(BUDGETS.read_text(encoding="utf-8"))
    count = {"validator": count_validator, "rpcs": count_rpcs}[what]
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        counts = count(folder)
        if write:
            budgets = all_budgets.setdefault(compiler, {})
            budgets.update({name: round(n) for name, n in counts.items()})
            text = json.dumps(all_budgets, indent=2) + "\n"
            BUDGETS.write_text(text, encoding="utf-8")
            return 0
        faults = compare(counts, all_budgets[compiler])
        if not faults:
            return 0
        kept = tempfile.mkdtemp(prefix="instructions-")
        for output in folder.glob("callgrind.*"):
            shutil.copy(output, kept)
    print(*faults, sep="\n", file=sys.stderr)
    print(
        f"To see where they are: callgrind_annotate {kept}/callgrind.*, and the"
        " same before the change. To set the budgets: the command of this test"
        " (ctest -N -V -L instructions) with --write.",
        file=sys.stderr,
    )
    return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], sys.argv[2], sys.argv[3:] == ["--write"]))
