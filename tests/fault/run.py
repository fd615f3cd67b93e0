"""Tries to break what tokend promises: `./dev fault`.

See README.md.
"""

import argparse
import dataclasses
import os
import pathlib
import random
import sys
import threading
import time
import traceback

SOURCE = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(SOURCE / "tests" / "e2e"))

import checker  # noqa: E402
import failover  # noqa: E402
import history as history_module  # noqa: E402
import mutants  # noqa: E402
import nemesis  # noqa: E402
import summary  # noqa: E402
from database import can_mount  # noqa: E402
from facts import Violation  # noqa: E402
from system import System, kept_folder, rest_until  # noqa: E402
from workload import Workload  # noqa: E402

# How often a run that shall stop at a violation looks for one.
_LOOK_SECONDS = 5


@dataclasses.dataclass
class Options:
    """What a run is made of, but for its seed and length."""

    bin: pathlib.Path
    ttl: float = 2.0
    replicas: int = 3
    clients: int = 4
    mutators: int = 20
    validators: int = 2
    # Seconds between two lives of a mutator, and two Validates of a place.
    pace: tuple = (0.4, 0.03)
    # None for what the seed draws.
    synchronous_failover: bool | None = None
    server_flags: dict = dataclasses.field(default_factory=dict)
    # Only these kinds of faults, if there are any; none of those.
    only: tuple = ()
    without: tuple = ()
    verbose: bool = False


@dataclasses.dataclass
class Result:
    seed: int
    violations: list[Violation]
    # Since the run began, of the first violation.
    seconds: float
    lines: list[str]
    # What is left of a failure.
    folder: pathlib.Path | None = None

    @property
    def ok(self) -> bool:
        return not self.violations


def run(
    seed: int,
    minutes: float,
    bin_dir=None,
    stop_at_first_violation=False,
    options: Options | None = None,
) -> Result:
    """One run; raises if the harness itself fails."""
    options = dataclasses.replace(options or Options(bin_dir))
    if bin_dir is not None:
        options.bin = pathlib.Path(bin_dir)
    if options.synchronous_failover is None:
        options.synchronous_failover = random.Random(seed).random() < 0.5
    parent = SOURCE / "build" / "fault"
    parent.mkdir(parents=True, exist_ok=True)
    with kept_folder(parent, f"seed-{seed}") as kept:
        with System(options, kept.folder) as system:
            found = _live_through(
                seed, minutes, system, options, stop_at_first_violation
            )
            lines = summary.lines(system, options, seed)
        system.history.save(kept.folder / "history.jsonl.gz")
        kept.keep = bool(found)
    first = min((v.at for v in found), default=system.history.end)
    return Result(
        seed,
        found,
        (min(first, system.history.end) - system.history.begin) / 1e9,
        lines,
        kept.folder if found else None,
    )


def _live_through(seed, minutes, system, options, stop_at_first):
    history = system.history
    groups = nemesis.kinds(
        bool(options.clients), can_mount(), bool(system.wall_clock)
    )
    groups = {
        group: [
            kind
            for kind in members
            if kind not in options.without
            and (not options.only or kind in options.only)
        ]
        for group, members in groups.items()
    }
    workload = Workload(
        seed, history, system.replicas, system.clients, options.pace
    )
    workload.start(options.mutators, options.validators)
    # There is something to break before it begins.
    time.sleep(1)
    errors = []
    thread = threading.Thread(
        target=_run_nemesis,
        args=(seed, groups, system, workload, errors),
        daemon=True,
    )
    thread.start()
    deadline = time.monotonic() + minutes * 60
    found = []
    while not found and not errors:
        step = min(deadline, time.monotonic() + _LOOK_SECONDS)
        if rest_until(step, system.stop) or step == deadline:
            break
        if stop_at_first:
            found = checker.check_so_far(history)
    system.stop.set()
    thread.join()
    if errors:
        workload.stop(0)
        workload.close()
        raise errors[0]
    if found:
        workload.stop(0)
    else:
        found = _finish(system, workload)
    workload.close()
    history.end = min(history.end, history_module.now())
    return found


def _run_nemesis(seed, groups, system, workload, errors):
    try:
        nemesis.run(seed, system.history.ttl, groups, system, workload)
    except Exception as error:
        errors.append(error)
        system.stop.set()


def _finish(system, workload):
    """Service has to be back, and everything acknowledged to be there."""
    history = system.history
    system.say("no more faults")
    # Without faults for once longer than anything may take.
    time.sleep(history.ttl + 3)
    workload.stop(history.ttl + 8)
    missing = []
    try:
        system.wait_until_ready(15)
    except AssertionError as error:
        missing.append(
            Violation("unavailable", history_module.now(), str(error))
        )
    history.end = history_module.now()
    workload.sweep()
    history.final = system.final_state()
    return missing + checker.check(history)


def report(result: Result):
    for line in result.lines:
        print(line)
    for violation in result.violations[:20]:
        print(f"  {violation.rule}: {violation.text}")
    if result.ok:
        print(f"fault: OK seed {result.seed}")
    else:
        print(f"  history and logs: {result.folder}")
        rules = sorted({v.rule for v in result.violations})
        print(
            f"fault: VIOLATION seed {result.seed}: "
            f"{len(result.violations)} of {', '.join(rules)}"
        )


def parse(arguments) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="./dev fault", description="Tries to break what tokend promises."
    )
    parser.add_argument("--minutes", type=float, default=2.0)
    parser.add_argument("--seed", type=int, help="default: drawn, and printed")
    parser.add_argument(
        "--bin",
        type=pathlib.Path,
        default=os.environ.get("TOKEND_BIN_DIR")
        or SOURCE / "build" / "dev" / "bin",
        help="where the executables are",
    )
    parser.add_argument("--clients", type=int, default=4)
    parser.add_argument("--lease-ttl", type=float, default=2.0, metavar="S")
    parser.add_argument(
        "--only",
        action="append",
        default=[],
        metavar="KIND",
        help="faults of this kind only; may be repeated",
    )
    parser.add_argument(
        "--without",
        action="append",
        default=[],
        metavar="KIND",
        help="no faults of this kind; may be repeated",
    )
    parser.add_argument(
        "--mutants",
        action="store_true",
        help="run each of build/mutants-server with seeds drawn now",
    )
    parser.add_argument(
        "--failovers",
        action="store_true",
        help="measure what callers see of failovers of 5 to 60 s, instead",
    )
    parser.add_argument("names", nargs="*", help="of mutants")
    parser.add_argument(
        "--verbose", action="store_true", help="print faults as they come"
    )
    return parser.parse_args(arguments)


def main(arguments) -> int:
    flags = parse(arguments)
    # A Validate that follows a Revoke shall not wait for another thread.
    sys.setswitchinterval(0.001)
    options = Options(
        pathlib.Path(flags.bin),
        ttl=flags.lease_ttl,
        clients=flags.clients,
        only=tuple(flags.only),
        without=tuple(flags.without),
        verbose=flags.verbose,
    )
    if flags.failovers:
        return failover.main(options, SOURCE)
    if flags.mutants:
        return mutants.main(run, options, SOURCE, flags.names)
    seed = flags.seed
    if seed is None:
        seed = random.SystemRandom().randrange(1_000_000)
    print(f"fault: seed {seed}", flush=True)
    try:
        result = run(seed, flags.minutes, options=options)
    except Exception:
        traceback.print_exc(file=sys.stdout)
        print("fault: BROKEN: the harness failed, which says nothing")
        return 2
    report(result)
    return 0 if result.ok else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
