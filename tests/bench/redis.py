"""A private Redis on a Unix socket, which keeps nothing on disk."""

import pathlib
import shutil
import subprocess

from harness.waiting import wait_until


def program(name: str) -> str:
    """redis-server or redis-cli."""
    path = shutil.which(name)
    if not path:
        raise FileNotFoundError(f"no {name} here: run scripts/install-deps")
    return path


class Redis:
    """A context."""

    def __init__(self, folder: pathlib.Path):
        self.socket = folder / "redis.sock"
        self._log = folder / "redis.log"

    def __enter__(self):
        self.process = subprocess.Popen(
            [
                program("redis-server"),
                *("--port", "0", "--unixsocket", str(self.socket)),
                *("--save", "", "--appendonly", "no"),
                *("--logfile", str(self._log)),
            ],
            stdin=subprocess.DEVNULL,
        )
        try:
            wait_until(self._answers, 10, "a Redis that answers")
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        self.process.terminate()
        self.process.wait(20)

    def _answers(self) -> bool:
        return self.socket.exists() and self._client("PING") == "PONG\n"

    def fill(self, pairs: dict):
        """Sets keys to texts that have no quotation marks."""
        lines = (f'SET {key} "{value}"\r\n' for key, value in pairs.items())
        said = self._client("--pipe", stdin="".join(lines))
        if f"errors: 0, replies: {len(pairs)}\n" not in said:
            raise RuntimeError(said)

    def gets(self) -> int:
        """How often GET has been called."""
        for line in self._client("INFO", "commandstats").splitlines():
            if line.startswith("cmdstat_get:calls="):
                return int(line.partition("=")[2].partition(",")[0])
        return 0

    def _client(self, *arguments, stdin="") -> str:
        done = subprocess.run(
            [program("redis-cli"), "-s", str(self.socket), *arguments],
            input=stdin,
            capture_output=True,
            text=True,
            check=False,
        )
        return done.stdout
