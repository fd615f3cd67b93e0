"""The whole life of a token, by clients that are not ours: Python stubs and
grpcurl through reflection, in plain text and over mTLS."""

import base64
import hashlib
import json
import re
import time
import uuid

import grpc
import pytest
from harness import evidence, paths
from harness.client import ACTOR, failing
from harness.commands import grpcurl
from harness.stubs import audit_pb2, service_pb2, token_pb2
from harness.waiting import wait_until

SECRET = re.compile(r"wmsy_[0-9A-Za-z]{36}")
NAME = re.compile(r"projects/[a-z0-9-]+/tokens/t[0-9a-v]{26}")


@pytest.fixture(params=["plaintext", "mtls"])
def transport(request, certificates):
    """A server and the certificate of a caller who may do everything."""
    if request.param == "plaintext":
        return request.getfixturevalue("server"), None
    return request.getfixturevalue("tls_server"), certificates["all"]


@pytest.fixture
def any_client(transport):
    server, certificate = transport
    with server.client(certificate and certificate.credentials()) as client:
        yield client


def test_life_by_python_stubs(any_client, project):
    client = any_client
    created = client.create(
        project,
        "CI deploy",
        description="deploys\nthe site",
        scopes=["pages:write", "pages:read"],
        metadata={"tier": "gold"},
    )
    token = created.token
    assert SECRET.fullmatch(created.secret)
    assert NAME.fullmatch(token.name)
    assert token.name.startswith(f"projects/{project}/")
    assert token.display_name == "CI deploy"
    assert token.state == token_pb2.TOKEN_STATE_ACTIVE
    assert list(token.scopes) == ["pages:read", "pages:write"]
    assert token.creator == ACTOR
    assert token.hint == created.secret[-4:]
    assert re.fullmatch(r'"[^"]+"', token.etag)
    assert not token.HasField("expire_time")
    assert not token.HasField("revoke_time")
    assert abs(token.create_time.seconds - time.time()) < 60

    # Found at once.
    answer = client.validate(created.secret, required_scopes=["pages:read"])
    assert answer.token == token.name
    assert answer.project == f"projects/{project}"
    assert answer.creator == ACTOR
    assert list(answer.scopes) == ["pages:read", "pages:write"]
    assert dict(answer.metadata) == {"tier": "gold"}
    assert client.verdict(created.secret) == "VALID"
    assert (
        client.verdict(created.secret, required_scopes=["pages:admin"])
        == "INSUFFICIENT_SCOPE"
    )
    assert (
        client.verdict(created.secret, expected_project="projects/other")
        == "WRONG_PROJECT"
    )

    assert client.get(token.name).name == token.name
    assert [t.name for t in client.list_all(project)] == [token.name]

    updated = client.update(
        token.name,
        ["display_name", "scopes"],
        display_name="Ünïcode ✓",
        scopes=["pages:read"],
        etag=token.etag,
    )
    assert updated.display_name == "Ünïcode ✓"
    assert updated.etag != token.etag
    # What a narrowing took away is refused on the very next call.
    assert (
        client.verdict(created.secret, required_scopes=["pages:write"])
        == "INSUFFICIENT_SCOPE"
    )

    rotated = client.rotate(token.name)
    assert rotated.token.name == token.name
    assert rotated.secret != created.secret
    assert rotated.token.hint == rotated.secret[-4:]
    assert client.verdict(created.secret) == "REVOKED"
    assert client.verdict(rotated.secret) == "VALID"

    revoked = client.revoke(
        token.name,
        reason=token_pb2.REVOKE_REASON_COMPROMISED,
        comment="laptop stolen",
    )
    assert revoked.token.state == token_pb2.TOKEN_STATE_REVOKED
    assert revoked.token.revoker == ACTOR
    assert revoked.receipt.change_number > 0
    assert revoked.receipt.HasField("confirm_time")
    answer = client.validate(rotated.secret)
    assert client.verdict(rotated.secret) == "REVOKED"
    assert answer.token == token.name
    assert not answer.project
    assert not answer.scopes

    # Revoked, never deleted.
    again = client.revoke(
        token.name, reason=token_pb2.REVOKE_REASON_UNUSED, actor="user-8"
    )
    assert again.token.revoke_time == revoked.token.revoke_time
    assert again.token.revoke_reason == token_pb2.REVOKE_REASON_COMPROMISED
    assert again.token.revoker == ACTOR
    assert again.token.revoke_comment == "laptop stolen"
    assert [t.name for t in client.list_all(project)] == [token.name]

    events = client.audit(project).audit_events
    assert [event.action for event in events] == [
        audit_pb2.AUDIT_ACTION_CREATED,
        audit_pb2.AUDIT_ACTION_UPDATED,
        audit_pb2.AUDIT_ACTION_ROTATED,
        audit_pb2.AUDIT_ACTION_REVOKED,
    ]
    assert {event.token for event in events} == {token.name}
    assert {event.actor for event in events} == {ACTOR}
    assert all(event.caller for event in events)
    assert all(event.request_id for event in events)


