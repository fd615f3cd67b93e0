"""The schedule is the seed's, and lets every kind strike."""

import collections
import itertools

import faults
import nemesis

EVERYTHING = nemesis.kinds(True, True, True)
GROUP_OF = {kind: g for g, kinds in EVERYTHING.items() for kind in kinds}


def first(count, seed, groups=None):
    """The strikes of each lane."""
    return [
        list(itertools.islice(lane, count))
        for lane in nemesis.lanes(seed, 3, groups or EVERYTHING).values()
    ]


def test_a_seed_gives_one_schedule():
    assert first(50, 1) == first(50, 1)
    assert first(50, 1) != first(50, 2)


def test_every_kind_strikes_as_often_as_its_weight_says():
    struck = set()
    for lane in first(200, 3):
        counts = collections.Counter(strike.kind for strike in lane)
        struck |= set(counts)
        shares = [count / nemesis.weight(kind) for kind, count in counts.items()]
        assert max(shares) - min(shares) <= 1
    assert struck == set(GROUP_OF)


def test_two_of_a_group_never_strike_at_once():
    lanes = [{GROUP_OF[strike.kind] for strike in lane} for lane in first(100, 4)]
    assert len(lanes) > 2
    for one, other in itertools.combinations(lanes, 2):
        assert not one & other


def test_now_and_then_the_database_is_left_alone():
    lanes = nemesis.lanes(4, 3, EVERYTHING)
    (database,) = [lane for groups, lane in lanes.items() if "database" in groups]
    episodes = list(itertools.islice(nemesis.episodes(lanes), 9))
    assert sum(database in active for active in episodes) == 6
    assert all(len(active) >= 2 for active in episodes)


def test_what_strikes_alone_strikes_in_every_episode():
    lanes = nemesis.lanes(4, 3, {"database": ["disk-full"]})
    for active in itertools.islice(nemesis.episodes(lanes), 5):
        assert len(active) == 1


def test_without_clients_nothing_strikes_them():
    groups = nemesis.kinds(
        has_clients=False, can_fill_disks=False, can_set_clocks=False
    )
    kinds = {strike.kind for lane in first(100, 5, groups) for strike in lane}
    assert not [kind for kind in kinds if kind.startswith("client-")]
    assert not kinds & {"disk-full", "wall-clock-jump"}
    assert kinds


def test_every_kind_is_there():
    for kinds in EVERYTHING.values():
        for kind in kinds:
            assert hasattr(faults.Faults, "_" + kind.replace("-", "_"))
