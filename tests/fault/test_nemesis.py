"""The schedule is the seed's, and lets every kind strike."""

import collections
import itertools

import faults
import nemesis

EVERYTHING = nemesis.kinds(True, True, True)


def first(count, seed, groups=None):
    rounds = nemesis.schedule(seed, 3, groups or EVERYTHING)
    return list(itertools.islice(rounds, count))


def test_a_seed_gives_one_schedule():
    assert first(50, 1) == first(50, 1)
    assert first(50, 1) != first(50, 2)


def test_every_kind_strikes_about_as_often_as_it_should():
    counts = collections.Counter()
    for round_ in first(200, 3):
        counts[round_.first.kind] += 1
        if round_.second:
            counts[round_.second.kind] += 1
    assert set(counts) == {k for kinds in EVERYTHING.values() for k in kinds}
    for kind in ("hosts-lost", "rolling-restart"):
        counts[kind] /= 2
    assert max(counts.values()) - min(counts.values()) <= 2


def test_two_of_a_group_never_strike_at_once():
    group_of = {k: g for g, kinds in EVERYTHING.items() for k in kinds}
    both = [r for r in first(200, 4) if r.second]
    assert len(both) > 40
    for round_ in both:
        assert group_of[round_.first.kind] != group_of[round_.second.kind]


def test_without_clients_nothing_strikes_them():
    groups = nemesis.kinds(
        has_clients=False, can_fill_disks=False, can_set_clocks=False
    )
    kinds = {r.first.kind for r in first(100, 5, groups)}
    assert not [kind for kind in kinds if kind.startswith("client-")]
    assert not kinds & {"disk-full", "wall-clock-jump"}


def test_every_kind_is_there():
    for kinds in EVERYTHING.values():
        for kind in kinds:
            assert hasattr(faults.Faults, "_" + kind.replace("-", "_"))
