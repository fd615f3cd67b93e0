"""HTTP/1.1 byte by byte: no client library puts in order what a test sends."""

import contextlib
import dataclasses
import hashlib
import socket

TIMEOUT_SECONDS = 20


class Closed(Exception):
    """The other side has ended the connection."""


@dataclasses.dataclass
class Message:
    """A request or a response as it was read."""

    start: str
    headers: list
    body: bytes = b""
    trailers: list = dataclasses.field(default_factory=list)

    @property
    def status(self) -> int:
        return int(self.start.split(" ")[1])

    def all(self, name: str) -> list:
        """The values of a header, whatever the case of its name."""
        return [v for n, v in self.headers if n.lower() == name.lower()]

    def get(self, name: str):
        values = self.all(name)
        return values[0] if len(values) == 1 else values or None

    @property
    def digest(self) -> str:
        return hashlib.sha256(self.body).hexdigest()


class Reader:
    """Reads messages off a socket."""

    def __init__(self, connection: socket.socket):
        self._file = connection.makefile("rb")

    def line(self) -> bytes:
        line = self._file.readline(1 << 20)
        if not line.endswith(b"\n"):
            raise Closed()
        return line.rstrip(b"\r\n")

    def fields(self) -> list:
        found = []
        while line := self.line():
            name, _, value = line.decode("latin-1").partition(":")
            found.append((name, value.strip(" \t")))
        return found

    def exactly(self, size: int) -> bytes:
        data = self._file.read(size)
        if len(data) != size:
            raise Closed()
        return data

    def some(self) -> bytes:
        return self._file.read1(65536)

    def head(self) -> Message:
        return Message(self.line().decode("latin-1"), self.fields())

    def body(self, message: Message, until_close=False):
        """Reads what comes after the head, trailers included."""
        if "chunked" in (message.get("transfer-encoding") or ""):
            while size := int(self.line().split(b";")[0], 16):
                message.body += self.exactly(size)
                self.exactly(2)
            message.trailers = self.fields()
        elif message.all("content-length"):
            message.body = self.exactly(int(message.all("content-length")[0]))
        elif until_close:
            message.body = self._file.read()

    def response(self, method="GET") -> Message:
        """A whole response; interim ones are passed over."""
        message = self.head()
        while 100 <= message.status < 200 and message.status != 101:
            message = self.head()
        if method != "HEAD" and message.status not in (101, 204, 304):
            self.body(message, until_close=True)
        return message


class Connection:
    """A connection to a gateway, with TLS if there is an SSLContext; a
    context."""

    def __init__(self, port: int, tls=None):
        address = ("127.0.0.1", port)
        self.socket = socket.create_connection(address, TIMEOUT_SECONDS)
        if tls:
            self.socket = tls.wrap_socket(
                self.socket, server_hostname="localhost"
            )
        self.reader = Reader(self.socket)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()

    def send(self, data: bytes):
        # Refused before all was sent, there is a response to be read.
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):
            self.socket.sendall(data)

    def exchange(self, data: bytes, method="GET") -> Message:
        self.send(data)
        return self.reader.response(method)


def encode(value) -> bytes:
    """Text goes out as it is written, other bytes by their numbers."""
    return value if isinstance(value, bytes) else value.encode("latin-1")


def request(
    target, headers=(), method="GET", body=None, chunked=False, trailers=()
) -> bytes:
    """The bytes of a request. Headers are sent as they are given."""
    lines = [f"{method} ".encode() + encode(target) + b" HTTP/1.1"]
    if not any(name.lower() == "host" for name, _ in headers):
        lines.append(b"Host: api.example")
    lines += [encode(name) + b": " + encode(value) for name, value in headers]
    if chunked:
        lines.append(b"Transfer-Encoding: chunked")
        if trailers:
            names = ", ".join(name for name, _ in trailers)
            lines.append(b"Trailer: " + encode(names))
    elif body is not None:
        lines.append(b"Content-Length: %d" % len(body))
    data = b"\r\n".join(lines) + b"\r\n\r\n"
    if not chunked:
        return data + (body or b"")
    for start in range(0, len(body), 10_000):
        part = body[start : start + 10_000]
        data += b"%x\r\n" % len(part) + part + b"\r\n"
    data += b"0\r\n"
    for name, value in trailers:
        data += encode(name) + b": " + encode(value) + b"\r\n"
    return data + b"\r\n"
