"""A schedule of faults, drawn from a seed before the run begins."""

import contextlib
import dataclasses
import itertools
import random
import threading
import time
from collections.abc import Iterator

from faults import GROUPS, Faults

# Which groups' faults come one after another. Those of different lanes come
# beside each other.
_DATABASE = ("network", "database")
_LANES = (("replica",), ("client", "clock"), _DATABASE)
# How often kinds come that come more often than the rest: a service's servers
# go and come with each release, and networks fail more often than what they
# connect.
_WEIGHTS = {
    "hosts-lost": 3,
    "rolling-restart": 3,
    "replica-stop": 2,
    "client-stutter": 2,
    "database-cut-both": 3,
    "database-cut-to": 3,
    "database-cut-from": 2,
}
# For how many leases' lengths faults come, before service is looked at without.
_EPISODE_TTLS = 8
# In one episode of so many the database is left alone: while it is away or slow,
# servers do not come back, and changes are not confirmed, which hides much.
_DATABASE_RESTS_EVERY = 3


@dataclasses.dataclass(frozen=True)
class Strike:
    kind: str
    seconds: float
    seed: int
    # Before the next one of its lane.
    pause: float


@dataclasses.dataclass(frozen=True)
class Calm:
    """A time without faults."""

    seconds: float
    # Nobody changes anything meanwhile.
    is_quiet: bool


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
        del found["clock"]
    return found


def lanes(
    seed: int, ttl: float, groups: dict[str, list[str]]
) -> dict[tuple[str, ...], Iterator[Strike]]:
    """The strikes of each lane, without an end, the same for the same
    arguments."""
    found = {}
    for lane in _LANES:
        members = [kind for group in lane for kind in groups.get(group, ())]
        if members:
            rng = random.Random(f"{seed} {lane}")
            found[lane] = _strikes(rng, ttl, members)
    return found


def episodes(
    strikes: dict[tuple[str, ...], Iterator[Strike]],
) -> Iterator[list[Iterator[Strike]]]:
    """The lanes that strike in each of them."""
    others = [lane for groups, lane in strikes.items() if groups != _DATABASE]
    for number in itertools.count(1):
        rests = number % _DATABASE_RESTS_EVERY == 0
        yield others if rests and others else list(strikes.values())


def _strikes(rng, ttl, members):
    """Every kind as often as its weight says, before any comes again."""
    everything = [kind for kind in members for _ in range(weight(kind))]
    while True:
        for kind in rng.sample(everything, len(everything)):
            # Often within a lease, often longer than any.
            seconds = ttl * rng.choice(
                (
                    rng.uniform(0.05, 0.8),
                    rng.uniform(0.8, 1.3),
                    rng.uniform(1.3, 2),
                )
            )
            yield Strike(
                kind,
                round(seconds, 3),
                rng.getrandbits(32),
                round(rng.uniform(0.1, 1.5), 3),
            )


def weight(kind: str) -> int:
    return _WEIGHTS.get(kind, 1)


def calms(ttl: float) -> Iterator[Calm]:
    """Every other one so long that whoever then sleeps loses its lease, and is
    missed for longer than is allowed."""
    while True:
        yield Calm(2 * ttl + 4, is_quiet=True)
        yield Calm(ttl + 3, is_quiet=False)


def run(seed, ttl, groups, system, workload):
    """Until the system stops."""
    faults = Faults(system)
    striking = episodes(lanes(seed, ttl, groups))
    for calm, active in zip(calms(ttl), striking):
        end = time.monotonic() + _EPISODE_TTLS * ttl
        threads = [Lane(faults, lane, end, system.stop) for lane in active]
        for thread in threads:
            thread.join()
        for thread in threads:
            if thread.error is not None:
                raise thread.error
        rest = contextlib.nullcontext()
        if calm.is_quiet:
            rest = workload.changes_rest()
        with rest:
            if system.stop.wait(calm.seconds):
                return


class Lane(threading.Thread):
    """Strikes one after another until `end`, beside other lanes."""

    def __init__(self, faults, strikes, end, stop):
        super().__init__(daemon=True)
        self._faults = faults
        self._strikes = strikes
        self._end = end
        self._stop_event = stop
        self.error = None
        self.start()

    def run(self):
        try:
            while time.monotonic() < self._end:
                strike = next(self._strikes)
                self._faults.strike(strike.kind, strike.seconds, strike.seed)
                if self._stop_event.wait(strike.pause):
                    return
        except Exception as error:  # For the other thread to raise.
            self.error = error
            self._stop_event.set()
