"""The cost of each call, beside that of an empty one.

Runs a private PostgreSQL, and tokends and whatever else is measured on it.
Compared things take turns, round by round, so that a machine whose speed drifts
slows them all; what is quoted are medians over the rounds, and ratios within a
round.
"""

import argparse
import pathlib
import sys
import traceback

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "e2e"))

import alternatives  # noqa: E402
import envoy_cost  # noqa: E402
import feed  # noqa: E402
import ghz  # noqa: E402
import index  # noqa: E402
import latency  # noqa: E402
import micro  # noqa: E402
import mutual_tls  # noqa: E402
import plot  # noqa: E402
import redis  # noqa: E402
import report  # noqa: E402
import rpcs  # noqa: E402
import server_models  # noqa: E402
import ten_million  # noqa: E402
import token_service  # noqa: E402
from world import World  # noqa: E402

# In the order in which they run: each is called with the World and whether to
# be quick, and returns its figures.
PARTS = {
    "micro": micro.measure,
    "index": index.measure,
    "rpcs": rpcs.measure,
    "server_models": server_models.measure,
    "mutual_tls": mutual_tls.measure,
    "latency": latency.measure,
    "token_service": token_service.measure,
    "feed": feed.measure,
    "envoy": envoy_cost.measure,
    "ten_million": ten_million.measure,
    # Last, as it adds tokens.
    "alternatives": alternatives.measure,
}


def require_programs():
    """Raises FileNotFoundError, which says what to install, before minutes have
    passed."""
    envoy_cost.require_programs()
    ghz.program()
    redis.program("redis-server")
    server_models.require_libraries()


def measure(parts, quick: bool) -> tuple[dict, list[str]]:
    """The figures, and the parts that broke: what the others found in minutes
    is not lost with one of them."""
    require_programs()
    figures, broken = {}, []
    with World() as world:
        for name in [name for name in PARTS if name in parts]:
            print(f"Measuring: {name}", file=sys.stderr, flush=True)
            try:
                found = PARTS[name](world, quick)
            except Exception:
                traceback.print_exc()
                broken.append(name)
                continue
            if found.keys() & figures.keys():
                raise RuntimeError(f"{name} has figures of other parts")
            figures |= found
    return figures, broken


def main() -> int:
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
    parser.add_argument("--svg", metavar="FILE", help="also plot the ratios")
    arguments = parser.parse_args()
    figures, broken = measure(arguments.only, arguments.quick)
    print(report.markdown(figures))
    if arguments.json:
        report.write_json(figures, arguments.json)
    if arguments.svg:
        plot.write_svg(figures, arguments.svg)
    for name in broken:
        print(f"bench: {name} broke, see above", file=sys.stderr)
    return 1 if broken else 0


sys.exit(main())
