"""Envoy under load: what is revoked is refused at once, and servers come and go
without a failed request."""

import concurrent.futures
import contextlib
import re
import signal
import subprocess
import time

import pytest
from conftest import migrated_database
from harness.waiting import wait_until

from . import http1
from .conftest import issue
from .site import Site

# The most that may be under way at one time.
CONNECTIONS, STREAMS = 4, 4
REVOKED = 2000
REVOKERS = 8


@pytest.fixture(scope="module")
def busy(cluster, tmp_path_factory):
    """Servers of which one may go, slowly enough for Envoy to see it."""
    url = cluster.url(migrated_database(cluster))
    folder = tmp_path_factory.mktemp("busy")
    flags = {"lame_duck": "4s", "max_active_tokens": 10_000}
    with Site(folder, url, **flags) as site:
        yield site


@pytest.fixture
def envoy(busy, start):
    return start("envoy-new", busy)


class H2load:
    """Requests with one token, for some seconds; a context."""

    def __init__(self, envoy, token, seconds):
        self._command = [
            *("h2load", "--warm-up-time=1", "-D", str(seconds), "-t", "1"),
            *("-c", str(CONNECTIONS), "-m", str(STREAMS)),
            *("-H", f"authorization: Bearer {token.secret}"),
            f"http://127.0.0.1:{envoy.port}/api/x",
        ]
        self._process = None

    def __enter__(self):
        self._process = subprocess.Popen(
            self._command, stdout=subprocess.PIPE, text=True
        )
        return self

    def __exit__(self, *_):
        self._process.kill()
        self._process.wait()

    def result(self) -> dict:
        """How many answers there were of each kind, and how many failed."""
        text, _ = self._process.communicate()
        print(text)
        found = {}
        for count, kind in re.findall(r"(\d+) ([2345])xx", text):
            found[f"{kind}xx"] = int(count)
        for kind in ("failed", "errored", "timeout"):
            found[kind] = int(re.search(rf"(\d+) {kind}", text)[1])
        return found


def unwell(result) -> int:
    """Requests that did not get the answer of the API."""
    others = ("3xx", "4xx", "5xx", "failed", "errored", "timeout")
    return sum(result[kind] for kind in others)


def status(connection, secret) -> int:
    headers = [("Authorization", f"Bearer {secret}")]
    data = http1.request("/api/x", headers)
    return connection.exchange(data, "GET").status


def test_what_is_revoked_is_refused_on_the_next_request(busy, envoy):
    """On every one of many connections, with the servers in turn."""
    with concurrent.futures.ThreadPoolExecutor(REVOKERS) as executor:
        tokens = list(
            executor.map(
                lambda number: issue(busy.client, f"p{number % 4}"),
                range(REVOKED),
            )
        )

    def live_and_die(mine):
        wrong = []
        with contextlib.ExitStack() as stack:
            connections = [
                stack.enter_context(envoy.connect()) for _ in range(2)
            ]
            for token in mine:
                for connection in connections:
                    if (found := status(connection, token.secret)) != 200:
                        wrong.append(f"live: {found}")
                busy.client.revoke(token.name)
                # Twice on each, so that either server has been asked.
                for connection in connections * 2:
                    if (found := status(connection, token.secret)) != 401:
                        wrong.append(f"revoked: {found}")
        return wrong

    with H2load(envoy, issue(busy.client), seconds=60) as load:
        begun = time.monotonic()
        with concurrent.futures.ThreadPoolExecutor(REVOKERS) as executor:
            parts = [tokens[part::REVOKERS] for part in range(REVOKERS)]
            wrong = sum(executor.map(live_and_die, parts), [])
        took = time.monotonic() - begun
        result = load.result()
    print(f"{REVOKED} tokens revoked in {took:.1f} s")
    refusals = [line for line in envoy.log().splitlines() if ":503" in line]
    print(*refusals[:5], sep="\n")
    print({n: v for n, v in envoy.stats("cluster.tokend.").items() if v})
    assert not wrong, wrong[:10]
    assert result["2xx"] > 1000
    assert unwell(result) == 0, result


def test_a_server_that_drains_costs_no_request(busy, envoy):
    one = busy.servers[1]
    with H2load(envoy, issue(busy.client), seconds=12) as load:
        time.sleep(3)
        assert one.stop() == 0
        result = load.result()
    one.start()
    wait_until(one.is_ready, 30, "a server that is back")
    assert result["2xx"] > 1000
    assert unwell(result) == 0, result


def test_a_server_that_dies_costs_what_was_under_way(busy, envoy):
    one = busy.servers[1]
    with H2load(envoy, issue(busy.client), seconds=10) as load:
        time.sleep(3)
        one.stop(signal.SIGKILL)
        result = load.result()
    one.start()
    wait_until(one.is_ready, 30, "a server that is back")
    assert result["2xx"] > 1000
    assert result["4xx"] == 0
    assert unwell(result) <= CONNECTIONS * STREAMS, result
