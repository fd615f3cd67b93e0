"""What a run has to say for itself."""

import collections

import liveness
import reach
import safety
from history import NEVER, SECOND, VERDICTS


def lines(system, options, seed) -> list[str]:
    history = system.history
    out = [
        f"seed {seed}, {(history.end - history.begin) / SECOND:.0f} s, "
        f"{options.replicas} replicas, {options.clients} caching clients, "
        f"lease {options.ttl:g} s, synchronous failover "
        f"{'declared' if options.synchronous_failover else 'not declared'}"
    ]
    out += _mutations(history)
    out += _validations(history)
    out += _faults(history)
    out += _service(history)
    out += _latencies(history)
    out += _coverage(history)
    for client in system.clients:
        stats = client.stats()
        shown = " ".join(f"{k}={v}" for k, v in stats.items())
        out.append(f"client {client.place}: {shown}")
    return out


def _mutations(history):
    counts = collections.defaultdict(collections.Counter)
    for m in list(history.mutations):
        counts[m.kind][m.outcome or "unfinished"] += 1
    yield "mutations, by outcome"
    for kind, outcomes in counts.items():
        yield f"  {kind:8}" + _counts(outcomes)
    stale = sum(
        safety.is_stale_refusal(history, m) for m in list(history.mutations)
    )
    yield f"refused by what a deposed primary knew: {stale}"


def _validations(history):
    counts = collections.defaultdict(collections.Counter)
    cached = collections.Counter()
    for v in list(history.validations):
        counts[v.place][v.outcome] += 1
        cached[v.place] += v.cached
    yield "Validate, by outcome"
    for place in sorted(counts):
        line = f"  {place:8}" + _counts(counts[place])
        if cached[place]:
            line += f" (from the cache: {cached[place]})"
        yield line


def _counts(counter):
    return " ".join(f"{name} {n}" for name, n in sorted(counter.items()))


def _faults(history):
    struck = collections.defaultdict(list)
    for fault in list(history.faults):
        if fault.end < NEVER:
            struck[fault.kind].append((fault.end - fault.begin) / SECOND)
    yield "faults"
    for kind in sorted(struck):
        lengths = struck[kind]
        yield f"  {kind:26}{len(lengths):4}  {sum(lengths):6.1f} s"
    codes = collections.Counter(
        f"{each.code}{'' if each.expected else ' unasked'}"
        for each in list(history.exits)
    )
    yield "exits by code: " + (_counts(codes) or "none")


def _service(history):
    """The longest times without a verdict."""
    yield "longest time without service, and without one outside of faults"
    for place in liveness.places(history):
        cuts = liveness.excuses(history, place)
        longest = outside = 0
        for begin, back in liveness.outages(history, place, history.end):
            longest = max(longest, back - begin)
            for left_begin, left_end in liveness.subtract(begin, back, cuts):
                outside = max(outside, left_end - left_begin)
        yield (
            f"  {place:8}{longest / SECOND:8.2f} s {outside / SECOND:8.2f} s"
        )


def _latencies(history):
    any_fault = reach.Timeline(
        (f.begin, f.end) for f in list(history.faults) if f.end < NEVER
    )
    calm, rough = [], []
    for m in list(history.mutations):
        if m.kind == "revoke" and m.outcome == "OK":
            among = rough if any_fault.covers(m.call, m.ret) else calm
            among.append((m.ret - m.call) / 1e6)
    yield "Revoke, ms: p50, p99, longest"
    for name, found in (("calm", calm), ("in faults", rough)):
        found.sort()
        if found:
            yield (
                f"  {name:10}{found[len(found) // 2]:8.1f} "
                f"{found[len(found) * 99 // 100]:8.1f} {found[-1]:8.1f}"
                f"  of {len(found)}"
            )


def _coverage(history):
    covered = reach.cover(history)
    with_verdict = sum(
        v.outcome in VERDICTS for v in list(history.validations)
    )
    yield (
        f"Validates with a verdict: {with_verdict} of "
        f"{len(history.validations)}; outside of faults "
        f"{covered.outside_with_verdict} of {covered.outside}"
    )
    yield (
        f"Revokes that returned OK in a fault: {covered.revokes_in_fault}; "
        f"followed everywhere at once: {covered.revokes_followed}, "
        f"wanted: {reach.wanted_revokes(history)}"
    )
