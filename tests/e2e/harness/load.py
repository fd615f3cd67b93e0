"""Callers that do not stop, and remember what they were told."""

import dataclasses
import threading
import time
import uuid

import grpc

from . import evidence, paths
from .client import Client

# What clients are meant to use. Every create carries a request_id, so that it
# too may be repeated.
SERVICE_CONFIG = (paths.SOURCE / "deploy" / "service-config.json").read_text()


@dataclasses.dataclass
class Sent:
    """A token that a caller asked for, and what it was told about it."""

    request_id: str
    display_name: str
    name: str = ""
    secret: str = ""
    # Whether a revoke was sent, and whether it was acknowledged.
    revoking: bool = False
    revoked: bool = False
    # Whether there is no more to come.
    done: bool = False


class Load:
    """Creates, validates and revokes in several threads, as a context."""

    def __init__(self, servers, project, threads=4, retries=True):
        target = "ipv4:" + ",".join(server.target for server in servers)
        options = [
            ("grpc.use_local_subchannel_pool", 1),
            # A server that is away at first is found soon after it came.
            ("grpc.max_reconnect_backoff_ms", 2000),
        ]
        if retries:
            options.append(("grpc.service_config", SERVICE_CONFIG))
        self._client = Client(target, options=options)
        self._project = project
        self._retries = retries
        self._stop = threading.Event()
        self._threads = [
            threading.Thread(target=self._run, args=(i,))
            for i in range(threads)
        ]
        self._lock = threading.Lock()
        self.sent: list[Sent] = []
        self.failures: list[str] = []
        self.calls = 0

    def __enter__(self):
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_):
        self._stop.set()
        for thread in self._threads:
            thread.join()
        self._client.close()

    def _run(self, number):
        round_number = 0
        while not self._stop.is_set():
            round_number += 1
            token = Sent(str(uuid.uuid4()), f"{number}/{round_number}")
            with self._lock:
                self.sent.append(token)
            try:
                self._live(token, round_number % 2 == 0)
            except grpc.RpcError as error:
                with self._lock:
                    self.failures.append(f"{error.code()}: {error.details()}")
                time.sleep(0.1)

    def _live(self, token, revoke):
        created = self._settled(
            lambda: self._client.create(
                self._project, token.display_name, request_id=token.request_id
            )
        )
        token.name, token.secret = created.token.name, created.secret
        self._client.validate(token.secret)
        calls = 2
        if revoke:
            token.revoking = True
            self._settled(lambda: self._client.revoke(token.name))
            token.revoked = True
            calls = 3
        token.done = True
        with self._lock:
            self.calls += calls

    def _settled(self, call):
        """Repeats a call in doubt, as the contract says: it may be."""
        for _ in range(3 if self._retries else 0):
            try:
                return call()
            except grpc.RpcError as error:
                if evidence.Failure(error).reason != "COMMIT_IN_DOUBT":
                    raise
        return call()