def test_leaked_tokens_die(any_client, project):
    client = any_client
    by_secret = client.create(project, "by secret")
    by_digest = client.create(project, "by digest")
    unknown = "wmsy_kwoEaQxqGV4S3oUccpFeOf5Vafi37041P62J"
    digest = hashlib.sha256(by_digest.secret.encode()).digest()
    leaked = [
        service_pb2.LeakedToken(
            secret=by_secret.secret,
            source="github",
            url="https://example.com/x",
        ),
        service_pb2.LeakedToken(secret_sha256=digest, source="scanner"),
        service_pb2.LeakedToken(secret=unknown),
        service_pb2.LeakedToken(secret="not a token"),
    ]
    done = client.revoke_leaked(*leaked)
    assert [result.outcome for result in done.results] == [
        service_pb2.LEAKED_TOKEN_OUTCOME_REVOKED,
        service_pb2.LEAKED_TOKEN_OUTCOME_REVOKED,
        service_pb2.LEAKED_TOKEN_OUTCOME_UNKNOWN,
        service_pb2.LEAKED_TOKEN_OUTCOME_MALFORMED,
    ]
    assert [result.name for result in done.results] == [
        by_secret.token.name,
        by_digest.token.name,
        "",
        "",
    ]
    assert done.HasField("receipt")
    for issued in (by_secret, by_digest):
        assert client.verdict(issued.secret) == "REVOKED"
        reason = client.get(issued.token.name).revoke_reason
        assert reason == token_pb2.REVOKE_REASON_LEAK_REPORTED

    again = client.revoke_leaked(*leaked[:2])
    assert [result.outcome for result in again.results] == [
        service_pb2.LEAKED_TOKEN_OUTCOME_ALREADY_REVOKED
    ] * 2
    assert not client.revoke_leaked(leaked[2]).HasField("receipt")

    rotated = client.create(project, "rotated")
    client.rotate(rotated.token.name)
    replaced = client.revoke_leaked(
        service_pb2.LeakedToken(secret=rotated.secret)
    )
    assert (
        replaced.results[0].outcome == service_pb2.LEAKED_TOKEN_OUTCOME_REPLACED
    )
    actions = [event.action for event in client.audit(project).audit_events]
    assert actions.count(audit_pb2.AUDIT_ACTION_LEAK_REVOKED) == 2


def test_old_secret_works_during_grace(client, project):
    created = client.create(project)
    rotated = client.rotate(created.token.name, grace_seconds=8)
    assert rotated.token.HasField("old_secret_expire_time")
    assert client.verdict(created.secret) == "VALID"
    assert client.verdict(rotated.secret) == "VALID"
    old = client.validate(created.secret)
    assert old.expire_time == rotated.token.old_secret_expire_time
    deadline = time.monotonic() + 30
    while client.verdict(created.secret) == "VALID":
        assert time.monotonic() < deadline, "the grace period does not end"
        time.sleep(0.1)
    assert client.verdict(created.secret) in ("REVOKED", "EXPIRED")
    assert client.verdict(rotated.secret) == "VALID"


