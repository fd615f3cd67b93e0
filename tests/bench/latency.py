"""Latency, counted from when a call was due, by open_loop.

The load generator and PostgreSQL have the machine's processors in common with
the server, so that latencies are longer than a server alone would have, and the
highest throughput is that of all together. Both are so for the empty rpc, too:
what means something are the ratios.
"""

import contextlib
import itertools
import statistics

from measuring import cpu_seconds, spread
from messages import EMPTY, VALIDATE, field, validate_request
from open_loop import Generator

REVOKE = "/wemasy.tokens.v1.TokenService/RevokeToken"

# Parts of the highest throughput.
LOADS = {"quarter_load": 0.25, "half_load": 0.5, "80_load": 0.8}

# A run does not count if one call in a hundred was sent later than that, and
# later than a part of what one in a hundred took, or if less was answered than
# was due: what it then measures is the generator.
MOST_LATE_US = 1000
MOST_LATE_OF_P99 = 1 / 3
LEAST_ANSWERED = 0.95
TRIES = 15

# A wave of leaked tokens; or what the database can commit, with some room.
REVOKES_PER_SECOND = 200
MOST_OF_COMMITS = 0.8
# Tokens for them, more than twice as many as a minute takes, as rounds may be
# repeated.
SEED = """
INSERT INTO projects (id) VALUES ('bench-revoked');
INSERT INTO tokens (id, project, display_name, description, scopes, metadata,
  creator, create_time, expire_time, hint, revision)
SELECT gen_random_uuid(), 'bench-revoked', 'token ' || i, '', '{pages:read}',
  '{}', 'user-' || i % 1000, now(), 'infinity', 'abcd', 1
FROM generate_series(1, 26000) i;
INSERT INTO token_digests (digest, version, token_id, is_current, ends_at)
SELECT sha256(uuid_send(id)), 1, id, true, 'infinity' FROM tokens
WHERE project = 'bench-revoked';
ANALYZE;
"""


def measure(world, quick: bool) -> dict:
    world.cluster.sql(world.database, SEED)
    with world.tokend() as server:
        return measure_server(world, server, quick)


def measure_server(world, server, quick: bool) -> dict:
    with server.client() as client:
        secret = client.create("bench", scopes=["pages:read"]).secret
    check_valid(server, secret)
    empty = Generator(server.target, EMPTY, world.folder)
    empty.write([b""])
    validate = Generator(server.target, VALIDATE, world.folder)
    validate.write([validate_request(secret)])
    most = statistics.median(
        validate.closed(in_flight=64, calls=20_000 if quick else 60_000)[
            "throughput"
        ]
        for _ in range(3)
    )
    figures = {"open_loop_highest_throughput": most}
    # Many and short: what p99 of a second is depends on whether the machine
    # stopped in it.
    rounds, seconds = (7, 0.5) if quick else (31, 1)
    for name, part in LOADS.items():
        figures.update(
            compare_at(
                name, part * most, validate, empty, server, rounds, seconds
            )
        )
    figures.update(first_calls(validate, empty, quick))
    figures.update(
        revokes_under_load(
            world, server, validate, LOADS["half_load"] * most, quick
        )
    )
    check_valid(server, secret)
    return figures


def check_valid(server, secret: str):
    """open_loop looks at the calls' status only."""
    with server.client() as client:
        verdict = client.verdict(secret)
    if verdict != "VALID":
        raise RuntimeError(f"the token to measure with is {verdict}")


def counts(run: dict, rate: float) -> bool:
    """Whether an open run measured the server, and not the generator."""
    return (
        run["late_p99_us"]
        <= max(MOST_LATE_US, MOST_LATE_OF_P99 * run["p99_us"])
        and run["throughput"] >= LEAST_ANSWERED * rate
    )


def rounds_that_count(take_round, rounds: int, rate: float) -> list:
    """take_round(index) for each of them, repeated until all its runs count;
    it returns a dictionary of runs."""
    results = []
    for index in range(rounds):
        for _ in range(TRIES):
            runs = take_round(index)
            if all(counts(run, rate) for run in runs.values()):
                results.append(runs)
                break
        else:
            raise RuntimeError(
                f"at {rate:.0f} calls a second, {TRIES} rounds in succession"
                f" came too late, the last one by {runs}; is this machine busy?"
            )
    return results


