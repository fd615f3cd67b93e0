"""Decides whether a history kept the promises.

Pure: it looks at nothing but the history. Each rule is a function that yields
violations, in safety.py, liveness.py and reach.py; check() runs all of
them. test_checker.py plants a violation of each.
"""

import sys

import history as history_module
import liveness
import reach
import safety
from facts import Violation, gather
from history import SECOND, History


# What nothing that is recorded later can excuse. A call that has not returned,
# and a fault that has not ended, are not in the history yet.
CERTAIN = {"G1", "narrowed", "G2", "never-created", "undone"}


def check_so_far(history: History) -> list[Violation]:
    """What is certain of a run that goes on."""
    return [v for v in _verdicts(history) if v.rule in CERTAIN]


def check(history: History) -> list[Violation]:
    """Of a run that has ended."""
    facts = gather(history)
    # What is recorded only later may end what looks like an outage.
    end = min(history_module.now() - SECOND, history.end)
    found = [
        *_verdicts(history),
        *safety.check_exits(history),
        *safety.check_errors(history),
        *liveness.check_service(history, end),
        *liveness.check_confirmation(history, end),
        *liveness.check_subscriptions(history, facts, end),
    ]
    found.sort(key=lambda violation: violation.at)
    if history.final is not None:
        found += safety.check_final(history, facts)
        # Else the run was cut short.
        found += reach.check_coverage(history, reach.cover(history))
    return found


def _verdicts(history: History) -> list[Violation]:
    found = [
        *safety.check_verdicts(history, gather(history)),
        *safety.check_refusals_are_final(history),
    ]
    return sorted(found, key=lambda violation: violation.at)


def main(path):
    """Checks a history that was kept."""
    history = history_module.load(path)
    found = check(history)
    for violation in found:
        print(f"{violation.rule}: {violation.text}")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