def test_token_expires_by_itself(client, project):
    end = time.time() + 8
    request_time = token_pb2.Token().expire_time
    request_time.FromNanoseconds(int(end * 1e9))
    created = client.create(project, expire_time=request_time)
    assert client.verdict(created.secret) == "VALID"
    deadline = time.monotonic() + 30
    while client.verdict(created.secret) == "VALID":
        assert time.monotonic() < deadline, "the token does not expire"
        time.sleep(0.05)
    assert client.verdict(created.secret) == "EXPIRED"
    # What a server takes for the database's time is never behind it.
    assert time.time() >= end - 1
    wait_until(
        lambda: client.get(created.token.name).state
        == token_pb2.TOKEN_STATE_EXPIRED,
        10,
        "its state",
    )


def test_old_rows_of_the_audit_log_can_be_taken_away(fleet, project):
    """As docs/operations.md says."""
    operations = paths.SOURCE / "docs" / "operations.md"
    [statements] = re.findall(
        r"```sql\n(BEGIN;\n.*?audit_log.*?)```",
        operations.read_text(encoding="utf-8"),
        re.DOTALL,
    )
    cleaning = statements.replace("400 days", "0 days")
    server = fleet.start()
    with server.client() as client:
        token = client.create(project).token
        assert client.audit(project).audit_events
        fleet.cluster.sql(fleet.database, statements)
        assert client.audit(project).audit_events
        fleet.cluster.sql(fleet.database, cleaning)
        assert not client.audit(project).audit_events
        client.revoke(token.name)
        [event] = client.audit(project).audit_events
        assert event.action == audit_pb2.AUDIT_ACTION_REVOKED
    # It is guarded as before.
    with pytest.raises(RuntimeError, match="append-only"):
        fleet.cluster.sql(fleet.database, "DELETE FROM audit_log")


def test_two_tokens_may_bear_one_name(client, project):
    first = client.create(project, "same")
    second = client.create(project, "same")
    assert first.token.name != second.token.name
    assert first.secret != second.secret


def test_repeated_create_issues_anew_on_the_same_token(client, project):
    request_id = str(uuid.uuid4())
    first = client.create(project, request_id=request_id)
    second = client.create(project, request_id=request_id)
    assert first.token.name == second.token.name
    assert first.secret != second.secret
    assert client.verdict(first.secret) == "REVOKED"
    assert client.verdict(second.secret) == "VALID"
    assert len(client.list_all(project)) == 1
    with failing(grpc.StatusCode.INVALID_ARGUMENT, "REQUEST_ID_REUSED"):
        client.create(project, "another name", request_id=request_id)


def test_pages_are_newest_first_and_whole(client, project):
    names = [client.create(project, f"t{i}").token.name for i in range(7)]
    newest_first = names[::-1]
    seen = []
    page_token = ""
    for size in (3, 2, 1, 50):
        page = client.list(project, page_size=size, page_token=page_token)
        seen.extend(token.name for token in page.tokens)
        page_token = page.next_page_token
        if not page_token:
            break
    assert seen == newest_first
    client.revoke(names[0])
    revoked = client.list_all(project, filter="state = REVOKED")
    assert [token.name for token in revoked] == [names[0]]
    unused = client.list_all(
        project, filter='last_used_time < "2100-01-01T00:00:00Z"'
    )
    assert len(unused) == 7
    mine = client.list_all(project, filter=f'creator = "{ACTOR}"')
    assert len(mine) == 7
    assert not client.list_all(project, filter='creator = "nobody"')


def test_audit_can_be_followed(client, project):
    client.create(project)
    page = client.audit(project, page_size=1)
    assert len(page.audit_events) == 1
    quiet = client.audit(project, page_token=page.resume_token)
    assert not quiet.audit_events
    created = client.create(project)
    later = client.audit(project, page_token=quiet.resume_token)
    assert [event.token for event in later.audit_events] == [created.token.name]


