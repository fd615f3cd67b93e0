"""What was let in before its token was revoked ends at the configured age, or
is named as what a gateway cannot end."""

import concurrent.futures
import contextlib
import dataclasses
import time

import pytest

from . import gateway as gateways
from . import http1, http2
from .conftest import SCOPES, issue
from .gateway import GATEWAYS, STREAM_AGE
from .outcomes import INVALID, check_response
from .streams import KINDS, ends_by_age

AGE_SECONDS = 2
# Gateways look at the clock now and then, and this machine may be slow.
LATE_SECONDS = 6
# How long after that a stream is given up on.
PATIENCE_SECONDS = AGE_SECONDS + LATE_SECONDS + 1
ENDED = (OSError, http1.Closed)


@dataclasses.dataclass
class Ended:
    """When a stream ended after it began, and after its token's end."""

    age: float
    received: int


def bearer(token):
    return ("Authorization", f"Bearer {token.secret}")


def response(gateway, token, revoke):
    with gateway.connect() as connection:
        begun = time.monotonic()
        connection.send(http1.request("/pages/stream", [bearer(token)]))
        assert connection.reader.head().status == 200
        connection.reader.some()
        revoke()
        received = 0
        with contextlib.suppress(*ENDED):
            while time.monotonic() - begun < PATIENCE_SECONDS:
                data = connection.reader.some()
                if not data:
                    break
                received += len(data)
        return Ended(time.monotonic() - begun, received)


def websocket(gateway, token, revoke):
    upgrade = [("Connection", "Upgrade"), ("Upgrade", "websocket")]
    with gateway.connect() as connection:
        data = http1.request("/pages/ws", [bearer(token), *upgrade])
        begun = time.monotonic()
        assert connection.exchange(data).status == 101
        revoke()
        received = 0
        with contextlib.suppress(*ENDED):
            while time.monotonic() - begun < PATIENCE_SECONDS:
                connection.socket.sendall(b"frame")
                data = connection.reader.some()
                if not data:
                    break
                received += len(data)
                time.sleep(0.05)
        return Ended(time.monotonic() - begun, received)


def upload(gateway, token, revoke):
    """A request's body that does not end."""
    with gateway.connect() as connection:
        head = http1.request(
            "/pages/upload",
            [bearer(token), ("Content-Length", "1000000")],
            method="POST",
        )
        begun = time.monotonic()
        connection.socket.sendall(head)
        revoke()
        sent = 0
        connection.socket.settimeout(0.05)
        while time.monotonic() - begun < PATIENCE_SECONDS:
            try:
                connection.socket.sendall(b"x")
                sent += 1
                if not connection.socket.recv(1, http1.socket.MSG_PEEK):
                    break
                connection.reader.response()
                break
            except TimeoutError:
                continue
            except ENDED:
                break
        return Ended(time.monotonic() - begun, sent)


def http2_response(gateway, token, revoke):
    with concurrent.futures.ThreadPoolExecutor() as executor:
        begun = time.monotonic()
        headers = [("authorization", f"Bearer {token.secret}")]
        streaming = executor.submit(
            http2.send,
            gateway.http2_port,
            "/pages/stream",
            headers,
            seconds=PATIENCE_SECONDS,
        )
        while not gateway.site.api.requests_of(token):
            assert time.monotonic() - begun < 5, "no stream"
            time.sleep(0.01)
        revoke()
        answer = streaming.result()
        return Ended(time.monotonic() - begun, len(answer.body))


WAYS = {
    "response": response,
    "response over HTTP/2": http2_response,
    "WebSocket": websocket,
    "upload": upload,
}
assert set(WAYS) == set(KINDS)


@pytest.fixture(scope="module")
def short(site, tmp_path_factory):
    """All gateways, with a small age."""
    with contextlib.ExitStack() as stack:
        yield {
            name: stack.enter_context(
                gateways.make(
                    name,
                    tmp_path_factory.mktemp(f"short-{name}"),
                    site,
                    {STREAM_AGE: f"{AGE_SECONDS}s"} if name != "nginx" else {},
                )
            )
            for name in GATEWAYS
        }


@pytest.fixture(scope="module")
def ended(short, site):
    """All streams at once, as they take their time."""

    def run(way, gateway):
        token = issue(site.client, scopes=SCOPES)
        found = way(gateway, token, lambda: site.client.revoke(token.name))
        request = http1.request("/pages/x", [bearer(token)])
        with gateway.connect() as connection:
            check_response(INVALID, connection.exchange(request))
        return found

    with concurrent.futures.ThreadPoolExecutor(32) as executor:
        return {
            (name, kind): executor.submit(run, way, gateway)
            for name, gateway in short.items()
            for kind, way in WAYS.items()
        }


@pytest.mark.parametrize("name", GATEWAYS)
@pytest.mark.parametrize("kind", KINDS)
def test_streams_end_at_the_age(kind, name, ended):
    found = ended[name, kind].result()
    assert found.received > 0
    if ends_by_age(name, kind):
        assert AGE_SECONDS - 0.5 < found.age < AGE_SECONDS + LATE_SECONDS
    else:
        assert found.age >= PATIENCE_SECONDS


@pytest.mark.parametrize("kind", ["response", "WebSocket"])
def test_a_reload_of_nginx_ends_streams(kind, start, site):
    """After what worker_shutdown_timeout says."""
    gateway = start("nginx", site)
    token = issue(site.client, scopes=SCOPES)

    def revoke():
        site.client.revoke(token.name)
        gateway.reload()

    found = WAYS[kind](gateway, token, revoke)
    assert found.received > 0
    assert found.age < PATIENCE_SECONDS - 1
