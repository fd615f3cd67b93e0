"""A database that is slow, or broken, or shared with an older release."""

import contextlib
import time
import uuid

import grpc
import pytest
from harness import evidence
from harness.client import ACTOR, failing
from harness.nghttp import error_at_deadline
from harness.stubs import service_pb2, token_pb2
from harness.waiting import wait_until


def test_a_mutation_that_waits_too_long(fleet, project):
    server = fleet.start()
    with server.client() as client:
        created = client.create(project)
        with locked_change_head(fleet):
            with pytest.raises(grpc.RpcError) as raised:
                client.revoke(created.token.name, timeout=1)
            assert raised.value.code() == grpc.StatusCode.DEADLINE_EXCEEDED
            # The client's own clock has ended the call above. What the server
            # has to say about it is seen by one that waits longer than it
            # tells.
            code, info = error_at_deadline(
                server,
                "RevokeToken",
                service_pb2.RevokeTokenRequest(
                    name=created.token.name, actor=ACTOR
                ),
                "1S",
            )
            assert client.verdict(created.secret) == "VALID"
        assert code == grpc.StatusCode.DEADLINE_EXCEEDED.value[0]
        assert info.reason == "DEADLINE_TOO_SHORT"
        evidence.add_reason(info.reason, "DEADLINE_EXCEEDED")
        # Nothing was changed.
        time.sleep(0.5)
        assert client.verdict(created.secret) == "VALID"


def test_more_mutations_than_the_server_takes(fleet, project):
    server = fleet.start()
    request = service_pb2.CreateTokenRequest(
        parent=f"projects/{project}",
        actor=ACTOR,
        token=token_pb2.Token(display_name="x"),
    )
    with contextlib.ExitStack() as stack:
        client = stack.enter_context(server.client())
        # A connection has a bound of its own, of 100 calls.
        options = [("grpc.use_local_subchannel_pool", 1)]
        creators = [
            stack.enter_context(server.client(options=options))
            for _ in range(4)
        ]
        secret = client.create(project).secret
        with locked_change_head(fleet):
            calls = [
                creators[i % 4].tokens.CreateToken.future(request, timeout=5)
                for i in range(2000)
            ]
            # Validate is not held up.
            for _ in range(100):
                assert client.verdict(secret, timeout=10) == "VALID"
            codes = {call.code() for call in calls}
        assert grpc.StatusCode.RESOURCE_EXHAUSTED in codes
        assert evidence.reasons()["OVERLOADED"] == "RESOURCE_EXHAUSTED"
        wait_until(client.serving, 10, "calm")
        client.create(project)


class locked_change_head:
    """Holds the row that every change has to pass by."""

    def __init__(self, fleet):
        self._session = fleet.cluster.open_session(fleet.database)

    def __enter__(self):
        self._session.stdin.write(
            "BEGIN; SELECT 'locked' FROM change_head FOR UPDATE;\n"
        )
        self._session.stdin.flush()
        assert self._session.stdout.readline().strip() == "locked"

    def __exit__(self, *_):
        self._session.communicate("ROLLBACK;\n", timeout=10)


def test_request_id_after_its_window(fleet, project):
    server = fleet.start()
    with server.client() as client:
        request_id = str(uuid.uuid4())
        created = client.create(project, request_id=request_id)
        fleet.cluster.sql(
            fleet.database,
            "UPDATE requests SET create_time = create_time - interval '11 min'",
        )
        with failing(
            grpc.StatusCode.ALREADY_EXISTS, "REQUEST_ID_EXPIRED"
        ) as found:
            client.create(project, request_id=request_id)
        assert found[0].metadata == {"name": created.token.name}
        assert client.verdict(created.secret) == "VALID"


def test_a_fault_of_ours_says_nothing_of_its_inside(fleet, project):
    server = fleet.start()
    with server.client() as client:
        client.create(project)
        fleet.cluster.sql(
            fleet.database, "ALTER TABLE audit_log RENAME TO elsewhere"
        )
        with failing(grpc.StatusCode.INTERNAL, "INTERNAL") as found:
            client.create(project)
        for inside in ("audit_log", "SQL", "relation", "INSERT", "pqxx"):
            assert inside not in str(found[0])
        # PostgreSQL's own text may have values in it; its code has none.
        assert "42P01" in server.log()
        # Change, change log and audit are one: nothing was done.
        assert len(client.list_all(project)) == 1


def test_a_replica_that_cannot_read_the_change(fleet, project):
    """One of an older release, still listed."""
    server = fleet.start()
    with server.client() as client:
        created = client.create(project)
        fleet.cluster.sql(
            fleet.database,
            "INSERT INTO replicas (id, timeline, max_operation) "
            "VALUES ('of-old', '1', 0)",
        )
        with failing(
            grpc.StatusCode.FAILED_PRECONDITION, "REPLICA_TOO_OLD"
        ) as found:
            client.revoke(created.token.name)
        assert found[0].metadata["operation"]
        assert client.verdict(created.secret) == "VALID"
        fleet.cluster.sql(
            fleet.database, "DELETE FROM replicas WHERE id = 'of-old'"
        )
        client.revoke(created.token.name)
