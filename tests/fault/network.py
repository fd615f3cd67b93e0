"""A network that can be cut, slowed down and broken: relays in a process of
their own.

Each link listens on a socket and carries bytes between who connects and an
upstream. What is held is kept, as TCP would send it again; nothing is closed
by that.

The other process has a Python of its own, so that what the harness computes
does not slow down what is measured. It is told what to do by lines of JSON.
"""

import collections
import dataclasses
import json
import os
import selectors
import socket
import subprocess
import sys
import threading
import time

_READ = 65536
# A direction takes no more from who sends while that much waits.
_MOST_WAITING = 1 << 20

# Not BEGIN ISOLATION LEVEL READ COMMITTED.
_COMMIT = b"COMMIT\0"
_LISTEN = b"LISTEN "


def _address(text: str):
    """A Unix socket's path, or the port of 127.0.0.1."""
    if text.startswith("/"):
        return socket.AF_UNIX, text
    return socket.AF_INET, ("127.0.0.1", int(text))


@dataclasses.dataclass
class Settings:
    """What a link does with what passes. Forward is towards the upstream."""

    hold_forward: bool = False
    hold_backward: bool = False
    # Only on connections that LISTEN.
    hold_notifications: bool = False
    # Seconds, each way.
    delay: float = 0.0
    # Of the next COMMITs, the answers are lost with their connections.
    lose_commits: bool = False


class _Pipe:
    """One direction of a connection."""

    def __init__(self, source, sink):
        self.source = source
        self.sink = sink
        # (when it is due, bytes)
        self.waiting = collections.deque()
        self.size = 0
        self.ended = False


class _Connection:
    def __init__(self, link, downstream, upstream):
        self.link = link
        self.downstream = downstream
        self.upstream = upstream
        self.forward = _Pipe(downstream, upstream)
        self.backward = _Pipe(upstream, downstream)
        self.listens = False
        # The next answer is lost, and the connection with it.
        self.doomed = False
        # Nothing passes any more, not even that an end was closed.
        self.silent = False

    def pipes(self):
        return self.forward, self.backward

    def holds(self, pipe) -> bool:
        if self.silent:
            return True
        settings = self.link.settings
        if pipe is self.forward:
            return settings.hold_forward
        return settings.hold_backward or (
            settings.hold_notifications and self.listens
        )


class _Link:
    def __init__(self, listen: str, upstream: str):
        family, address = _address(listen)
        self.listener = socket.socket(family)
        if family == socket.AF_INET:
            self.listener.setsockopt(
                socket.SOL_SOCKET, socket.SO_REUSEADDR, 1
            )
        self.listener.bind(address)
        if family == socket.AF_UNIX:
            # PostgreSQL's user connects, too.
            os.chmod(address, 0o777)
        self.listener.listen(128)
        self.listener.setblocking(False)
        self.upstream = upstream
        self.settings = Settings()
        self.connections = set()


