"""Envoy asks again, and another server, when one does not answer a check."""

import concurrent.futures
import dataclasses
import time

import pytest

from .fake_authorization import FakeAuthorization
from .gateway import ENVOYS

pytestmark = pytest.mark.parametrize("name", ENVOYS)
CLIENTS, REQUESTS = 8, 40


@dataclasses.dataclass
class Stand:
    """A site with another server than tokend."""

    api: object
    port: int


def test_an_answer_that_takes_its_time_counts(name, start, site):
    """Mutant: a `max_interval` of 0.05s."""
    with FakeAuthorization(lambda _: time.sleep(0.12) or b"") as fake:
        gateway = start(name, Stand(site.api, fake.port), ready_status=200)
        # Now and then one may take longer than an attempt has.
        calm = 0
        for _ in range(25):
            begun = retries(gateway)
            status = gateway.exchange("/api/x").status
            calm += status == 200 and retries(gateway) == begun
            if calm == 5:
                break
        assert calm == 5


def retries(gateway) -> int:
    return gateway.stats("cluster.tokend.upstream_rq_retry")[""]


def test_another_server_is_asked_than_the_one_that_failed(name, start, site):
    """Whatever else goes on. Mutant: no `retry_host_predicate`."""
    edits = {
        # Nobody is there, and yet it is asked.
        "127.0.0.2, port_value: 7443": "127.0.0.2, port_value: 1",
        "healthy_panic_threshold: {value: 0}": (
            "healthy_panic_threshold: {value: 100}"
        ),
        "consecutive_5xx: 3": "consecutive_5xx: 1000000",
        # Of all that can fail here only that nobody is there does.
        "envoy_grpc: {cluster_name: tokend}\n" + " " * 24 + "timeout: 0.5s": (
            "envoy_grpc: {cluster_name: tokend}\n" + " " * 24 + "timeout: 10s"
        ),
        "max_interval: 0.2s": "max_interval: 5s",
    }
    with FakeAuthorization(lambda _: b"") as fake:
        stand = Stand(site.api, fake.port)
        gateway = start(name, stand, edits, ready_status=200)

        def ask(_):
            return [gateway.exchange("/api/x").status for _ in range(REQUESTS)]

        with concurrent.futures.ThreadPoolExecutor(CLIENTS) as pool:
            found = sum(pool.map(ask, range(CLIENTS)), [])
        assert found == [200] * (CLIENTS * REQUESTS), found
        stats = gateway.stats("cluster.tokend.upstream_rq_retry")
        assert stats["_success"] > 0
