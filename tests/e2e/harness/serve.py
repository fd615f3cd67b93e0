"""Servers on a database of their own, for tests in other languages.

Usage: python -m harness.serve [--servers=N] [--tls] [FLAG=VALUE...]

The flags are `tokend serve`'s, without their dashes. Prints one line of JSON
with the servers' `targets` once they serve, and with --tls the files with which
to `call` them. Then prints one for each command, which are read from standard
input, a line each: `{}` when it is done, or its `error`.

  start I     starts server I again, and waits until it serves
  stop I      ends server I
  freeze I    stops server I amidst whatever it does
  thaw I      lets it go on

Ends when standard input does, and takes everything away.
"""

import argparse
import contextlib
import dataclasses
import json
import pathlib
import signal
import sys
import tempfile

from .certificates import DOMAIN, Authority
from .cluster import Cluster
from .server import Server, migrate

COMMANDS = {
    "start": Server.start,
    "stop": Server.stop,
    "freeze": Server.freeze,
    "thaw": Server.thaw,
}


def main():
    parser = argparse.ArgumentParser(prog="python -m harness.serve")
    parser.add_argument("--servers", type=int, default=1)
    parser.add_argument("--tls", action="store_true")
    parser.add_argument("flags", nargs="*", metavar="FLAG=VALUE")
    arguments = parser.parse_args()
    flags = dict(flag.split("=", 1) for flag in arguments.flags)
    # Ends as it does when standard input does.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    with contextlib.ExitStack() as stack:
        cluster = Cluster()
        stack.callback(cluster.destroy)
        folder = pathlib.Path(
            stack.enter_context(tempfile.TemporaryDirectory(prefix="wemasy-"))
        )
        database = cluster.new_database()
        done = migrate(cluster.url(database, user="postgres"))
        if done.returncode != 0:
            sys.exit(done.stderr)
        certificate = caller = None
        if arguments.tls:
            authority = Authority(folder / "ca")
            certificate = authority.issue(
                "server", "DNS:localhost,IP:127.0.0.1"
            )
            caller = authority.issue("backend", f"URI:{DOMAIN}/backend")
        servers = []
        for number in range(arguments.servers):
            server = Server(
                folder / f"server{number}",
                cluster.url(database),
                certificate,
                **{"lame-duck": "0s", **flags},
            )
            stack.callback(end, server)
            servers.append(server.start())
        answer(
            {
                "targets": [server.target for server in servers],
                "call": caller and dataclasses.asdict(caller),
            }
        )
        for line in sys.stdin:
            command, number = line.split()
            try:
                COMMANDS[command](servers[int(number)])
            except (RuntimeError, TimeoutError, AssertionError) as error:
                answer({"error": str(error)})
            else:
                answer({})


def end(server):
    if server.process and server.process.poll() is None:
        server.thaw()
        server.stop(signal.SIGKILL)


def answer(message):
    print(json.dumps(message), flush=True)


if __name__ == "__main__":
    main()
