"""Fixtures of the end-to-end tests.

One PostgreSQL cluster serves the whole run. Most tests share two servers, one
in plain text and one with mTLS, and keep apart by projects of their own; the
tests that break things bring databases and servers of their own.
"""

import collections
import contextlib
import itertools
import uuid

import pytest
from harness import evidence
from harness.certificates import DOMAIN, Authority
from harness.cluster import Cluster
from harness.server import Server, migrate


def pytest_configure(config):
    config.addinivalue_line(
        "markers", "last: looks at what all other tests left behind"
    )


def pytest_collection_modifyitems(items):
    items.sort(key=lambda item: item.get_closest_marker("last") is not None)


@pytest.fixture(scope="session")
def cluster():
    cluster = Cluster()
    evidence.add_log(str(cluster.log))
    yield cluster
    cluster.destroy()


@pytest.fixture(scope="session")
def authority(tmp_path_factory):
    return Authority(tmp_path_factory.mktemp("certificates") / "ca")


@pytest.fixture(scope="session")
def certificates(authority):
    """By the name of the caller."""
    alternative_names = {
        "server": "DNS:localhost,IP:127.0.0.1",
        "gateway": f"URI:{DOMAIN}/gateway",
        "backend": f"URI:{DOMAIN}/backend",
        "security": f"URI:{DOMAIN}/security",
        "all": f"URI:{DOMAIN}/all",
        "stranger": f"URI:{DOMAIN}/stranger",
        "nameless": "",
    }
    return {
        name: authority.issue(name, alternative_name)
        for name, alternative_name in alternative_names.items()
    }


@pytest.fixture(scope="session")
def database(cluster):
    return migrated_database(cluster)


def migrated_database(cluster):
    name = cluster.new_database()
    done = migrate(cluster.url(name, user="postgres"))
    assert done.returncode == 0, done.stderr
    evidence.add_database(cluster, name)
    return name


@pytest.fixture(scope="session")
def server(cluster, database, tmp_path_factory):
    """In plain text on loopback."""
    server = Server(
        tmp_path_factory.mktemp("server"),
        cluster.url(database),
        max_active_tokens=1100,
    ).start()
    yield server
    assert server.stop() == 0


@pytest.fixture(scope="session")
def tls_server(cluster, database, certificates, tmp_path_factory):
    """With mTLS, on the same database as `server`."""
    server = Server(
        tmp_path_factory.mktemp("tls_server"),
        cluster.url(database),
        certificate=certificates["server"],
    ).start()
    yield server
    assert server.stop() == 0


@pytest.fixture(scope="session")
def client(server):
    with server.client() as client:
        yield client


@pytest.fixture
def project():
    """The id of a project that no other test uses."""
    return f"p-{uuid.uuid4().hex[:16]}"


Fleet = collections.namedtuple("Fleet", "cluster database url start")


@pytest.fixture
def fleet(cluster, tmp_path):
    """A migrated database of the test's own, and servers on it."""
    yield from make_fleet(cluster, tmp_path)


@pytest.fixture
def private_fleet(tmp_path):
    """As `fleet`, on a cluster of the test's own, to be stopped."""
    with private_cluster() as cluster:
        yield from make_fleet(cluster, tmp_path)


@contextlib.contextmanager
def private_cluster():
    """One that is destroyed, and looked at all the same: see test_leaks."""
    cluster = Cluster()
    evidence.add_log(str(cluster.log))
    with contextlib.ExitStack() as stack:
        stack.callback(cluster.destroy)
        stack.callback(evidence.keep, cluster)
        yield cluster


def make_fleet(cluster, folder):
    name = migrated_database(cluster)
    servers = []
    numbers = itertools.count(1)

    def start(wait=True, **flags):
        # Load makes as many tokens as the machine can.
        flags.setdefault("max_active_tokens", 1_000_000)
        # Closer to the default would make tests of an outage slow.
        flags.setdefault("lease_ttl", "5s")
        flags.setdefault("lame_duck", "0s")
        url = flags.pop("database_url", cluster.url(name))
        server = Server(folder / f"server{next(numbers)}", url, **flags)
        servers.append(server)
        return server.start(wait)

    yield Fleet(cluster, name, cluster.url(name), start)
    for server in servers:
        server.stop()