def compare_at(name, rate, validate, empty, server, rounds, seconds) -> dict:
    loads = {"validate": validate, "empty": empty}

    def cpu():
        return cpu_seconds(server.process.pid)

    def take_round(index):
        # Who comes first changes; both are called at the same times.
        return {
            load: loads[load].open_with_cpu(cpu, rate, seconds, index + 1)
            for load in sorted(loads, reverse=index % 2 == 1)
        }

    results = rounds_that_count(take_round, rounds, rate)
    figures = {}
    for part, key in (
        ("p50", "p50_us"),
        ("p99", "p99_us"),
        ("cpu", "cpu_us"),
    ):
        for load in loads:
            figures[f"{load}_{key}_{name}"] = statistics.median(
                runs[load][key] for runs in results
            )
        ratios = [
            runs["validate"][key] / runs["empty"][key] for runs in results
        ]
        figures.update(spread(f"{part}_vs_empty_{name}", ratios))
    # The generator's part in it.
    figures[f"sent_late_p99_us_{name}"] = statistics.median(
        run["late_p99_us"] for runs in results for run in runs.values()
    )
    return figures


def first_calls(validate, empty, quick: bool) -> dict:
    """Calls after a time without any."""
    rounds, calls = (2, 10) if quick else (10, 20)
    # Mostly Validate, as each call takes more than a second.
    loads = {"": (validate, calls), "_empty": (empty, calls // 4)}
    results = {name: [] for name in loads}
    for index in range(rounds):
        for name, (load, count) in loads.items():
            results[name].append(load.idle(count, seed=index + 1))
    figures = {}
    for name, runs in results.items():
        figures[f"idle_first{name}_call_p50_us"] = statistics.median(
            run["p50_us"] for run in runs
        )
        figures[f"idle_first{name}_call_max_us"] = max(
            run["max_us"] for run in runs
        )
    return figures


def revokes_under_load(world, server, validate, rate, quick) -> dict:
    """Validate while tokens are revoked, and while none is."""
    slices, seconds = (6, 2) if quick else (6, 10)
    wave = Wave(world, server)
    most = wave.highest_throughput()
    wave_rate = min(REVOKES_PER_SECOND, MOST_OF_COMMITS * most)
    waves = []

    def with_revokes(seed):
        with wave.going_on(wave_rate, seconds, seed) as seen_of_wave:
            seen = validate.open(rate, seconds, seed)
        waves.append(seen_of_wave)
        return seen

    def without(seed):
        return validate.open(rate, seconds, seed)

    kinds = {"with": with_revokes, "without": without}

    def take_round(index):
        return {
            kind: kinds[kind](seed=index + 1)
            for kind in sorted(kinds, reverse=index % 2 == 1)
        }

    results = rounds_that_count(take_round, slices, rate)
    wave.check()
    return {
        "revokes_per_second_highest": most,
        "revokes_per_second": statistics.median(
            run["throughput"] for run in waves
        ),
        "revoke_under_load_p50_us": statistics.median(
            run["p50_us"] for run in waves
        ),
        "revoke_under_load_p99_us": statistics.median(
            run["p99_us"] for run in waves
        ),
        **spread(
            "p99_with_revokes_vs_without",
            [
                runs["with"]["p99_us"] / runs["without"]["p99_us"]
                for runs in results
            ],
        ),
    }


class Wave:
    """Revokes, each of another token."""

    def __init__(self, world, server):
        self._world = world
        self._generator = Generator(server.target, REVOKE, world.folder)
        with server.client() as client:
            tokens = client.list_all("bench-revoked", page_size=1000)
        self._names = iter([token.name for token in tokens])
        self._answered = 0

    def highest_throughput(self) -> float:
        calls = 1000
        self._prepare(calls)
        seen = self._generator.closed(in_flight=16, calls=calls)
        self._answered += calls
        return seen["throughput"]

    @contextlib.contextmanager
    def going_on(self, rate: float, seconds: float, seed: int):
        """Beside what the context does. It yields a dictionary, which is
        filled in the end."""
        # Arrivals are random: there may be more than the mean.
        self._prepare(int(rate * seconds * 1.2) + 50)
        with self._generator.opened(rate, seconds, seed) as seen:
            yield seen
        self._answered += seen["answered"]

    def check(self):
        """Revokes that did nothing would cost nothing."""
        revoked = int(
            self._world.cluster.sql(
                self._world.database,
                "SELECT count(*) FROM tokens WHERE project = 'bench-revoked'"
                " AND revoke_time IS NOT NULL",
            )
        )
        if revoked != self._answered:
            raise RuntimeError(
                f"{revoked} tokens are revoked, want {self._answered}"
            )

    def _prepare(self, count: int):
        names = list(itertools.islice(self._names, count))
        if len(names) < count:
            raise RuntimeError("no tokens are left to revoke")
        self._generator.write(
            field(1, name) + field(2, "bench") for name in names
        )
