"""A PostgreSQL primary with a synchronous standby, and their failovers."""

import itertools
import os
import pathlib
import shutil
import subprocess
import tempfile
import time

from harness.cluster import Cluster
from harness.relay import SOCKET
from harness.waiting import wait_until

# Room for the data of a long run, and little enough to be filled at once.
_DISK_MEGABYTES = 512

_SETTINGS = """
shared_buffers = 32MB
max_wal_senders = 10
max_wal_size = 128MB
min_wal_size = 16MB
wal_keep_size = 64MB
# A standby is back soon after its primary.
wal_retrieve_retry_interval = 100ms
"""

# A row of a replica, as a text without commas or quotes.
_REPLICA_ROW = "id || timeline || renewals"

# What a primary waits for, by its application_name.
_STANDBY = "standby"


def can_mount() -> bool:
    """Whether this process may mount file systems, in a namespace of its own.

    See scripts/fault.
    """
    return os.environ.get("FAULT_MAY_MOUNT") == "yes"


class Node(Cluster):
    """With a disk of its own, if that can be had."""

    def _prepare_folder(self):
        if not can_mount():
            return
        subprocess.run(
            [
                *("mount", "-t", "tmpfs"),
                *("-o", f"size={_DISK_MEGABYTES}m,mode=755"),
                *("none", str(self.folder)),
            ],
            check=True,
        )

    def destroy(self):
        if self.is_running():
            self.stop("immediate")
        if can_mount():
            subprocess.run(["umount", "--lazy", str(self.folder)], check=True)
        shutil.rmtree(self.folder, ignore_errors=True)

    @property
    def socket(self) -> str:
        return str(self.folder / SOCKET)

    def fill_disk(self):
        ballast = self.folder / "ballast"
        with open(ballast, "wb") as out:
            size = 0
            for step in (16 << 20, 1 << 20, 4096):
                try:
                    while True:
                        os.posix_fallocate(out.fileno(), size, step)
                        size += step
                except OSError:
                    pass  # Not as much as that.

    def free_disk(self):
        (self.folder / "ballast").unlink(missing_ok=True)

    def revive(self, seconds=20):
        """Starts it if it is down, which may take more than one try."""
        end = time.monotonic() + seconds
        while True:
            try:
                self.sql("postgres", "SELECT 1")
                return
            except RuntimeError:
                if time.monotonic() > end:
                    raise
            try:
                self.start()
            except RuntimeError:
                time.sleep(0.2)  # It is starting, or going down.


class Database:
    """Who the primary is changes. Replicas reach it by links of a network."""

    def __init__(self, network, links, logs):
        """The logs of what is destroyed are kept in the folder `logs`."""
        self._logs = logs
        self._network = network
        self._links = list(links)
        self._numbers = itertools.count(1)
        self._sockets = pathlib.Path(tempfile.mkdtemp(prefix="wemasy-net-"))
        self._sockets.chmod(0o755)
        self.standby = None
        self.deposed = None
        self.standby_link = ""
        self.primary = Node(_SETTINGS, ["--wal-segsize=1"])
        self.name = self.primary.new_database()
        for link in self._links:
            folder = self._sockets / link
            folder.mkdir()
            network.open(link, str(folder / SOCKET), self.primary.socket)

    def destroy(self):
        for node in (self.primary, self.standby, self.deposed):
            self._bury(node)
        shutil.rmtree(self._sockets, ignore_errors=True)

    def owner_url(self) -> str:
        return self.primary.url(self.name, user="postgres")

    def url(self, link: str) -> str:
        folder = self._sockets / link
        return f"postgresql:///{self.name}?host={folder}&user=tokend"

    def sql(self, statement: str) -> str:
        return self.primary.sql(self.name, statement)

    def replica_rows(self) -> str:
        """What stays the same as long as nobody renews it."""
        return self.sql(f"SELECT string_agg({_REPLICA_ROW}, ',') FROM replicas")

    def remove_replica_rows(self, rows: str) -> str:
        """Takes those away that are still as they were; says how many."""
        return self.sql(
            f"WITH gone AS (DELETE FROM replicas WHERE {_REPLICA_ROW} ="
            f" ANY(string_to_array('{rows}', ',')) RETURNING 1)"
            " SELECT count(*) FROM gone"
        )

    # --- The standby

    def add_standby(self):
        """Makes one, and the primary wait for it."""
        link = f"standby{next(self._numbers)}"
        folder = self._sockets / link
        folder.mkdir()
        self._network.open(link, str(folder / SOCKET), self.primary.socket)
        self.standby_link = link
        self.standby = Node(
            _SETTINGS,
            primary=self.primary,
            standby=f"host={folder} user=postgres application_name={_STANDBY}",
        )
        self.primary.sql(
            "postgres",
            f"ALTER SYSTEM SET synchronous_standby_names = '{_STANDBY}'",
        )
        self.primary.sql("postgres", "SELECT pg_reload_conf()")
        self.wait_for_standby()

    def wait_for_standby(self, seconds=20):
        """Until it has all that there is now, and is waited for."""
        wait_until(
            lambda: self._counts_standbys("sync_state = 'sync'"),
            seconds,
            "a synchronous standby",
        )
        written = self.primary.sql("postgres", "SELECT pg_current_wal_lsn()")
        wait_until(
            lambda: self._counts_standbys(f"flush_lsn >= '{written.strip()}'"),
            seconds,
            "a standby in step",
        )

    def _counts_standbys(self, condition) -> bool:
        try:
            found = self.primary.sql(
                "postgres",
                "SELECT count(*) FROM pg_stat_replication "
                f"WHERE application_name = '{_STANDBY}' AND {condition}",
            )
        except RuntimeError:
            return False
        return found.strip() == "1"

    def promote(self):
        """The standby takes over, for connections to come.

        Those that are stay with the old primary, if it lives. It confirms no
        more commits, as the standby that it waits for does not follow it any
        longer: that is its fence.
        """
        self.standby.promote()
        self.deposed, self.primary = self.primary, self.standby
        self.standby = None
        for link in self._links:
            self._network.direct(link, self.primary.socket)

    def retire(self):
        """Ends the primary that was."""
        for link in self._links:
            self._network.reset(link)
        if self.standby_link:
            self._network.close(self.standby_link)
            self.standby_link = ""
        self._bury(self.deposed)
        self.deposed = None

    def _bury(self, node):
        if node is None:
            return
        name = f"postgresql-{next(self._numbers)}.log"
        shutil.copy(node.log, self._logs / name)
        node.destroy()

    def cancel_waits(self, node) -> int:
        """Cancels the commits that wait for the standby."""
        cancelled = node.sql(
            "postgres",
            "SELECT count(pg_cancel_backend(pid)) FROM pg_stat_activity "
            "WHERE wait_event = 'SyncRep'",
        )
        return int(cancelled)