class _Loop:
    """One thread that carries everything."""

    def __init__(self, commands):
        self._selector = selectors.DefaultSelector()
        self._links: dict[str, _Link] = {}
        self._commands = commands
        self._buffer = b""
        os.set_blocking(commands, False)
        self._selector.register(commands, selectors.EVENT_READ, None)

    def run(self):
        while True:
            for key, events in self._selector.select(self._patience()):
                if key.fileobj == self._commands:
                    if not self._obey():
                        return
                elif isinstance(key.data, _Link):
                    self._accept(key.data)
                else:
                    self._read(key.data, key.fileobj)
            self._move()

    def _patience(self):
        """How long until something held back is due."""
        due = [
            pipe.waiting[0][0]
            for link in self._links.values()
            for connection in link.connections
            for pipe in connection.pipes()
            if pipe.waiting and not connection.holds(pipe)
        ]
        if not due:
            return None
        return max(0.0, min(due) - time.monotonic())

    # --- Commands

    def _obey(self) -> bool:
        data = os.read(self._commands, _READ)
        if not data:
            return False
        self._buffer += data
        *lines, self._buffer = self._buffer.split(b"\n")
        for line in lines:
            command = json.loads(line)
            name = command.pop("do")
            try:
                answer = getattr(self, f"_do_{name}")(**command)
            except (OSError, KeyError) as error:
                answer = {"error": repr(error)}
            sys.stdout.write(json.dumps(answer or {}) + "\n")
            sys.stdout.flush()
        return True

    def _do_open(self, link, listen, upstream):
        self._links[link] = opened = _Link(listen, upstream)
        self._selector.register(
            opened.listener, selectors.EVENT_READ, opened
        )

    def _do_close(self, link):
        closed = self._links.pop(link)
        self._selector.unregister(closed.listener)
        closed.listener.close()
        for connection in list(closed.connections):
            self._drop(connection)

    def _do_set(self, link, **settings):
        changed = self._links[link]
        changed.settings = dataclasses.replace(changed.settings, **settings)
        for connection in changed.connections:
            self._watch(connection)

    def _do_direct(self, link, upstream):
        """Of connections to come."""
        self._links[link].upstream = upstream

    def _do_reset(self, link):
        for connection in list(self._links[link].connections):
            self._drop(connection)

    def _do_silence(self, link):
        for connection in self._links[link].connections:
            connection.silent = True
            self._watch(connection)

    def _do_reset_silent(self, link):
        for connection in list(self._links[link].connections):
            if connection.silent:
                self._drop(connection)

    # --- Connections

    def _accept(self, link):
        try:
            downstream, _ = link.listener.accept()
        except OSError:
            return
        family, address = _address(link.upstream)
        upstream = socket.socket(family)
        try:
            upstream.connect(address)
        except OSError:
            downstream.close()
            upstream.close()
            return
        for end in (downstream, upstream):
            end.setblocking(False)
            if end.family == socket.AF_INET:
                end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        connection = _Connection(link, downstream, upstream)
        link.connections.add(connection)
        self._watch(connection)

    def _watch(self, connection):
        """Reads from whom there is room for, and who is not held."""
        for pipe in connection.pipes():
            wanted = (
                not pipe.ended
                and pipe.size < _MOST_WAITING
                and not connection.holds(pipe)
            )
            watched = pipe.source in self._selector.get_map()
            if wanted and not watched:
                self._selector.register(
                    pipe.source, selectors.EVENT_READ, connection
                )
            elif watched and not wanted:
                self._selector.unregister(pipe.source)

    def _drop(self, connection):
        connection.link.connections.discard(connection)
        for end in (connection.downstream, connection.upstream):
            if end.fileno() >= 0 and end in self._selector.get_map():
                self._selector.unregister(end)
            end.close()

    def _read(self, connection, source):
        if source.fileno() < 0:
            return  # Dropped meanwhile.
        forward = source is connection.downstream
        pipe = connection.forward if forward else connection.backward
        try:
            data = source.recv(_READ)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        settings = connection.link.settings
        if not data:
            pipe.ended = True
        elif forward:
            connection.listens |= _LISTEN in data
            if settings.lose_commits and _COMMIT in data:
                connection.doomed = True
        elif connection.doomed:
            self._drop(connection)
            return
        if data:
            due = time.monotonic() + settings.delay
            pipe.waiting.append((due, data))
            pipe.size += len(data)
        self._watch(connection)

    def _move(self):
        now = time.monotonic()
        for link in self._links.values():
            for connection in list(link.connections):
                try:
                    self._move_one(connection, now)
                except OSError:
                    self._drop(connection)

    def _move_one(self, connection, now):
        for pipe in connection.pipes():
            moved = False
            while (
                pipe.waiting
                and pipe.waiting[0][0] <= now
                and not connection.holds(pipe)
            ):
                due, data = pipe.waiting[0]
                try:
                    sent = pipe.sink.send(data)
                except BlockingIOError:
                    # Soon again: who does not read is rare here.
                    pipe.waiting[0] = (now + 0.005, data)
                    break
                pipe.size -= sent
                moved = True
                if sent == len(data):
                    pipe.waiting.popleft()
                else:
                    pipe.waiting[0] = (due, data[sent:])
            if pipe.ended and not pipe.waiting:
                self._drop(connection)
                return
            if moved:
                self._watch(connection)


class Network:
    """The other process, and what it is told. Thread-safe; a context."""

    def __init__(self):
        self._lock = threading.Lock()
        self._process = subprocess.Popen(
            [sys.executable, "-B", __file__],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            bufsize=1,
            # A Ctrl-C is for the harness, which then ends this one.
            start_new_session=True,
        )

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._process.stdin.close()
        self._process.wait(10)
        self._process.stdout.close()

    def _do(self, name, **command):
        with self._lock:
            line = json.dumps({"do": name, **command})
            self._process.stdin.write(line + "\n")
            self._process.stdin.flush()
            answer = json.loads(self._process.stdout.readline() or "{}")
        if "error" in answer:
            raise RuntimeError(f"network: {name} {command}: {answer['error']}")

    def open(self, link: str, listen: str, upstream: str):
        self._do("open", link=link, listen=listen, upstream=upstream)

    def close(self, link: str):
        self._do("close", link=link)

    def set(self, link: str, **settings):
        """See Settings."""
        self._do("set", link=link, **settings)

    def direct(self, link: str, upstream: str):
        """Where connections go from now on; those that are stay."""
        self._do("direct", link=link, upstream=upstream)

    def reset(self, link: str):
        """Closes the connections."""
        self._do("reset", link=link)

    def silence(self, link: str):
        """Of the connections there are, neither end hears any more, not even
        that the other is gone: the host of one was lost. Later ones are as
        usual."""
        self._do("silence", link=link)

    def reset_silent(self, link: str):
        """Closes those: the host is back, and does not know them."""
        self._do("reset_silent", link=link)


if __name__ == "__main__":
    _Loop(sys.stdin.fileno()).run()
