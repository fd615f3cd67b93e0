"""Caching clients: processes of the driver, caching_client.cc.

Each speaks a protocol of lines:

    V NUMBER SECRET [SCOPE]  ->  V NUMBER CALL_NS RETURN_NS OUTCOME CACHED NAME
    W NUMBER SECRET          ->  R NUMBER NS, once, when the token has ended
    S                        ->  S KEY=VALUE ...

OUTCOME is a verdict or the name of a code; CACHED is 0 or 1; NAME is the
token's, or "-".
"""

import itertools
import signal
import subprocess
import threading

import history as history_module
from history import Exit, History, Subscription, Validation


class CachingClient:
    """One process, started again after it was killed. Thread-safe."""

    def __init__(self, number, program, targets, history: History):
        self.place = f"c{number}"
        self._command = [program, *(f"--target={t}" for t in targets)]
        self._history = history
        self._lock = threading.Lock()
        self._numbers = itertools.count(1)
        self._process = None
        self._pending = {}
        self._wishes = {}
        self._is_frozen = False
        self._expected = False
        self._stats = {}
        self._stats_came = threading.Event()

    def start(self):
        with self._lock:
            self._pending = {}
            self._wishes = {}
            self._expected = False
            self._process = subprocess.Popen(
                self._command,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                text=True,
                bufsize=1,
            )
            reader = threading.Thread(
                target=self._read,
                args=(self._process, self._pending, self._wishes),
                daemon=True,
            )
        reader.start()

    def validate(self, text, secret, scope, follows, done):
        """Asks; `done(validation, name)` is called with what it said.

        Of what it was asked before it died nothing is recorded.
        """
        validation = Validation(
            self.place, secret, scope, history_module.now(), follows=follows
        )
        number = next(self._numbers)
        with self._lock:
            # A stopped process reads nothing, and its pipe is short.
            if self._is_frozen and len(self._pending) > 100:
                return
            if len(self._pending) > 2000:
                return
            self._pending[number] = (validation, done)
            try:
                self._process.stdin.write(f"V {number} {text} {scope}\n")
                self._process.stdin.flush()
            except OSError:
                del self._pending[number]  # It was killed.

    def watch(self, text, secret):
        """Wants to know when the token ends."""
        number = next(self._numbers)
        wish = Subscription(self.place, secret, history_module.now())
        with self._lock:
            if self._is_frozen:
                return
            self._wishes[number] = wish
            try:
                self._process.stdin.write(f"W {number} {text}\n")
                self._process.stdin.flush()
            except OSError:
                return  # It was killed.
            self._history.add(wish)

    def _read(self, process, pending, wishes):
        for line in process.stdout:
            kind, *fields = line.split()
            if kind == "S":
                self._stats = dict(field.split("=") for field in fields)
                self._stats_came.set()
                continue
            if kind == "R":
                with self._lock:
                    wishes.pop(int(fields[0])).told = int(fields[1])
                continue
            number, call, ret, outcome, cached, name = fields
            with self._lock:
                validation, done = pending.pop(int(number))
            validation.call = int(call)
            validation.ret = int(ret)
            validation.cached = cached == "1"
            validation.outcome = outcome
            done(validation, "" if name == "-" else name)
        process.stdout.close()
        code = process.wait()
        with self._lock:
            expected = self._expected
            for wish in wishes.values():
                wish.ended = history_module.now()
        self._history.add(
            Exit(self.place, history_module.now(), code, expected)
        )

    def stats(self, seconds=5) -> dict:
        """What the client counted since it was started last."""
        self._stats_came.clear()
        try:
            with self._lock:
                self._process.stdin.write("S\n")
                self._process.stdin.flush()
        except OSError:
            return {}
        return self._stats if self._stats_came.wait(seconds) else {}

    # --- What faults do

    def freeze(self):
        with self._lock:
            self._is_frozen = True
            self._process.send_signal(signal.SIGSTOP)

    def thaw(self):
        with self._lock:
            self._is_frozen = False
            self._process.send_signal(signal.SIGCONT)

    def kill(self):
        """It stays down until start()."""
        with self._lock:
            self._expected = True
            self._process.kill()
        self._process.wait()

    def end(self):
        if self._process is not None and self._process.poll() is None:
            self._expected = True
            self._process.send_signal(signal.SIGCONT)
            self._process.kill()
            self._process.wait()
