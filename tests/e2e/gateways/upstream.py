"""The API behind the gateways: says what it saw, and remembers it."""

import json
import socket
import threading
import time

from . import http1

# By this header of a request its record is found.
CASE = "case"


class Upstream:
    """Listens on a free port of 127.0.0.1, or on that one; a context.

    `/PREFIX/slow` takes its time, `/PREFIX/stream` answers with a response that
    does not end, and a request for an upgrade is granted, but for that of
    `/PREFIX/plain`: what comes then is sent back.
    """

    def __init__(self, host="127.0.0.1", port=0):
        self._listener = socket.create_server((host, port))
        self.port = self._listener.getsockname()[1]
        self._seen = []
        self._lock = threading.Lock()
        threading.Thread(target=self._accept, daemon=True).start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._listener.close()

    def saw(self, case: str) -> list:
        """The requests with this value of the header CASE."""
        with self._lock:
            return [each for each in self._seen if each.get(CASE) == case]

    def seen(self) -> list:
        with self._lock:
            return list(self._seen)

    def requests_of(self, token) -> list:
        """The requests of the token's bearer."""
        with self._lock:
            return [
                each
                for each in self._seen
                if each.get("x-wemasy-token") == token.name
            ]

    def _accept(self):
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            threading.Thread(
                target=self._serve, args=(connection,), daemon=True
            ).start()

    def _serve(self, connection):
        with connection:
            try:
                reader = http1.Reader(connection)
                while self._answer(connection, reader):
                    pass
            except (OSError, http1.Closed):
                pass

    def _answer(self, connection, reader) -> bool:
        """Answers one request; whether another may follow."""
        message = reader.head()
        reader.body(message)
        with self._lock:
            self._seen.append(message)
        method, target, _ = message.start.split(" ", 2)
        if message.all("upgrade") and not target.endswith("/plain"):
            protocol = message.all("upgrade")[0]
            head = (
                "HTTP/1.1 101 Switching Protocols\r\n"
                f"Connection: Upgrade\r\nUpgrade: {protocol}\r\n\r\n"
            )
            connection.sendall(head.encode("latin-1"))
            while data := reader.some():
                connection.sendall(data)
            return False
        if target.partition("?")[0].endswith("/stream"):
            self._stream(connection)
            return False
        if target.endswith("/slow"):
            time.sleep(0.2)
        body = json.dumps({"seen": message.start}).encode()
        head = f"HTTP/1.1 200 OK\r\nContent-Length: {len(body)}\r\n\r\n"
        connection.sendall(head.encode() + (b"" if method == "HEAD" else body))
        return True

    @staticmethod
    def _stream(connection):
        connection.sendall(
            b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n"
            b"Transfer-Encoding: chunked\r\n\r\n"
        )
        event = b"data: " + b"x" * 1000 + b"\n\n"
        while True:
            connection.sendall(b"%x\r\n%s\r\n" % (len(event), event))
            time.sleep(0.05)
