"""What callers see of failovers, at the default lease.

The primary is killed, and its synchronous standby promoted some time later.
"""

import dataclasses
import time

import checker
import history as history_module
import liveness
from history import Fault
from system import System, kept_folder
from workload import Workload

DEFAULT_TTL = 30.0
LENGTHS = (5, 15, 30, 60)


def main(options, source) -> int:
    options = dataclasses.replace(
        options, ttl=DEFAULT_TTL, synchronous_failover=False
    )
    parent = source / "build" / "fault"
    parent.mkdir(parents=True, exist_ok=True)
    print(f"lease {DEFAULT_TTL:g} s; seconds without Validate and changes")
    with kept_folder(parent, "failovers") as kept:
        with System(options, kept.folder) as system:
            found = _measure(system, options)
        system.history.save(kept.folder / "history.jsonl.gz")
        kept.keep = bool(found)
    for violation in found[:20]:
        print(f"  {violation.rule}: {violation.text}")
    if found:
        print(f"  history and logs: {kept.folder}")
        print(f"fault: VIOLATION {len(found)} in failovers")
        return 1
    print("fault: OK failovers lost nothing")
    return 0


def _measure(system, options):
    history = system.history
    workload = Workload(
        1, history, system.replicas, system.clients, options.pace
    )
    workload.start(options.mutators, options.validators, lulls=False)
    time.sleep(3)
    for seconds in LENGTHS:
        begun = history_module.now()
        fault = Fault("promotion-after-crash", begun, database=True)
        history.add(fault)
        system.database.primary.stop("immediate")
        time.sleep(seconds)
        system.database.promote()
        system.database.retire()
        fault.end = history_module.now()
        # Until every wait of the old timeline is over.
        time.sleep(options.ttl + 5)
        _report(history, seconds, begun)
        system.database.add_standby()
        time.sleep(3)
    workload.stop(options.ttl + 8)
    system.wait_until_ready(15)
    history.end = history_module.now()
    workload.sweep()
    workload.close()
    history.final = system.final_state()
    # How much a run has to do is not asked here.
    found = checker.check(history)
    return [v for v in found if v.rule != "proves-nothing"]


def _report(history, seconds, begun):
    now = history_module.now()
    longest = {
        place: max(
            end - max(begin, begun)
            for begin, end in liveness.outages(history, place, now)
            if end > begun
        )
        / 1e9
        for place in liveness.places(history)
    }
    shown = "  ".join(f"{place} {away:5.2f}" for place, away in longest.items())
    confirmed = sorted(
        m.ret
        for m in list(history.mutations)
        if m.outcome == "OK" and m.ret > begun
    )
    ends = [*confirmed, now]
    gap = max(b - a for a, b in zip([begun, *confirmed], ends))
    print(
        f"  failover of {seconds:2} s: Validate {shown}; "
        f"changes {gap / 1e9:.2f}",
        flush=True,
    )