def snake_case(reply):
    """Which case field names are in depends on the version of grpcurl."""
    if isinstance(reply, dict):
        return {
            re.sub(
                "[A-Z]", lambda upper: "_" + upper[0].lower(), key
            ): snake_case(value)
            for key, value in reply.items()
        }
    if isinstance(reply, list):
        return [snake_case(each) for each in reply]
    return reply


def test_life_by_grpcurl(transport, project):
    server, certificate = transport

    def call(method, request, status=0):
        done = grpcurl(
            server,
            [f"wemasy.tokens.v1.{method}"],
            request,
            certificate,
        )
        assert done.returncode == status, done.stderr
        return (
            snake_case(json.loads(done.stdout)) if status == 0 else done.stderr
        )

    services = grpcurl(server, ["list"], certificate=certificate).stdout.split()
    assert "wemasy.tokens.v1.TokenService" in services
    assert "wemasy.tokens.v1.AuthService" in services
    assert "grpc.health.v1.Health" in services
    described = grpcurl(
        server,
        ["describe", "wemasy.tokens.v1.TokenService.CreateToken"],
        certificate=certificate,
    )
    assert "CreateTokenRequest" in described.stdout
    described = grpcurl(
        server,
        ["describe", "grpc.health.v1.Health.Check"],
        certificate=certificate,
    )
    assert "HealthCheckRequest" in described.stdout

    created = call(
        "TokenService/CreateToken",
        {
            "parent": f"projects/{project}",
            "actor": ACTOR,
            "request_id": str(uuid.uuid4()),
            "token": {"display_name": "by grpcurl", "scopes": ["pages:read"]},
        },
    )
    secret, name = created["secret"], created["token"]["name"]
    evidence.add_secret(secret)
    assert call("AuthService/Validate", {"token": secret})["verdict"] == (
        "VERDICT_VALID"
    )
    got = call("TokenService/GetToken", {"name": name})
    assert got["token"]["display_name"] == "by grpcurl"
    listed = call("TokenService/ListTokens", {"parent": f"projects/{project}"})
    assert [token["name"] for token in listed["tokens"]] == [name]
    updated = call(
        "TokenService/UpdateToken",
        {
            "token": {"name": name, "display_name": "renamed"},
            "update_mask": {"paths": ["display_name"]},
            "actor": ACTOR,
        },
    )
    assert updated["token"]["display_name"] == "renamed"
    rotated = call(
        "TokenService/RotateToken",
        {"name": name, "actor": ACTOR, "grace_period": "60s"},
    )
    evidence.add_secret(rotated["secret"])
    assert call("AuthService/Validate", {"token": secret})["verdict"] == (
        "VERDICT_VALID"
    )
    revoked = call(
        "TokenService/RevokeToken",
        {"name": name, "actor": ACTOR, "reason": "REVOKE_REASON_UNUSED"},
    )
    assert revoked["token"]["state"] == "TOKEN_STATE_REVOKED"
    for dead in (secret, rotated["secret"]):
        refused = call("AuthService/Validate", {"token": dead})
        assert refused["verdict"] == "VERDICT_REVOKED"
    digest = hashlib.sha256(secret.encode()).digest()
    leaked = call(
        "TokenService/RevokeLeakedTokens",
        {
            "actor": ACTOR,
            "leaked_tokens": [
                {"secret_sha256": base64.b64encode(digest).decode()}
            ],
        },
    )
    assert leaked["results"][0]["outcome"] in (
        "LEAKED_TOKEN_OUTCOME_ALREADY_REVOKED",
        "LEAKED_TOKEN_OUTCOME_REPLACED",
    )
    events = call(
        "TokenService/ListAuditEvents", {"parent": f"projects/{project}"}
    )
    assert len(events["audit_events"]) >= 4
    # grpcurl ends with 64 and the code: NOT_FOUND is 5.
    error = call(
        "TokenService/GetToken",
        {"name": f"projects/{project}/tokens/t{'0' * 26}"},
        status=69,
    )
    assert "TOKEN_NOT_FOUND" in error
