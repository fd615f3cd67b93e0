"""What stands behind the gateways: two servers and an API."""

import itertools

from harness import ports
from harness.server import Server

from .upstream import Upstream

# Two hosts, so that both servers have the same ports, as replicas do.
HOSTS = ("127.0.0.1", "127.0.0.2")
TOKEN_HEADER = "x-api-key"


def free_port() -> int:
    """Free on all of HOSTS."""
    return ports.free_port("")


class Site:
    """Two servers on one database, and an API; a context.

    With a certificate the servers want TLS, and `caller` is the client's.
    `flags` are flags of both servers.
    """

    def __init__(
        self, folder, database_url, certificate=None, caller=None, **flags
    ):
        self.api = Upstream()
        self.port = free_port()
        self.check_port = free_port()
        self.ops_port = free_port()
        self.client = None
        self._caller = caller
        numbers = itertools.count(1)
        self.servers = [
            Server(
                folder / f"server{next(numbers)}",
                database_url,
                certificate=certificate,
                listen=f"{host}:{self.port}",
                check_listen=f"{host}:{self.check_port}",
                ops_listen=f"{host}:{self.ops_port}",
                token_headers=TOKEN_HEADER,
                **{"lame_duck": "0s", **flags},
            )
            for host in HOSTS
        ]

    def __enter__(self):
        try:
            for server in self.servers:
                server.start(wait=False)
            for server in self.servers:
                server.wait_until_ready()
        except BaseException:
            self.__exit__()
            raise
        self.client = self.servers[0].client(
            self._caller and self._caller.credentials()
        )
        return self

    def __exit__(self, *_):
        if self.client:
            self.client.close()
        for server in self.servers:
            server.stop()
        self.api.__exit__()
