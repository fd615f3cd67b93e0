"""Validate beside what users would build instead: a service that asks
PostgreSQL or Redis on each call, and one that remembers answers for a minute.

CPU time is that of all that takes part: the service, and its PostgreSQL with
all processes or its Redis. tokend's PostgreSQL counts for Validate.

A cache's cost depends on how often the same token comes again, which is each
user's own; so both ends are measured. Here is one token all the time, which a
cache always has; "distinct" is another token with each call, which it never
has. h2load sends one request only, so the latter is by ghz.
"""

import contextlib
import dataclasses
import itertools
import time
from collections.abc import Callable

import grpc
from harness.ports import free_port
from loads import GhzLoad, Load, medians, ratios
from measuring import cpu_seconds, family_cpu_seconds, take_turns
from messages import EMPTY, LOOKUP, VALIDATE, field
from redis import Redis
from tokens import expect_verdicts, unissued_secrets
from world import World, running

# Validate, with tokend's PostgreSQL.
WHOLE = "validate_whole"
CACHE_SECONDS = 60
DISTINCT = 100_000
# tokend writes last uses this often, and somewhat later.
USAGE_SECONDS = 32

INSERT = """
CREATE TEMPORARY TABLE s (secret text, id uuid DEFAULT gen_random_uuid());
COPY s (secret) FROM STDIN;
{secrets}
\\.
INSERT INTO projects (id) VALUES ('bench-lookups');
INSERT INTO tokens (id, project, display_name, description, scopes, metadata,
  creator, create_time, expire_time, hint, revision)
SELECT id, 'bench-lookups', 'token', '', '{{pages:read}}', '{{}}', 'user-1',
  now(), 'infinity', right(secret, 4), 1 FROM s;
INSERT INTO token_digests (digest, version, token_id, is_current, ends_at)
SELECT sha256(secret::bytea), 1, id, true, 'infinity' FROM s;
VACUUM ANALYZE;
"""
COUNT = "SELECT count(*) FROM tokens WHERE project = 'bench-lookups'"
REDIS_PAIRS = """
SELECT 'token:' || encode(d.digest, 'hex'), 'projects/' || t.project ||
  '/tokens/' || t.id || ' ' || array_to_string(t.scopes, ' ')
FROM token_digests d JOIN tokens t ON t.id = d.token_id
"""
SELECTS = """
SELECT idx_scan FROM pg_stat_user_indexes
WHERE indexrelname = 'token_digests_pkey'
"""
USED = """
SELECT count(*) FROM token_usage u JOIN tokens t ON t.id = u.token_id
WHERE t.project = 'bench-lookups'
"""


@dataclasses.dataclass(frozen=True)
class Service:
    """An rpc that decides on a secret, and the CPU time spent for it so far."""

    target: str
    cpu: Callable[[], float]
    path: str = LOOKUP
    # The first of its request.
    field: str = "secret"


