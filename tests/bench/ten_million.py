"""Ten million tokens in PostgreSQL and in a server: how long it loads them, what
they take of its memory, and what a Validate of any of them costs beside one in
a server with a few thousand."""

import contextlib
import dataclasses
import hashlib
import itertools
import time

from harness.server import Server
from loads import GhzLoad, medians, ratios
from measuring import cpu_seconds, take_turns
from messages import VALIDATE
from tokens import expect_verdicts, unissued_secrets

# Whose secrets are known, spread over all.
KNOWN = 10_000

# The population of index_bench.cc; a token's revision is its number. To keep the
# tables' indexes and index_entries meanwhile would take most of the time. Of the
# indexes only the keys are made anew, which those need that write last uses.
FILL = """
SELECT format('ALTER TABLE %s DROP CONSTRAINT %I CASCADE', conrelid::regclass,
    conname)
  FROM pg_constraint
  WHERE conrelid IN ('tokens'::regclass, 'token_digests'::regclass,
      'index_entries'::regclass)
    AND contype IN ('f', 'p') ORDER BY contype \\gexec
SELECT format('DROP INDEX %s', indexrelid::regclass) FROM pg_index
  WHERE indrelid IN ('tokens'::regclass, 'token_digests'::regclass) \\gexec
ALTER TABLE token_digests DISABLE TRIGGER USER;
CREATE TEMPORARY TABLE known (n serial, digest text);
COPY known (digest) FROM STDIN;
{digests}
\\.
ANALYZE known;
INSERT INTO tokens (id, project, display_name, description, scopes, metadata,
  creator, create_time, expire_time, hint, revision)
SELECT gen_random_uuid(), 'project-' || i % 100000, 'token ' || i, '',
  ARRAY['pages:read', 'pages:write', 'forms:read', 'scope:' || i % 200],
  jsonb_build_object('integration', 'partner-' || i * 7::bigint % 1000, 'tier',
    'gold'),
  'user-' || i * 13::bigint % 1000000, now(), '2033-05-18 03:33:20+00', 'abcd',
  i
FROM generate_series(0, {count} - 1) i;
INSERT INTO token_digests (digest, version, token_id, is_current, ends_at)
SELECT coalesce(decode(k.digest, 'hex'), sha256(uuid_send(t.id))), 1, t.id,
  true, t.expire_time
FROM tokens t LEFT JOIN known k
  ON t.revision % {every} = 0 AND k.n = t.revision / {every} + 1;
INSERT INTO index_entries
SELECT d.digest, d.token_id, t.project, t.creator, t.scopes::text,
  t.metadata::text, d.ends_at, false, NULL
FROM token_digests d JOIN tokens t ON t.id = d.token_id;
ALTER TABLE tokens ADD PRIMARY KEY (id);
ALTER TABLE token_digests ADD PRIMARY KEY (digest);
ALTER TABLE index_entries ADD PRIMARY KEY (digest);
ALTER TABLE token_digests ENABLE TRIGGER USER;
VACUUM ANALYZE;
"""


@dataclasses.dataclass(frozen=True)
class Loaded:
    """A server that knows its tokens, and what the load took."""

    server: Server
    seconds: float
    server_cpu_seconds: float

    @property
    def resident_bytes(self) -> int:
        status = f"/proc/{self.server.process.pid}/status"
        with open(status, encoding="ascii") as lines:
            [high] = [line for line in lines if line.startswith("VmHWM:")]
        return int(high.split()[1]) * 1024


def measure(world, quick: bool) -> dict:
    rounds, calls = (2, KNOWN) if quick else (9, 2 * KNOWN)
    many = 1_000_000 if quick else 10_000_000
    secrets = list(itertools.islice(unissued_secrets(seed=2), KNOWN))
    with contextlib.ExitStack() as stack:
        loads, loaded = {}, {}
        for name, count in (("few", KNOWN), ("many", many)):
            database = fill(world, count, secrets)
            one = start(world, database, name, stack)
            loaded[name] = one
            loads[name] = GhzLoad(
                one.server.target,
                lambda pid=one.server.process.pid: cpu_seconds(pid),
                VALIDATE,
                itertools.repeat([{"token": secret} for secret in secrets]),
                world.folder,
            )
        given = {"valid": (rounds + 1) * calls}
        with (
            expect_verdicts(loaded["few"].server, given),
            expect_verdicts(loaded["many"].server, given),
        ):
            results = take_turns(loads, rounds, calls)
        grown = loaded["many"].resident_bytes - loaded["few"].resident_bytes
    figures = {
        "load_10m_seconds": loaded["many"].seconds,
        "load_10m_server_cpu_seconds": loaded["many"].server_cpu_seconds,
        "server_bytes_per_token": grown / (many - KNOWN),
        **medians({f"{name}_tokens": results[name] for name in loads}),
    }
    for figure, key in (("cpu_us", "cpu"), ("throughput", "throughput")):
        figures |= ratios(
            results, "many", "few", figure, f"validate_{key}_10m_vs_10k"
        )
    return figures


def fill(world, count: int, secrets: list[str]) -> str:
    """A database of its own, with so many tokens."""
    database = world.new_database()
    digests = [hashlib.sha256(s.encode()).hexdigest() for s in secrets]
    session = world.cluster.open_session(database)
    session.communicate(
        FILL.format(
            digests="\n".join(digests), count=count, every=count // KNOWN
        )
    )
    found = world.cluster.sql(database, "SELECT count(*) FROM token_digests")
    if int(found) != count:
        raise RuntimeError(f"{found} digests, want {count}")
    return database


def start(world, database: str, name: str, stack) -> Loaded:
    begun = time.monotonic()
    server = Server(
        world.folder / f"{name}_tokens",
        world.cluster.url(database),
        log_level="info",
    ).start(wait=False)
    stack.callback(server.stop)
    server.wait_until_ready(seconds=600)
    return Loaded(
        server,
        time.monotonic() - begun,
        cpu_seconds(server.process.pid),
    )
