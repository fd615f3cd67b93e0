"""A schedule of faults, drawn from a seed before the run begins."""

import contextlib
import dataclasses
import random

from faults import GROUPS, Faults, Lane

# Service is looked at without a fault that often.
_CALM_EVERY = 6
# A service's servers go and come with each release: twice as often as the rest.
_TWICE = ("hosts-lost", "rolling-restart")


@dataclasses.dataclass(frozen=True)
class Strike:
    kind: str
    seconds: float
    seed: int

    def __iter__(self):
        return iter((self.kind, self.seconds, self.seed))


@dataclasses.dataclass(frozen=True)
class Round:
    """A fault, maybe another one beside it, and a pause."""

    first: Strike
    second: Strike | None
    second_after: float
    pause: float
    # Nobody changes anything during the pause.
    is_quiet: bool = False


def kinds(
    has_clients: bool, can_fill_disks: bool, can_set_clocks: bool
) -> dict[str, list[str]]:
    """Those that can strike, by group."""
    found = {group: list(members) for group, members in GROUPS.items()}
    if not has_clients:
        del found["client"]
    if not can_fill_disks:
        found["database"].remove("disk-full")
    if not can_set_clocks:
        found["replica"].remove("wall-clock-jump")
    return found


def schedule(seed: int, ttl: float, groups: dict[str, list[str]]):
    """Yields Rounds without an end, the same for the same arguments.

    Every kind comes once, some twice, before any comes again.
    """
    rng = random.Random(f"{seed} nemesis")
    group_of = {kind: g for g, members in groups.items() for kind in members}
    everything = sorted(group_of)
    everything += [kind for kind in _TWICE if kind in group_of]
    bag = []
    number = 0

    def draw(excluded_group=None):
        nonlocal bag
        if not bag:
            bag = rng.sample(everything, len(everything))
        for i, kind in enumerate(bag):
            if group_of[kind] != excluded_group:
                return strike(bag.pop(i))
        return None

    def strike(kind):
        # Often within a lease, often longer than any.
        seconds = ttl * rng.choice(
            (rng.uniform(0.05, 0.8), rng.uniform(0.8, 1.3), rng.uniform(1.3, 2))
        )
        return Strike(kind, round(seconds, 3), rng.getrandbits(32))

    while True:
        number += 1
        first = draw()
        second = draw(group_of[first.kind]) if rng.random() < 0.6 else None
        pause = rng.uniform(0.1, 1.5)
        is_quiet = False
        if number % _CALM_EVERY == 0:
            # Every other time so long that whoever then sleeps loses its lease,
            # and is missed for longer than is allowed.
            is_quiet = number // _CALM_EVERY % 2 == 1
            pause = 2 * ttl + 4 if is_quiet else ttl + 3
        yield Round(
            first,
            second,
            round(rng.uniform(0, first.seconds), 3),
            pause,
            is_quiet,
        )


def run(rounds, system, workload):
    """Until the system stops."""
    faults = Faults(system)
    for round_ in rounds:
        if system.stop.is_set():
            return
        lane = None
        if round_.second:
            lane = Lane(faults, round_.second, round_.second_after, system.stop)
        try:
            faults.strike(*round_.first)
        finally:
            if lane:
                lane.finish()
        rest = contextlib.nullcontext()
        if round_.is_quiet:
            rest = workload.changes_rest()
        with rest:
            if system.stop.wait(round_.pause):
                return