def measure(world, quick: bool) -> dict:
    hot_rounds, hot_calls = (7, 5_000) if quick else (21, 8_000)
    rounds, calls = (2, 5_000) if quick else (7, DISTINCT // 8)
    hot, *distinct = itertools.islice(unissued_secrets(seed=1), DISTINCT + 1)
    with contextlib.ExitStack() as stack:
        other = stack.enter_context(World())
        for each in (world, other):
            insert(each, [hot, *distinct])
        redis = stack.enter_context(Redis(other.folder))
        fill(redis, other)
        tokend = stack.enter_context(world.tokend())
        services = {
            WHOLE: Service(
                tokend.target,
                lambda: cpu_seconds(tokend.process.pid)
                + family_cpu_seconds(world.postmaster),
                VALIDATE,
                "token",
            ),
        }
        closing = stack.enter_context(contextlib.ExitStack())
        services |= alternatives(closing, other, redis)
        for name, service in services.items():
            check_answers(name, service, hot)

        asked = selects(other), redis.gets()
        given = (hot_rounds + 1) * hot_calls + (rounds + 1) * calls
        with expect_verdicts(tokend, {"valid": given}):
            results = same_token(services, hot, world, hot_rounds, hot_calls)
            figures = compare(results)
            figures |= distinct_tokens(services, distinct, world, rounds, calls)
        # PostgreSQL counts what a connection did at its end, if not before.
        closing.close()
        misses = selects(other) - asked[0] - given - (rounds + 1) * calls
        if redis.gets() - asked[1] != given or not 0 <= misses < given / 100:
            raise RuntimeError(f"the stores were not asked: {misses} misses")
    return figures


def insert(world, secrets):
    session = world.cluster.open_session(world.database)
    session.communicate(INSERT.format(secrets="\n".join(secrets)))
    count = world.cluster.sql(world.database, COUNT)
    if int(count) != len(secrets):
        raise RuntimeError(f"{count} tokens, want {len(secrets)}")


def fill(redis, world):
    rows = world.cluster.sql(world.database, REDIS_PAIRS).splitlines()
    redis.fill(dict(row.split("|") for row in rows))


def selects(world) -> int:
    """How often a digest has been looked up."""
    return int(world.cluster.sql(world.database, SELECTS))


def alternatives(stack, world, redis) -> dict:
    def service(store_cpu, *arguments, **fields) -> Service:
        port = free_port()
        process = stack.enter_context(
            running("alternatives", f"--port={port}", *arguments)
        )
        return Service(
            f"127.0.0.1:{port}",
            lambda: cpu_seconds(process.pid) + store_cpu(),
            **fields,
        )

    def postgres_cpu():
        return family_cpu_seconds(world.postmaster)

    postgres = ("--store=postgres", f"--address={world.database_url}")
    return {
        "postgres_select": service(postgres_cpu, *postgres),
        "redis_get": service(
            lambda: cpu_seconds(redis.process.pid),
            "--store=redis",
            f"--address={redis.socket}",
        ),
        "local_cache": service(
            postgres_cpu, *postgres, f"--cache-seconds={CACHE_SECONDS}"
        ),
    }


def check_answers(name: str, service: Service, secret: str):
    """The stores hold that token, and not every other."""
    with grpc.insecure_channel(service.target) as channel:
        call = channel.unary_unary(service.path)
        known = call(field(1, secret))
        unknown = call(field(1, next(unissued_secrets(seed=2))))
    if b"projects/bench-lookups" not in known or b"projects" in unknown:
        raise RuntimeError(f"{name} does not tell tokens apart")


def same_token(services, secret, world, rounds, calls) -> dict:
    loads = {
        name: Load(
            service.target,
            service.cpu,
            service.path,
            field(1, secret),
            world.folder,
        )
        for name, service in services.items()
    }
    # What of an alternative's cost is that of gRPC as it comes.
    select = services["postgres_select"]
    loads["untuned_empty"] = Load(
        select.target, select.cpu, EMPTY, b"", world.folder
    )
    return take_turns(loads, rounds, calls)


def compare(results: dict) -> dict:
    figures = medians(results)
    for name in results:
        if name == WHOLE:
            continue
        for figure, key in (
            ("cpu_us", "cpu"),
            ("throughput", "throughput"),
            ("p99_us", "p99"),
        ):
            figures |= ratios(results, WHOLE, name, figure, f"{key}_vs_{name}")
    return figures


def distinct_tokens(services, secrets, world, rounds, calls) -> dict:
    loads = {
        name: GhzLoad(
            service.target,
            service.cpu,
            service.path,
            batches(service.field, secrets, calls),
            world.folder,
        )
        for name, service in services.items()
    }
    # Last uses are written behind, in others' turns too: so Validate's is all
    # that tokend and its PostgreSQL do from begin to end, idling included.
    before = services[WHOLE].cpu()
    results = take_turns(loads, rounds, calls)
    time.sleep(USAGE_SECONDS)
    spent = services[WHOLE].cpu() - before
    used = int(world.cluster.sql(world.database, USED))
    # The token of before is among them.
    if used != (rounds + 1) * calls + 1:
        raise RuntimeError(f"{used} tokens have a last use")
    validate = spent / ((rounds + 1) * calls) * 1e6
    figures = {f"{WHOLE}_distinct_cpu_us": validate}
    for name, runs in results.items():
        if name == WHOLE:
            continue
        theirs = sum(run["cpu_us"] for run in runs) / rounds
        figures[f"{name}_distinct_cpu_us"] = theirs
        figures[f"cpu_vs_{name}_distinct"] = validate / theirs
    return figures


def batches(name: str, secrets: list, size: int):
    """Requests, each with another secret."""
    for begin in range(0, len(secrets), size):
        yield [{name: secret} for secret in secrets[begin : begin + size]]
