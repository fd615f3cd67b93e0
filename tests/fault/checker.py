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


def check_so_far(history: History) -> list[Violation]:
    """What can be said of a run that goes on."""
    facts = gather(history)
    # What is recorded only later may end what looks like an outage.
    end = min(history_module.now() - SECOND, history.end)
    found = [
        *safety.check_verdicts(history, facts),
        *safety.check_refusals_are_final(history),
        *safety.check_exits(history),
        *safety.check_errors(history),
        *liveness.check_service(history, end),
        *liveness.check_confirmation(history, end),
        *liveness.check_subscriptions(history, facts, end),
    ]
    return sorted(found, key=lambda violation: violation.at)


def check(history: History) -> list[Violation]:
    """Of a run that has ended."""
    found = check_so_far(history)
    if history.final is not None:
        found += safety.check_final(history, gather(history))
        # Else the run was cut short.
        found += reach.check_coverage(
            history, reach.cover(history)
        )
    return found


def main(path):
    """Checks a history that was kept."""
    history = history_module.load(path)
    found = check(history)
    for violation in found:
        print(f"{violation.rule}: {violation.text}")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
