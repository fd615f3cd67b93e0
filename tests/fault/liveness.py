"""Rules of how long service may be away, where no fault explains it."""

import collections

from facts import LOCK_WAIT, SLACK, Facts, Times, Violation, intents
from history import NEVER, SECOND, VERDICTS, History


def subtract(begin: int, end: int, cuts) -> list[tuple[int, int]]:
    """What is left of an interval without others."""
    left = []
    for cut_begin, cut_end in sorted(cuts):
        if cut_begin >= end:
            break
        if cut_end < begin:
            continue
        if cut_begin > begin:
            left.append((begin, cut_begin))
        begin = max(begin, cut_end)
    if begin < end:
        left.append((begin, end))
    return left


def excuses(history: History, place: str) -> list[tuple[int, int]]:
    """When nobody expects service at a place."""
    return sorted(
        (fault.begin, fault.end)
        for fault in list(history.faults)
        if fault.database or place in fault.places
    )


def outages(history: History, place: str, end: int):
    """Yields the intervals between two verdicts at a place."""
    returns = sorted(
        v.ret
        for v in list(history.validations)
        if v.place == place and v.outcome in VERDICTS
    )
    last = history.begin
    for ret in [*returns, end]:
        if ret > end:
            break
        yield last, ret
        last = ret


def places(history: History) -> list[str]:
    return sorted({v.place for v in list(history.validations)})


def check_service(history: History, end: int):
    """Validate is away for no longer than the lease's length and some."""
    show = Times(history)
    bound = int(history.ttl * SECOND) + SLACK
    for place in places(history):
        cuts = excuses(history, place)
        for begin, back in outages(history, place, end):
            if back - begin <= bound:
                continue
            for left_begin, left_end in subtract(begin, back, cuts):
                if left_end - left_begin > bound:
                    yield Violation(
                        "unavailable",
                        left_end,
                        f"{place} gave no verdict from {show(left_begin)} to "
                        f"{show(left_end)}, without a fault",
                    )


def check_confirmation(history: History, end: int):
    """A mutation is confirmed within the lease's length and some.

    Counted from the first attempt that had enough time for it.
    """
    show = Times(history)
    bound = int(history.ttl * SECOND) + SLACK
    by_place = collections.defaultdict(list)
    for fault in list(history.faults):
        for place in fault.places:
            by_place[place].append((fault.begin, fault.end))
    database = [
        (f.begin, f.end) for f in list(history.faults) if f.database
    ]
    servers = {m.place for m in list(history.mutations)}
    database += [
        (f.begin, min(f.end, f.begin + LOCK_WAIT))
        for f in list(history.faults)
        if servers.intersection(f.places)
    ]
    for attempts in intents(history).values():
        patient = [m for m in attempts if m.deadline > bound]
        if not patient:
            continue
        first = min(m.call for m in patient)
        confirmed = [m.ret for m in attempts if m.outcome == "OK"]
        last = min(confirmed, default=end)
        if last - first <= bound:
            continue
        cuts = list(database)
        for m in attempts:
            # The whole attempt, if its replica was out for a part of it.
            if any(
                begin <= m.ret and m.call <= stop
                for begin, stop in by_place[m.place]
            ):
                cuts.append((m.call, m.ret))
        for begin, stop in subtract(first, last, cuts):
            if stop - begin > bound:
                m = attempts[0]
                yield Violation(
                    "unconfirmed",
                    stop,
                    f"{m.kind} of token {m.token} was not confirmed from "
                    f"{show(begin)} to {show(stop)}, without a fault",
                )


def check_subscriptions(history: History, facts: Facts, end: int):
    """Whoever wants to know of a token's end is told, and not before."""
    show = Times(history)
    bound = int(history.ttl * SECOND) + SLACK
    for s in list(history.subscriptions):
        token = history.secrets[s.secret]
        who = f"{s.place} asked {show(s.asked)} for the end of token {token}"
        asked = min(
            facts.revoke_asked.get(token, NEVER),
            facts.replace_asked.get(s.secret, NEVER),
        )
        if s.told < asked:
            yield Violation(
                "told-unasked",
                s.told,
                f"{who} and was told {show(s.told)}, which was asked for "
                f"{show(asked)}",
            )
        over = min(
            facts.revoked.get(token, NEVER),
            facts.replaced.get(s.secret, NEVER),
        )
        begin = max(over, s.asked)
        told = min(s.told, s.ended, end)
        if told - begin <= bound:
            continue
        for left_begin, left_end in subtract(
            begin, told, excuses(history, s.place)
        ):
            if left_end - left_begin > bound:
                yield Violation(
                    "not-told",
                    left_end,
                    f"{who}, over {show(over)}, and was not told from "
                    f"{show(left_begin)} to {show(left_end)}",
                )
