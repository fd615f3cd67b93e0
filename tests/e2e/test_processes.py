"""tokend as a supervisor sees it: exit codes, health, where it listens."""

import pathlib
import re
import resource
import signal
import subprocess
import tempfile

import grpc
import pytest
from grpc_health.v1 import health_pb2
from harness import paths
from harness.client import failing
from harness.ports import free_port
from harness.waiting import wait_until

OK, ERROR, USAGE, DATABASE_REFUSED, LOST_HISTORY, FAILED_CLOSED = range(6)

FORGED = "wmsy_kwoEaQxqGV4S3oUccpFeOf5Vafi37041P62J"
# A number in the order of changes that does nothing, and one that no version
# of tokend knows.
NOOP, FROM_THE_FUTURE = 1, 99


def tokend(*arguments) -> subprocess.CompletedProcess:
    return subprocess.run(
        [paths.binary("tokend"), *arguments],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


# --- tokend health


def health(address, *flags, timeout="10s"):
    return tokend(
        "health", f"--address={address}", f"--timeout={timeout}", *flags
    )


def tls_flags(certificate):
    return [
        f"--tls-ca={certificate.ca}",
        f"--tls-cert={certificate.certificate}",
        f"--tls-key={certificate.key}",
    ]


def test_health_of_a_server_that_serves(server):
    ours = [f"wemasy.tokens.v1.{s}Service" for s in ("Auth", "Self", "Token")]
    envoys = "envoy.service.auth.v3.Authorization"
    for name in ("", *ours, envoys, "liveness"):
        done = health(server.target, f"--service={name}")
        assert (done.returncode, done.stdout) == (OK, "serving\n"), done.stderr
    done = health(server.target, "--service=x.Y")
    assert (done.returncode, done.stdout) == (ERROR, "")
    assert done.stderr


def test_health_of_a_server_that_does_not(fleet):
    """One that listens and has no database, so that there is an answer."""
    nowhere = "postgresql:///tokens?host=/nonexistent&user=tokend"
    server = fleet.start(wait=False, database_url=nowhere)
    wait_until(lambda: "listening" in server.log(), 10, "the listener")
    done = health(server.target)
    assert (done.returncode, done.stdout) == (ERROR, "")
    assert "not serving" in done.stderr
    # To start it again would not help.
    assert health(server.target, "--service=liveness").returncode == OK


def test_health_where_nobody_listens():
    address = f"127.0.0.1:{free_port()}"
    done = health(address, timeout="300ms")
    assert (done.returncode, done.stdout) == (ERROR, "")
    assert address in done.stderr


def test_health_over_mtls(tls_server, certificates):
    """No role is needed for it, but a certificate, and the right server."""
    stranger = tls_flags(certificates["stranger"])
    for flags in (stranger, [*stranger, "--tls-server-name=localhost"]):
        done = health(tls_server.target, *flags)
        assert (done.returncode, done.stdout) == (OK, "serving\n"), done.stderr
    refused = {
        "no certificate": [f"--tls-ca={certificates['stranger'].ca}"],
        "plaintext": [],
        "another name": [*stranger, "--tls-server-name=tokens.example"],
    }
    for what, flags in refused.items():
        done = health(tls_server.target, *flags, timeout="1s")
        assert (done.returncode, done.stdout) == (ERROR, ""), what


def test_who_watches_health_is_told_and_does_not_keep_a_server(fleet):
    server = fleet.start(drain_timeout="120s")
    with server.client() as client:
        request = health_pb2.HealthCheckRequest(service="")
        statuses = client.health.Watch(request, timeout=60)
        assert next(statuses).status == health_pb2.HealthCheckResponse.SERVING
        server.process.send_signal(signal.SIGTERM)
        told = next(statuses).status
        assert told == health_pb2.HealthCheckResponse.NOT_SERVING
        with pytest.raises(grpc.RpcError) as ended:
            next(statuses)
        assert ended.value.code() == grpc.StatusCode.UNAVAILABLE
        # Long before calls that do not end are cancelled.
        assert server.process.wait(30) == OK


def test_no_threads_of_grpcs_callback_api(server):
    """They would make every Validate dearer: docs/adr/0024."""
    tasks = pathlib.Path(f"/proc/{server.process.pid}/task")
    names = {file.read_text().strip() for file in tasks.glob("*/comm")}
    assert "queue" in names
    assert "nexting_thread" not in names


def test_alerts_name_metrics_that_there_are(tls_server):
    rules = paths.SOURCE / "deploy" / "prometheus" / "alerts.yml"
    named = set(
        re.findall(
            r"\b(?:tokend|process|grpc_server)_\w+", rules.read_text("utf-8")
        )
    )
    assert len(named) > 10
    shown = set(re.findall(r"^\w+", tls_server.metrics(), re.MULTILINE))
    assert named <= shown, named - shown


@pytest.fixture
def core_limit():
    """As many bytes as we may have, at least one."""
    before = resource.getrlimit(resource.RLIMIT_CORE)
    most = before[1]
    assert most != 0, "ulimit -Hc is 0: nothing could be seen"
    resource.setrlimit(resource.RLIMIT_CORE, (most, most))
    yield most
    resource.setrlimit(resource.RLIMIT_CORE, before)


@pytest.mark.parametrize("allowed", [False, True])
def test_core_dumps(fleet, core_limit, allowed):
    server = fleet.start(allow_core_dumps=str(allowed).lower())
    soft, _ = resource.prlimit(server.process.pid, resource.RLIMIT_CORE)
    assert soft == (core_limit if allowed else 0)


# --- How a server ends


def add_change(fleet, operation):
    """Appends to the log what no request asks for."""
    fleet.cluster.sql(
        fleet.database,
        "WITH head AS (UPDATE change_head SET seq = seq + 1 RETURNING seq) "
        "INSERT INTO change_log (seq, operation, commit_time) "
        f"SELECT seq, {operation}, now() FROM head",
    )


def test_server_whose_row_was_deleted(fleet):
    """It notices at its next sync point, long before its lease ends: nobody
    waits for it any more."""
    server = fleet.start(lease_ttl="60s")
    fleet.cluster.sql(fleet.database, "DELETE FROM replicas")
    # A fifth of the lease, and some for a loaded machine.
    assert server.process.wait(12 + 20) == FAILED_CLOSED, server.log()
    assert '"reason":"row gone"' in server.log()
    # Started again it loads afresh, under a new row.
    server.start()


def test_change_of_a_later_version(fleet):
    server = fleet.start()
    add_change(fleet, FROM_THE_FUTURE)
    assert server.process.wait(60) == FAILED_CLOSED, server.log()
    assert '"reason":"unknown operation"' in server.log()
    assert f"operation {FROM_THE_FUTURE}" in server.log()


def test_hole_in_the_change_log(fleet):
    server = fleet.start()
    fleet.cluster.sql(fleet.database, "UPDATE change_head SET seq = seq + 1")
    assert server.process.wait(60) == FAILED_CLOSED, server.log()
    assert '"reason":"hole in the change log"' in server.log()


def accept_lost_history(fleet):
    owner = fleet.cluster.url(fleet.database, user="postgres")
    return tokend("accept-lost-history", f"--database-url={owner}")


def test_lost_history(fleet, project):
    """Closed across restarts, until an operator accepts the loss; what must
    be dead can be revoked before."""
    server = fleet.start(lease_ttl="2s")
    with server.client() as client:
        live = client.create(project)
        doubtful = client.create(project)
    add_change(fleet, NOOP)
    head = int(fleet.cluster.sql(fleet.database, "SELECT seq FROM change_head"))
    wait_until(lambda: applied_by(server) == head, 30, "the change")

    # As after a failover to a standby that did not have the last change.
    fleet.cluster.sql(
        fleet.database,
        "UPDATE change_head SET seq = seq - 1;"
        f"DELETE FROM change_log WHERE seq = {head}",
    )
    assert server.process.wait(60) == LOST_HISTORY, server.log()
    assert '"reason":"history lost"' in server.log()

    server.start(wait=False)
    wait_until(
        lambda: "until an operator" in server.log(), 10, "the closed server"
    )
    assert not server.is_ready()
    with server.client() as client:
        with failing(grpc.StatusCode.UNAVAILABLE, "LEASE_NOT_HELD"):
            client.validate(FORGED)
        client.revoke(doubtful.token.name)
        with failing(grpc.StatusCode.UNAVAILABLE, "LEASE_NOT_HELD"):
            client.validate(live.secret)

        done = accept_lost_history(fleet)
        assert done.returncode == OK, done.stderr
        said = re.search(r"last change is (\d+), .* has (\d+)", done.stdout)
        assert [int(n) for n in said.groups()] == [head - 1, head]
        server.wait_until_ready()
        assert client.verdict(live.secret) == "VALID"
        assert client.verdict(doubtful.secret) == "REVOKED"
        client.create(project)

    done = accept_lost_history(fleet)
    assert (done.returncode, done.stdout) == (
        OK,
        "no history was marked as lost\n",
    )


# Faults: close as if the row were all that is gone; serve on where another one
# has seen a loss.
def test_a_backup_without_the_servers_closes_them_all(fleet, project):
    a, b = fleet.start(), fleet.start(lease_ttl="2s")
    with a.client() as client:
        client.create(project)
    add_change(fleet, NOOP)
    head = int(fleet.cluster.sql(fleet.database, "SELECT seq FROM change_head"))
    for server in (a, b):
        wait_until(lambda s=server: applied_by(s) == head, 10, "the change")
    # The one whose lease is longer looks later, and finds nothing but the mark.
    fleet.cluster.sql(
        fleet.database,
        "UPDATE change_head SET seq = seq - 1;"
        f"DELETE FROM change_log WHERE seq = {head};"
        "DELETE FROM replicas WHERE id = (SELECT id FROM replicas"
        " ORDER BY renew_time DESC LIMIT 1)",
    )
    for server in (a, b):
        assert server.process.wait(60) == LOST_HISTORY, server.log()
        assert '"reason":"history lost"' in server.log()


def applied_by(server) -> int:
    found = re.search(
        r"^tokend_feed_applied_seq (\d+)", server.metrics(), re.MULTILINE
    )
    return int(found[1])


# --- Where it listens


@pytest.fixture
def socket_path():
    # In a short folder, as the path of a socket may have 107 bytes.
    with tempfile.TemporaryDirectory(prefix="wemasy-") as folder:
        yield pathlib.Path(folder, "tokend.sock")


def test_calls_over_a_unix_socket(fleet, project, socket_path):
    """Callers are `local`; the socket that a killed server left behind is no
    obstacle to the next."""
    server = fleet.start(listen=f"unix:{socket_path}")
    assert server.target == f"unix:{socket_path}"
    with server.client() as client:
        created = client.create(project)
        assert client.verdict(created.secret) == "VALID"
        events = client.audit(project).audit_events
        assert [event.caller for event in events] == ["local"]
    assert health(server.target).returncode == OK
    server.process.kill()
    server.process.wait()
    assert socket_path.exists()
    server.start()
    with server.client() as client:
        assert client.verdict(created.secret) == "VALID"


def test_address_that_is_taken(fleet, server):
    other = fleet.start(wait=False, listen=server.target)
    assert other.process.wait(60) == USAGE, other.log()
    assert server.target in other.log()


# Fault: take the socket's path away from the server that has it.
def test_unix_socket_that_is_taken(fleet, project, socket_path):
    first = fleet.start(listen=f"unix:{socket_path}")
    other = fleet.start(wait=False, listen=f"unix:{socket_path}")
    assert other.process.wait(60) == USAGE, other.log()
    assert "a server does already" in other.log()
    with first.client() as client:
        assert client.create(project).secret


# --- Who it is to the database


def test_database_password(private_fleet, tmp_path):
    """A wrong one is refused at once; no password gets into the log."""
    fleet = private_fleet
    hba = fleet.cluster.data / "pg_hba.conf"
    rules = hba.read_text(encoding="utf-8")
    hba.write_text(f"local all tokend scram-sha-256\n{rules}", encoding="utf-8")
    fleet.cluster.sql("postgres", "ALTER ROLE tokend PASSWORD 'right-one'")
    fleet.cluster.sql("postgres", "SELECT pg_reload_conf()")
    file = tmp_path / "password"
    for password in ("right-one", "wrong-one"):
        file.write_text(f"{password}\n", encoding="utf-8")
        right = password == "right-one"
        server = fleet.start(wait=right, database_password_file=file)
        if not right:
            assert server.process.wait(60) == DATABASE_REFUSED, server.log()
            assert "password authentication failed" in server.log()
        assert password not in server.log()
