"""What the parts of a run share: a private PostgreSQL with tokens in it, and
tokends on it."""

import contextlib
import os
import pathlib
import subprocess
import tempfile

from harness.cluster import Cluster
from harness.server import Server, migrate

# Tokens for the lists and the index, without secrets anybody has.
SEED = """
INSERT INTO projects (id) VALUES ('bench-small'), ('bench-large');
INSERT INTO tokens (id, project, display_name, description, scopes, metadata,
  creator, create_time, expire_time, hint, revision)
SELECT gen_random_uuid(), p, 'token ' || i, '', '{pages:read}', '{}',
  'user-' || i % 1000, now() - i * interval '1 second', 'infinity', 'abcd', 1
FROM (SELECT 'bench-small' AS p, i FROM generate_series(1, 10) i
  UNION ALL SELECT 'bench-large', i FROM generate_series(1, 100000) i) s;
INSERT INTO token_digests (digest, version, token_id, is_current, ends_at)
SELECT sha256(uuid_send(id)), 1, id, true, 'infinity' FROM tokens;
ANALYZE;
"""


def program(name: str) -> pathlib.Path:
    """A program of the benchmarks' build."""
    return pathlib.Path(os.environ["WEMASY_BIN_DIR"]) / name


class World:
    """A context; everything in it ends with it."""

    def __enter__(self):
        self._stack = contextlib.ExitStack()
        with contextlib.ExitStack() as stack:
            self.cluster = Cluster()
            stack.callback(self.cluster.destroy)
            self.database = self.new_database()
            self.cluster.sql(self.database, SEED)
            self.folder = pathlib.Path(
                stack.enter_context(tempfile.TemporaryDirectory())
            )
            self._stack = stack.pop_all()
        return self

    def __exit__(self, *_):
        self._stack.close()

    def new_database(self) -> str:
        """With our tables, and nothing in them."""
        database = self.cluster.new_database()
        done = migrate(self.cluster.url(database, user="postgres"))
        if done.returncode != 0:
            raise RuntimeError(done.stderr)
        return database

    @property
    def database_url(self) -> str:
        return self.cluster.url(self.database)

    @property
    def postmaster(self) -> int:
        """The process whose children are all of PostgreSQL's others."""
        file = self.cluster.data / "postmaster.pid"
        return int(file.read_text(encoding="utf-8").split()[0])

    @contextlib.contextmanager
    def tokend(self, name="tokend", certificate=None, **flags):
        """A server that serves, with a folder of that name."""
        flags = {
            "log_level": "info",
            "max_active_tokens": 1_000_000,
            **flags,
        }
        server = Server(
            self.folder / name, self.database_url, certificate, **flags
        ).start()
        try:
            yield server
        finally:
            server.stop()


@contextlib.contextmanager
def running(name: str, *arguments, **environment: str):
    """The process of a program of ours that says "ready", and ends with its
    input. `environment` comes on top of ours."""
    process = subprocess.Popen(
        [program(name), *map(str, arguments)],
        env={**os.environ, **environment},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        if process.stdout.readline() != "ready\n":
            raise RuntimeError(f"{name} did not get ready")
        yield process
    finally:
        process.stdin.close()
        process.wait()
        process.stdout.close()
