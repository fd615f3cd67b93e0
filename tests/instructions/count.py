"""Counts the instructions of a Validate by callgrind, and compares them with
what budgets.json allows.

Usage: count.py COMPILER [--write]

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
BUDGETS = HERE / "budgets.json"
MARGIN = 0.05
# For SHA-256 without a processor's instructions there is more than one code, and
# the machine says which. One digest too many is twice as much.
SHA256_MARGIN = 0.4
COUNTED = "wemasy::tokens::CountedCalls*"


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
    """Instructions of the validator alone, and of the SHA-256 that comes with
    them: callgrind's processor has no instructions for it, as real ones
    have."""
    valgrind = shutil.which("valgrind")
    if not valgrind:
        raise SystemExit("no valgrind here: run scripts/install-deps")
    program = (
        pathlib.Path(os.environ["WEMASY_BIN_DIR"]) / "validator_instructions"
    )
    calls = 10_000
    counts = {}
    for verdict in ("valid", "unknown", "malformed", "revoked"):
        output = folder / f"callgrind.{verdict}"
        subprocess.run(
            [
                *(valgrind, "--tool=callgrind", "--quiet"),
                f"--callgrind-out-file={output}",
                f"--toggle-collect={COUNTED}",
                *(program, verdict),
            ],
            check=True,
        )
        sha256 = counted_in("SHA256", output)
        counts[f"validator_{verdict}"] = (counted(output) - sha256) / calls
        counts[f"sha256_of_{verdict}"] = sha256 / calls
    return counts


def compare(counts: dict, budgets: dict) -> list:
    """What is wrong, as lines of text."""
    faults = []
    for name, count in counts.items():
        budget = budgets[name]
        ratio = count / budget - 1
        margin = SHA256_MARGIN if name.startswith("sha256") else MARGIN
        print(
            f"{name}: {count:.0f} instructions, budget {budget} ({ratio:+.1%})"
        )
        if ratio > margin:
            faults.append(
                f"{name} takes {count - budget:.0f} instructions more than its"
                f" budget of {budget}: {ratio:+.1%}, want at most"
                f" {margin:+.0%}. What is it worth?"
            )
        elif ratio < -margin:
            faults.append(
                f"{name} takes {budget - count:.0f} instructions fewer than its"
                f" budget of {budget}: {ratio:+.1%}. Lower the budget, so that"
                " they stay away."
            )
    return faults


def main(compiler: str, write: bool) -> int:
    all_budgets = json.loads(BUDGETS.read_text(encoding="utf-8"))
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        counts = count_validator(folder)
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
    sys.exit(main(sys.argv[1], sys.argv[2:] == ["--write"]))
