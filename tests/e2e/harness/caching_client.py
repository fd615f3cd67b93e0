"""A backend that keeps answers: a process of the C++ client library."""

import itertools
import signal
import subprocess
import threading

from . import paths
from .waiting import wait_until


class CachingClient:
    """Runs while it is a context. For one thread."""

    def __init__(self, servers):
        self._command = [
            paths.binary("caching_client"),
            *(f"--target={server.target}" for server in servers),
        ]
        self._numbers = itertools.count(1)
        self._lines = {}
        self._arrived = threading.Condition()
        self.process = None

    def __enter__(self):
        self.process = subprocess.Popen(
            self._command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            bufsize=1,
        )
        threading.Thread(target=self._read, daemon=True).start()
        self.wait_for_lease()
        return self

    def __exit__(self, *_):
        self.process.send_signal(signal.SIGCONT)
        self.process.kill()
        self.process.wait()

    def wait_for_lease(self):
        wait_until(lambda: self.stats()["lease"] == 1, 20, "a client's lease")

    def verdict(self, secret, scope="") -> str:
        """The verdict, or the name of the status code."""
        return self.ask(secret, scope)[0]

    def ask(self, secret, scope="") -> tuple:
        """The verdict, and whether no server was asked."""
        return self.begin(secret, scope)()

    def begin(self, secret, scope=""):
        """Asks; returns a function that waits for the answer."""
        number = str(next(self._numbers))
        self._say(f"V {number} {secret} {scope}")

        def answer():
            words = self._await(("V", number))
            return words[4], words[5] == "1"

        return answer

    def watch(self, secret):
        """Wants to know of the token's end; returns a function that waits."""
        number = str(next(self._numbers))
        self._say(f"W {number} {secret}")
        return lambda timeout=10: self._await(("R", number), timeout)

    def stats(self) -> dict:
        with self._arrived:
            self._lines.pop(("S", ""), None)
        self._say("S")
        words = self._await(("S", ""))
        return {
            key: int(value)
            for key, _, value in (word.partition("=") for word in words[1:])
        }

    def _say(self, line: str):
        self.process.stdin.write(line + "\n")
        self.process.stdin.flush()

    def _read(self):
        for line in self.process.stdout:
            words = line.split()
            key = (words[0], "" if words[0] == "S" else words[1])
            with self._arrived:
                self._lines[key] = words
                self._arrived.notify_all()

    def _await(self, key, timeout=20):
        with self._arrived:
            if not self._arrived.wait_for(lambda: key in self._lines, timeout):
                raise TimeoutError(f"no answer {key} within {timeout} s")
            return self._lines.pop(key)
