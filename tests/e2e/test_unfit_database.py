"""Databases that a server must refuse, and what migrations leave."""

import concurrent.futures

import pytest
from harness.server import migrate
from harness.waiting import wait_until

DATABASE_REFUSED = 3


def serve_refused(fleet, **flags):
    """Starts a server that must end by itself; returns its log."""
    server = fleet.start(wait=False, **flags)
    assert server.process.wait(60) == DATABASE_REFUSED, server.log()
    return server.log()


def test_database_without_schema(fleet):
    empty = fleet.cluster.new_database()
    log = serve_refused(fleet, database_url=fleet.cluster.url(empty))
    assert "migrate" in log


def test_database_with_a_newer_schema(fleet):
    """One that its migration says is not for this binary."""
    fleet.cluster.sql(
        fleet.database,
        "INSERT INTO schema_migrations (version, name, checksum, "
        "compatible_with) SELECT max(version) + 1, 'next', 'x', "
        "max(version) + 1 FROM schema_migrations",
    )
    assert "run a newer binary" in serve_refused(fleet)
    done = migrate(fleet.cluster.url(fleet.database, user="postgres"))
    assert done.returncode == DATABASE_REFUSED, done.stderr
    assert "run a newer binary" in done.stderr


def test_database_that_does_not_know_us(fleet):
    url = fleet.cluster.url(fleet.database, user="nobody_known")
    assert "nobody_known" in serve_refused(fleet, database_url=url)


def test_database_that_comes_back_without_schema(private_fleet):
    """A server waits for one that is away, and not for one that is not fit."""
    cluster = private_fleet.cluster
    empty = cluster.new_database()
    cluster.stop("immediate")
    server = private_fleet.start(wait=False, database_url=cluster.url(empty))
    wait_until(lambda: "waiting for it" in server.log(), 15, "no waiting")
    cluster.start()
    assert server.process.wait(60) == DATABASE_REFUSED, server.log()
    assert "migrate" in server.log()


def test_two_migrations_at_once(cluster):
    for _ in range(3):
        database = cluster.new_database()
        url = cluster.url(database, user="postgres")
        with concurrent.futures.ThreadPoolExecutor() as executor:
            runs = list(executor.map(migrate, [url] * 3))
        assert [run.returncode for run in runs] == [0, 0, 0], [
            run.stderr for run in runs
        ]
        assert migrate(url).returncode == 0


def test_the_servers_role_is_a_small_one(fleet, project):
    """It can neither drop a table nor rewrite the audit trail."""
    server = fleet.start()
    with server.client() as client:
        client.create(project)
    for statement in (
        "DROP TABLE tokens",
        "ALTER TABLE tokens ADD COLUMN x int",
        "UPDATE audit_log SET actor = 'eve'",
        "DELETE FROM audit_log",
        "TRUNCATE audit_log",
    ):
        with pytest.raises(
            RuntimeError, match="ermission denied|must be owner"
        ):
            fleet.cluster.sql(fleet.database, f"SET ROLE tokend; {statement}")


def test_database_that_forgets_in_a_crash(private_fleet):
    """Whoever turned fsync off may lose a revocation that was acknowledged."""
    private_fleet.cluster.sql("postgres", "ALTER SYSTEM SET fsync = off")
    private_fleet.cluster.sql("postgres", "SELECT pg_reload_conf()")
    assert "fsync" in serve_refused(private_fleet)
