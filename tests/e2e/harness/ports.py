"""Ports for servers to listen on."""

import contextlib
import fcntl
import functools
import itertools
import os
import pathlib
import random
import socket
import tempfile
from collections.abc import Iterator

# Below those that the kernel gives to outgoing connections: a server that is
# away for a moment finds its port free when it is back.
_FIRST, _LAST = 15_000, 32_000
# Each process has some of them for itself, or one that runs beside it would
# take what a server comes back to.
_SHARE = 500


@functools.cache
def _own_ports() -> Iterator[int]:
    """One after the other, so that none is given out again before whoever got
    it listens on it."""
    folder = pathlib.Path(tempfile.gettempdir(), "wemasy-ports")
    with contextlib.suppress(FileExistsError):
        folder.mkdir()
        folder.chmod(0o1777)
    shares = list(range(_FIRST, _LAST, _SHARE))
    random.shuffle(shares)
    for first in shares:
        # Locked until the process ends.
        lock = os.open(folder / str(first), os.O_RDONLY | os.O_CREAT, 0o644)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(lock)
            continue
        return itertools.cycle(range(first, first + _SHARE))
    raise RuntimeError(f"other processes have all ports; see {folder}")


def free_port(host: str = "127.0.0.1") -> int:
    """Free on `host`; on all addresses of this machine for ""."""
    for port in _own_ports():
        with socket.socket() as listener:
            # As servers do: what only lingers from a closed connection does
            # not count.
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                listener.bind((host, port))
            except OSError:
                continue
            return port
