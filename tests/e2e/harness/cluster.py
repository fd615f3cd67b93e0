"""A private PostgreSQL cluster on a Unix socket."""

import itertools
import os
import pathlib
import pwd
import shutil
import subprocess
import tempfile

from . import paths

_SETTINGS = """
listen_addresses = ''
unix_socket_directories = '{sockets}'
max_connections = 200
shared_buffers = 64MB
log_min_messages = info
"""


class Cluster:
    """Runs as the user `postgres` when started by root, who may not."""

    def __init__(self, settings="", initdb=(), primary=None, standby=""):
        """`settings` are added to its configuration, `initdb` to initdb's
        flags. With a primary it is a copy of that and its standby; `standby`
        is then the connection string by which it follows.
        """
        # Short, as the path of a socket may have 107 bytes.
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="wemasy-pg-"))
        self._prepare_folder()
        self.data = self.folder / "data"
        self.log = self.folder / "postgresql.log"
        self._names = itertools.count(1)
        self._prefix = []
        if os.geteuid() == 0:
            user = pwd.getpwnam("postgres")
            os.chown(self.folder, user.pw_uid, user.pw_gid)
            # tokend and the tests reach the socket in it.
            self.folder.chmod(0o755)
            self._prefix = [
                "setpriv",
                f"--reuid={user.pw_uid}",
                f"--regid={user.pw_gid}",
                "--clear-groups",
            ]
        if primary:
            self._copy(primary, standby)
        else:
            self._initialize(initdb)
        settings = _SETTINGS.format(sockets=self.folder) + settings
        with open(self.data / "postgresql.conf", "a", encoding="utf-8") as conf:
            conf.write(settings)
        self.start()
        if not primary:
            # The servers' own role, which may do less than the migrations'.
            self.sql("postgres", "CREATE ROLE tokend LOGIN")

    def _prepare_folder(self):
        """Before anything is in the folder."""

    def _initialize(self, flags):
        self._run(
            "initdb",
            "--auth=trust",
            "--username=postgres",
            "--encoding=UTF8",
            "--no-locale",
            "--no-sync",
            f"--pgdata={self.data}",
            *flags,
        )

    def _copy(self, primary, connection):
        self._run(
            "pg_basebackup",
            f"--host={primary.folder}",
            "--username=postgres",
            "--checkpoint=fast",
            "--no-sync",
            f"--pgdata={self.data}",
        )
        # What ALTER SYSTEM said at the primary is not for this one.
        (self.data / "postgresql.auto.conf").write_text(
            f"primary_conninfo = '{connection}'\n", encoding="utf-8"
        )
        (self.data / "standby.signal").touch()

    def promote(self):
        """Returns when it takes writes."""
        self._run("pg_ctl", "promote", "--wait", f"--pgdata={self.data}")

    def _run(self, program, *arguments):
        command = [*self._prefix, paths.postgres(program), *arguments]
        done = subprocess.run(
            command,
            cwd=self.folder,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        if done.returncode != 0:
            raise RuntimeError(f"{program} failed: {done.stdout}")

    def start(self):
        """Returns when connections are taken."""
        self._run(
            "pg_ctl",
            "start",
            "--wait",
            f"--pgdata={self.data}",
            f"--log={self.log}",
        )

    def stop(self, mode="fast"):
        """Ends every connection; `immediate` as a crash would."""
        self._run(
            "pg_ctl",
            "stop",
            "--wait",
            f"--mode={mode}",
            f"--pgdata={self.data}",
        )

    def destroy(self):
        if self.is_running():
            self.stop("immediate")
        shutil.rmtree(self.folder, ignore_errors=True)

    def is_running(self) -> bool:
        return (self.data / "postmaster.pid").exists()

    def new_database(self) -> str:
        """Makes an empty database and returns its name."""
        name = f"tokens_{next(self._names)}"
        self.sql("postgres", f"CREATE DATABASE {name}")
        return name

    def url(self, database: str, user="tokend") -> str:
        return f"postgresql:///{database}?host={self.folder}&user={user}"

    def sql(self, database: str, statement: str) -> str:
        """Runs a statement and returns its rows, unaligned."""
        return self._client(
            "psql",
            "-XAtq",
            "-v",
            "ON_ERROR_STOP=1",
            "-d",
            database,
            "-c",
            statement,
        )

    def open_session(self, database: str) -> subprocess.Popen:
        """A psql that reads statements from its standard input."""
        return subprocess.Popen(
            [
                paths.postgres("psql"),
                *("-XAtq", "-h", str(self.folder), "-U", "postgres"),
                *("-d", database),
            ],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            bufsize=1,
        )

    def dump(self, database: str) -> str:
        """All of a database as SQL."""
        return self._client("pg_dump", "-d", database)

    def _client(self, program, *arguments) -> str:
        done = subprocess.run(
            [
                paths.postgres(program),
                *("-h", str(self.folder), "-U", "postgres"),
                *arguments,
            ],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode != 0:
            raise RuntimeError(f"{program} failed: {done.stderr}")
        return done.stdout
