"""Servers that are away, silent or without a lease: a request never passes."""

import contextlib
import json
import signal

import pytest
from conftest import migrated_database, private_cluster
from harness.waiting import wait_until

from . import cases
from . import gateway as gateways
from .conftest import SCOPES, issue
from .gateway import ENVOYS, GATEWAYS
from .running import run, send
from .site import Site

# A gateway hears of a server's state within two health checks, each of which
# may take half a second; and this machine may be slow.
HEARS_SECONDS = 30


class Trouble:
    """A site that may be broken, and all gateways before it."""

    def __init__(self, cluster, site, started):
        self.cluster = cluster
        self.site = site
        self.gateways = started
        self.tokens = {"valid": issue(site.client, scopes=SCOPES)}

    def status(self, gateway) -> int:
        case = cases.NO_SERVER
        return send(case, gateway, self.site, self.tokens)[0].status

    def check_all(self, case):
        """The outcome is the case's, at the latest after a moment.

        Until then a gateway may say in other ways that it cannot tell.
        """
        for gateway in self.gateways:

            def is_settled(gateway=gateway):
                found = self.status(gateway)
                assert found >= 500, f"{gateway.name} says {found}"
                try:
                    run(case, gateway, self.site, self.tokens)
                except AssertionError:
                    return False
                return True

            wait_until(is_settled, HEARS_SECONDS, gateway.name)
        for gateway in self.gateways:
            for _ in range(5):
                run(case, gateway, self.site, self.tokens)
        for gateway in self.gateways:
            if gateway.name in ENVOYS:
                self.check_holder(gateway)
                # Those that are known to be unwell are not asked at all.
                panics = gateway.stats("cluster.tokend.lb_healthy_panic")
                assert panics[""] == 0

    def check_holder(self, gateway):
        """Who asks about itself is told to try again, at the latest after a
        moment; until then it may be that it took too long."""

        def is_told():
            response = gateway.exchange(
                "/v1/self",
                [("Authorization", f"Bearer {self.tokens['valid'].secret}")],
            )
            assert response.status in (503, 504), response
            if response.status == 504:
                return False
            assert response.get("retry-after") == "1"
            assert response.get("content-type") == "application/json"
            assert json.loads(response.body)["code"] == 14
            return True

        wait_until(is_told, HEARS_SECONDS, f"the holder's route {gateway.name}")

    def check_recovery(self):
        for server in self.site.servers:
            wait_until(server.is_ready, 30, "a lease")
        for gateway in self.gateways:
            wait_until(
                lambda gateway=gateway: (
                    [self.status(gateway) for _ in self.site.servers]
                    == [200] * len(self.site.servers)
                ),
                15,
                f"recovery of {gateway.name}",
            )


@pytest.fixture(scope="module")
def trouble(tmp_path_factory):
    folder = tmp_path_factory.mktemp("trouble")
    with contextlib.ExitStack() as stack:
        cluster = stack.enter_context(private_cluster())
        url = cluster.url(migrated_database(cluster))
        site = stack.enter_context(Site(folder, url, lease_ttl="3s"))
        started = [
            stack.enter_context(gateways.make(name, folder / name, site))
            for name in GATEWAYS
        ]
        yield Trouble(cluster, site, started)


def test_servers_without_a_lease(trouble):
    trouble.check_recovery()
    trouble.cluster.stop("immediate")
    try:
        for server in trouble.site.servers:
            wait_until(lambda s=server: not s.is_ready(), 10, "a lease's end")
        trouble.check_all(cases.NO_LEASE)
    finally:
        trouble.cluster.start()
    trouble.check_recovery()


def test_servers_that_do_not_answer(trouble):
    trouble.check_recovery()
    for server in trouble.site.servers:
        server.freeze()
    try:
        trouble.check_all(cases.SILENT)
    finally:
        for server in trouble.site.servers:
            server.thaw()
    trouble.check_recovery()


def test_one_server_of_two_is_enough(trouble):
    trouble.check_recovery()
    one = trouble.site.servers[1]
    one.stop(signal.SIGKILL)

    def all_pass():
        return [trouble.status(g) for g in trouble.gateways] == [200] * len(
            trouble.gateways
        )

    try:
        wait_until(
            lambda: all(all_pass() for _ in range(4)), HEARS_SECONDS, "one"
        )
    finally:
        one.start()
    trouble.check_recovery()


def test_no_server(trouble):
    trouble.check_recovery()
    for server in trouble.site.servers:
        server.stop(signal.SIGKILL)
    try:
        trouble.check_all(cases.NO_SERVER)
    finally:
        for server in trouble.site.servers:
            server.start()
    trouble.check_recovery()
