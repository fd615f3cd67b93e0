"""A relay before PostgreSQL that loses the answer to a COMMIT, or holds back
everything, when told to."""

import os
import pathlib
import selectors
import shutil
import socket
import tempfile
import threading
import time

SOCKET = ".s.PGSQL.5432"


class Relay:
    """Listens on a Unix socket in a folder of its own; a context."""

    def __init__(self, cluster):
        self._upstream = str(cluster.folder / SOCKET)
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="wemasy-relay-"))
        self._listener = socket.socket(socket.AF_UNIX)
        self._listener.bind(str(self.folder / SOCKET))
        self._listener.listen()
        self.lose_next_commit = threading.Event()
        # While set, nothing passes and nothing is closed: a network that is
        # cut.
        self.hold = threading.Event()
        self._threads = [threading.Thread(target=self._accept, daemon=True)]
        self._threads[0].start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        # Wakes up accept().
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        shutil.rmtree(self.folder, ignore_errors=True)

    def url(self, database: str) -> str:
        return f"postgresql:///{database}?host={self.folder}&user=tokend"

    def _accept(self):
        while True:
            try:
                downstream, _ = self._listener.accept()
            except OSError:
                return
            upstream = socket.socket(socket.AF_UNIX)
            upstream.connect(self._upstream)
            threading.Thread(
                target=self._relay, args=(downstream, upstream), daemon=True
            ).start()

    def _relay(self, downstream, upstream):
        selector = selectors.DefaultSelector()
        selector.register(downstream, selectors.EVENT_READ, upstream)
        selector.register(upstream, selectors.EVENT_READ, downstream)
        try:
            while True:
                if self.hold.is_set():
                    time.sleep(0.01)
                    continue
                for key, _ in selector.select(0.05):
                    data = os.read(key.fd, 65536)
                    if not data:
                        return
                    loses = (
                        key.fileobj is downstream
                        # Not BEGIN ISOLATION LEVEL READ COMMITTED.
                        and b"COMMIT\0" in data
                        and self.lose_next_commit.is_set()
                    )
                    key.data.sendall(data)
                    if loses:
                        self.lose_next_commit.clear()
                        # The database has answered, so has committed.
                        upstream.recv(65536)
                        return
        except OSError:
            pass
        finally:
            selector.close()
            downstream.close()
            upstream.close()
