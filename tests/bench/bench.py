"""The cost of each call, beside that of an empty one.

Runs a private PostgreSQL, and tokends and whatever else is measured on it.
Compared things take turns, round by round, so that a machine whose speed drifts
slows them all; what is quoted are medians over the rounds, and ratios within a
round.
"""

import argparse
import pathlib
import sys

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "e2e"))

import envoy_cost  # noqa: E402
import micro  # noqa: E402
import report  # noqa: E402
import rpcs  # noqa: E402
import token_service  # noqa: E402
from world import World  # noqa: E402

# In the order in which they run: each is called with the World and whether to
# be quick, and returns its figures.
PARTS = {
    "micro": micro.measure,
    "rpcs": rpcs.measure,
    "token_service": token_service.measure,
    "envoy": envoy_cost.measure,
}


def measure(parts, quick: bool) -> dict:
    if "envoy" in parts:
        envoy_cost.require_programs()
    figures = {}
    with World() as world:
        for name, part in PARTS.items():
            if name in parts:
                print(f"Measuring: {name}", file=sys.stderr, flush=True)
                figures.update(part(world, quick))
    return figures


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="fewer rounds")
    parser.add_argument(
        "--only",
        nargs="+",
        choices=PARTS,
        default=list(PARTS),
        metavar="PART",
        help="of: " + ", ".join(PARTS),
    )
    parser.add_argument("--json", metavar="FILE", help="also write the figures")
    arguments = parser.parse_args()
    figures = measure(arguments.only, arguments.quick)
    report.print_table(figures)
    if arguments.json:
        report.write_json(figures, arguments.json)


main()
