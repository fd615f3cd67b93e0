"""All processes of a run: databases, servers, clients, and the network."""

import contextlib
import pathlib
import shutil
import tempfile
import threading
import time

from harness.ports import free_port
from harness.server import migrate
from harness.waiting import wait_until

import history as history_module
from clients import CachingClient
from database import Database
from history import FinalState, History
from network import Network
from replicas import Replica

# By the numbers that the audit log has for them.
_ACTIONS = {
    1: "created",
    2: "reissued",
    3: "updated",
    4: "rotated",
    5: "revoked",
    6: "leak_revoked",
}


class System:
    """A context. Nothing of it is left behind, but for the logs."""

    def __init__(self, options, folder: pathlib.Path):
        self.history = History(options.ttl)
        # Ends the nemesis.
        self.stop = threading.Event()
        self._options = options
        self._folder = folder
        self._events = open(folder / "events.log", "w", encoding="utf-8")
        self._stack = contextlib.ExitStack()
        wall_clock = options.bin / "libwall_clock.so"
        self.wall_clock = str(wall_clock) if wall_clock.exists() else ""
        self.replicas: list[Replica] = []
        self.clients: list[CachingClient] = []
        # The names of its links, by the place of a client.
        self.client_links: dict[str, list[str]] = {}

    def __enter__(self):
        with contextlib.ExitStack() as stack:
            stack.callback(self._events.close)
            self.network = stack.enter_context(Network())
            links = [f"database{i}" for i in range(self._options.replicas)]
            self.database = Database(self.network, links, self._folder)
            stack.callback(self.database.destroy)
            program = str(self._options.bin / "tokend")
            done = migrate(self.database.owner_url(), program)
            if done.returncode != 0:
                raise RuntimeError(f"no migration: {done.stderr}")
            self.database.add_standby()
            for i, link in enumerate(links):
                self._start_replica(stack, i, link, program)
            for i in range(self._options.clients):
                self._start_client(stack, i)
            # What is here is needed no longer when the run begins.
            self.history.begin = history_module.now()
            self._stack = stack.pop_all()
        return self

    def __exit__(self, *_):
        self._stack.close()

    def _start_replica(self, stack, number, link, program):
        replica = Replica(
            number,
            self._folder / f"r{number}",
            self.database,
            link,
            self.history,
            self.wall_clock,
            program=program,
            lease_ttl=f"{self.history.ttl:g}s",
            # One takes its time, the others are gone while grants still run.
            lame_duck="0s" if number else "1s",
            drain_timeout="100ms" if number else "2s",
            log_level="info",
            max_active_tokens=1_000_000,
            synchronous_failover=str(
                self._options.synchronous_failover
            ).lower(),
            **self._options.server_flags,
        )
        stack.callback(replica.end)
        replica.start()
        self.replicas.append(replica)

    def _start_client(self, stack, number):
        place = f"c{number}"
        ports = []
        self.client_links[place] = []
        for replica in self.replicas:
            link = f"{place}-{replica.place}"
            port = free_port()
            _, _, upstream = replica.target.rpartition(":")
            self.network.open(link, str(port), upstream)
            self.client_links[place].append(link)
            ports.append(f"127.0.0.1:{port}")
        client = CachingClient(
            number,
            str(self._options.bin / "caching_client"),
            ports,
            self.history,
        )
        stack.callback(client.end)
        client.start()
        self.clients.append(client)

    def say(self, text):
        """Into the list of events."""
        seconds = (history_module.now() - self.history.begin) / 1e9
        line = f"{seconds:9.3f}  {text.rstrip()}"
        self._events.write(line + "\n")
        self._events.flush()
        if self._options.verbose:
            print(line, flush=True)

    # --- The end

    def wait_until_ready(self, seconds):
        for replica in self.replicas:
            wait_until(replica.is_ready, seconds, f"{replica.place} is ready")

    def final_state(self) -> FinalState:
        """What the database has now."""
        final = FinalState()
        sql = self.database.sql
        numbers = {}
        for row in _rows(
            sql(
                "SELECT id, display_name, revoke_time IS NOT NULL, "
                "array_to_string(scopes, ',') FROM tokens"
            )
        ):
            number = int(row[1].removeprefix("t"))
            numbers[row[0]] = number
            if number in final.revoked:
                final.repeated.append(number)
            final.revoked[number] = row[2] == "t"
            final.scopes[number] = tuple(row[3].split(","))
        for token, action, count in _rows(
            sql(
                "SELECT token_id, action, count(*) FROM audit_log "
                "GROUP BY token_id, action"
            )
        ):
            if token in numbers:
                key = (numbers[token], _ACTIONS[int(action)])
                final.audited[key] = int(count)
        ((first, last, rows, head),) = _rows(
            sql(
                "SELECT coalesce(min(seq), 0), coalesce(max(seq), 0), "
                "count(*), (SELECT seq FROM change_head) FROM change_log"
            )
        )
        final.log_first, final.log_last = int(first), int(last)
        final.log_rows, final.head = int(rows), int(head)
        return final


def _rows(text):
    return [line.split("|") for line in text.splitlines()]


@contextlib.contextmanager
def kept_folder(parent: pathlib.Path, name: str):
    """A folder that stays only if `keep` is set in what is yielded."""

    class Kept:
        folder = pathlib.Path(tempfile.mkdtemp(prefix=f"{name}-", dir=parent))
        keep = True

    # PostgreSQL's user and the servers write their logs there.
    Kept.folder.chmod(0o755)
    try:
        yield Kept
    finally:
        if not Kept.keep:
            shutil.rmtree(Kept.folder, ignore_errors=True)


def rest_until(deadline: float, stop: threading.Event) -> bool:
    """Whether it was told to stop before."""
    return stop.wait(max(0.0, deadline - time.monotonic()))
