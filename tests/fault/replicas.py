"""The servers under test, and the supervisor that restarts them."""

import signal
import struct
import threading
import time

from harness.server import Server

import history as history_module
from history import Exit, History


class Replica:
    """One server, started again whenever it ends.

    Faults stop and kill it through here, so that the supervisor knows which
    ends were wanted.
    """

    def __init__(
        self, number, folder, database, link, history, wall_clock="", **flags
    ):
        """`wall_clock` is the library of wall_clock.cc, if it is there."""
        self.place = f"r{number}"
        self.link = link
        self._history: History = history
        folder.mkdir()
        self._wall_clock = folder / "wall_clock"
        self.set_wall_clock(0)
        environment = {}
        if wall_clock:
            environment["LD_PRELOAD"] = wall_clock
            environment["WALL_CLOCK_FILE"] = str(self._wall_clock)
        self._server = Server(
            folder, database.url(link), environment=environment, **flags
        )
        self._lock = threading.Lock()
        # Clear while a fault keeps the server down.
        self._may_run = threading.Event()
        self._may_run.set()
        self._expected = False
        self._ending = False
        self.starts = 0
        self._thread = threading.Thread(target=self._supervise, daemon=True)

    @property
    def target(self) -> str:
        return self._server.target

    def start(self):
        """Returns when it serves."""
        self._server.start()
        self.starts = 1
        self._thread.start()

    def _supervise(self):
        while True:
            code = self._server.process.wait()
            with self._lock:
                expected, self._expected = self._expected, False
                self._history.add(
                    Exit(self.place, history_module.now(), code, expected)
                )
                if self._ending:
                    return
            self._may_run.wait()
            with self._lock:
                if self._ending:
                    return
                # What was done to one that had ended by itself is over.
                self._expected = False
                self._server.start(wait=False)
                self.starts += 1
            if code not in (0, 5) and not expected:
                time.sleep(0.5)  # What ends at once need not be hurried.

    def _send(self, number):
        with self._lock:
            if self._server.process.poll() is None:
                self._server.process.send_signal(number)

    # --- What faults do

    def freeze(self):
        self._send(signal.SIGSTOP)

    def thaw(self):
        self._send(signal.SIGCONT)

    def kill(self):
        """It stays down until release()."""
        self._may_run.clear()
        with self._lock:
            self._expected = True
            self._server.process.kill()

    def drain(self):
        with self._lock:
            self._expected = True
            self._server.process.terminate()

    def set_wall_clock(self, seconds):
        """How far it is off, from now on and after restarts."""
        value = struct.pack("=q", int(seconds * 1e9))
        if not self._wall_clock.exists():
            self._wall_clock.write_bytes(value)
            return
        # In place, as the server has it in its memory.
        with open(self._wall_clock, "r+b") as out:
            out.write(value)

    def release(self):
        self._may_run.set()

    def wait_for_start_after(self, starts, seconds, stop) -> bool:
        """Until the supervisor has started it once more."""
        end = time.monotonic() + seconds
        while self.starts <= starts and time.monotonic() < end:
            if stop.wait(0.02):
                break
        return self.starts > starts

    # --- The end

    def is_ready(self) -> bool:
        process = self._server.process
        return process.poll() is None and self._server.is_ready()

    def log(self) -> str:
        return self._server.log()

    def end(self):
        """For good."""
        with self._lock:
            self._ending = True
            self._expected = True
            process = self._server.process
        self._may_run.set()
        if process.poll() is None:
            process.send_signal(signal.SIGCONT)
            process.kill()
        process.wait()
