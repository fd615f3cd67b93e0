"""Whether a run proves anything."""

import bisect
import collections
import dataclasses

from facts import SLACK, Violation
from history import NEVER, SECOND, VERDICTS, History
from liveness import places

# A Validate follows a Revoke at once if it is sent that soon.
AT_ONCE = 50_000_000
# Of the Validates outside faults, how many must get a verdict.
WANTED_VERDICTS = 0.9
# Revokes that returned OK during a fault and were followed at once.
WANTED_REVOKES_PER_MINUTE = 10
MOST_WANTED_REVOKES = 200
# In a long run each kind of fault has to come that often.
LONG_RUN = 19 * 60 * SECOND
WANTED_FAULTS_OF_A_KIND = 5


class Timeline:
    """Says whether some fault was in force at a time."""

    def __init__(self, intervals):
        merged = []
        for begin, end in sorted(intervals):
            if merged and begin <= merged[-1][1]:
                merged[-1][1] = max(merged[-1][1], end)
            else:
                merged.append([begin, end])
        self._begins = [begin for begin, _ in merged]
        self._ends = [end for _, end in merged]

    def covers(self, begin: int, end: int) -> bool:
        """Whether some of them overlaps with an interval."""
        i = bisect.bisect_right(self._begins, end) - 1
        return i >= 0 and self._ends[i] >= begin


@dataclasses.dataclass
class Coverage:
    """What a run did."""

    outside: int = 0
    outside_with_verdict: int = 0
    revokes_in_fault: int = 0
    revokes_followed: int = 0
    faults: collections.Counter = dataclasses.field(
        default_factory=collections.Counter
    )


def cover(history: History) -> Coverage:
    coverage = Coverage()
    recovery = int(history.ttl * SECOND) + SLACK
    faults = [f for f in list(history.faults) if f.end < NEVER]
    by_place = {
        place: Timeline(
            (f.begin, f.end + recovery)
            for f in faults
            if f.database or place in f.places or place in f.unreachable
        )
        for place in places(history)
    }
    followers = collections.defaultdict(set)
    mutations = history.mutations
    for v in list(history.validations):
        if v.ret < NEVER and not by_place[v.place].covers(v.call, v.ret):
            coverage.outside += 1
            coverage.outside_with_verdict += v.outcome in VERDICTS
        if v.follows >= 0 and v.call - mutations[v.follows].ret <= AT_ONCE:
            followers[v.follows].add(v.place)
    any_fault = Timeline((f.begin, f.end) for f in faults)
    everywhere = set(places(history))
    for i, m in enumerate(list(mutations)):
        if m.kind != "revoke" or m.outcome != "OK":
            continue
        if not any_fault.covers(m.ret, m.ret):
            continue
        coverage.revokes_in_fault += 1
        away = {
            place
            for f in faults
            if f.is_in_force(m.ret)
            for place in f.unreachable
        }
        coverage.revokes_followed += everywhere - away <= followers[i]
    coverage.faults.update(f.kind for f in faults)
    return coverage


def wanted_revokes(history: History) -> int:
    minutes = (history.end - history.begin) / SECOND / 60
    return int(
        min(MOST_WANTED_REVOKES, max(1, WANTED_REVOKES_PER_MINUTE * minutes))
    )


def check_coverage(history: History, coverage: Coverage):
    def missing(text):
        return Violation("proves-nothing", history.end, text)

    wanted = wanted_revokes(history)
    if coverage.revokes_followed < wanted:
        yield missing(
            f"{coverage.revokes_followed} revokes returned OK during a fault "
            f"and were followed at once, want {wanted}"
        )
    if (
        not coverage.outside
        or coverage.outside_with_verdict / coverage.outside < WANTED_VERDICTS
    ):
        yield missing(
            f"{coverage.outside_with_verdict} of {coverage.outside} Validates "
            f"outside of faults got a verdict, want {WANTED_VERDICTS:.0%}"
        )
    if history.end - history.begin >= LONG_RUN:
        for kind, count in coverage.faults.items():
            if count < WANTED_FAULTS_OF_A_KIND:
                yield missing(
                    f"{kind} came {count} times, want "
                    f"{WANTED_FAULTS_OF_A_KIND}"
                )
