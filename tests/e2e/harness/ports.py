"""Ports for servers to listen on."""

import random
import socket

# Below those that the kernel gives to outgoing connections: a server that is
# away for a moment finds its port free when it is back.
_FIRST, _LAST = 15_000, 32_000


def free_port(host: str = "127.0.0.1") -> int:
    """Free on `host`; on all addresses of this machine for ""."""
    while True:
        port = random.randint(_FIRST, _LAST)
        with socket.socket() as listener:
            # As servers do: what only lingers from a closed connection does
            # not count.
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                listener.bind((host, port))
            except OSError:
                continue
            return port
