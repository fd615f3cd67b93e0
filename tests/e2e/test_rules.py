"""What the state of a token, project or request does not allow."""

import re
import time
import uuid

import grpc
from harness.client import ACTOR, failing, invalid
from harness.stubs import auth_pb2, service_pb2, token_pb2
from harness.waiting import wait_until

FORGED = "wmsy_kwoEaQxqGV4S3oUccpFeOf5Vafi37041P62J"


def timestamp(seconds, nanos=0):
    value = token_pb2.Token().expire_time
    value.seconds, value.nanos = int(seconds), nanos
    return value


def test_limit_of_active_tokens(fleet, project):
    server = fleet.start(max_active_tokens=3)
    with server.client() as client:
        later = timestamp(time.time() + 3600)
        tokens = [
            client.create(project, f"t{i}", expire_time=later).token
            for i in range(3)
        ]
        with failing(
            grpc.StatusCode.RESOURCE_EXHAUSTED, "ACTIVE_TOKEN_LIMIT"
        ) as found:
            client.create(project)
        assert found[0].metadata == {
            "project": f"projects/{project}",
            "limit": "3",
        }
        client.create(f"{project}-b")
        # The revoked and the expired do not count.
        client.revoke(tokens[0].name)
        expiring = client.create(
            project, expire_time=timestamp(time.time() + 4)
        )
        # By the database's clock, as the limit counts.
        wait_until(
            lambda: client.get(expiring.token.name).state
            == token_pb2.TOKEN_STATE_EXPIRED,
            20,
            "its end",
        )
        client.create(project)
        with failing(grpc.StatusCode.RESOURCE_EXHAUSTED, "ACTIVE_TOKEN_LIMIT"):
            client.create(project)
        assert len(client.list_all(project)) == 5


def test_concurrent_creates_respect_the_limit(fleet, project):
    server = fleet.start(max_active_tokens=5)
    request = service_pb2.CreateTokenRequest(
        parent=f"projects/{project}",
        actor=ACTOR,
        token=token_pb2.Token(display_name="x"),
    )
    with server.client() as client:
        calls = [
            client.tokens.CreateToken.future(request, timeout=30)
            for _ in range(20)
        ]
        codes = [call.code() for call in calls]
        assert codes.count(grpc.StatusCode.OK) == 5
        assert codes.count(grpc.StatusCode.RESOURCE_EXHAUSTED) == 15
        assert len(client.list_all(project)) == 5


def heavy_metadata(number):
    """About 4 kB, and different for each number."""
    return {f"k{i}": f"{number}-".ljust(256, "v") for i in range(16)}


def metadata_bytes(server) -> float:
    found = re.search(
        r"^tokend_index_metadata_bytes (\S+)$", server.metrics(), re.MULTILINE
    )
    return float(found[1])


def test_limit_of_different_metadata(fleet, project):
    """Faults: no check in Create, none in Update, a check of what is loaded."""
    server = fleet.start(max_metadata_mb=1)
    limit = 1 << 20
    full = (grpc.StatusCode.RESOURCE_EXHAUSTED, "METADATA_LIMIT")
    made = []
    with server.client() as client:
        assert metadata_bytes(server) == 0
        with failing(*full) as found:
            while len(made) < 1000:
                metadata = heavy_metadata(len(made))
                made.append(client.create(project, metadata=metadata))
        assert found[0].metadata == {"limit": str(limit)}
        assert 200 < len(made) < 300
        assert limit <= metadata_bytes(server) < limit + 5000
        # In any project; what is known already, and none, pass.
        with failing(*full):
            client.create(f"{project}-b", metadata={"tier": "gold"})
        client.create(f"{project}-b", metadata=heavy_metadata(0))
        name = client.create(project).token.name
        with failing(*full):
            client.update(name, ["metadata"], metadata={"tier": "gold"})
        client.update(name, ["metadata"], metadata=heavy_metadata(1))
        client.update(name, ["display_name"], display_name="other")
        client.rotate(name)
        # A server takes what another one with more room let in.
        with fleet.start().client() as roomy:
            for _ in range(10):
                metadata = heavy_metadata(len(made))
                made.append(roomy.create(project, metadata=metadata))
        check_metadata(client, made)
    assert server.stop() == 0

    # So does one that starts; what is new is refused as before.
    server = fleet.start(max_metadata_mb=1)
    with server.client() as client:
        assert metadata_bytes(server) > limit + 40_000
        check_metadata(client, made)
        with failing(*full):
            client.create(project, metadata={"tier": "gold"})
        # What no token has any more makes room.
        for created in made[-11:]:
            client.update(created.token.name, ["metadata"])
        assert metadata_bytes(server) < limit
        client.create(project, metadata={"tier": "gold"})


def check_metadata(client, made):
    for number, created in enumerate(made):
        response = client.validate(created.secret)
        assert response.verdict == auth_pb2.VERDICT_VALID
        assert response.metadata == heavy_metadata(number)


def test_concurrent_repeats_make_one_token(client, project):
    request = service_pb2.CreateTokenRequest(
        parent=f"projects/{project}",
        actor=ACTOR,
        request_id=str(uuid.uuid4()),
        token=token_pb2.Token(display_name="x"),
    )
    calls = [
        client.tokens.CreateToken.future(request, timeout=30) for _ in range(8)
    ]
    secrets = [call.result().secret for call in calls]
    assert len(client.list_all(project)) == 1
    verdicts = [client.verdict(secret) for secret in secrets]
    assert verdicts.count("VALID") == 1
    assert verdicts.count("REVOKED") == 7


def test_a_request_id_of_another_rpc_or_token(client, project):
    request_id = str(uuid.uuid4())
    created = client.create(project, request_id=request_id)
    other = client.create(project)
    reused = (grpc.StatusCode.INVALID_ARGUMENT, "REQUEST_ID_REUSED")
    with failing(*reused):
        client.create(project, scopes=["more"], request_id=request_id)
    rotation = str(uuid.uuid4())
    client.rotate(created.token.name, request_id=rotation)
    with failing(*reused):
        client.rotate(created.token.name, 60, request_id=rotation)
    with failing(*reused):
        client.rotate(other.token.name, request_id=rotation)


def test_update_masks(client, project):
    token = client.create(project, scopes=["a"]).token
    for path in ("bogus", "display_name.x", "", "secret", "metadata.k"):
        with invalid() as found:
            client.update(token.name, [path], display_name="x")
        assert set(found[0].fields) == {"update_mask"}
    # Output-only fields are ignored, and an empty mask is what is set.
    same = client.update(
        token.name, ["state", "creator", "name"], creator="eve"
    )
    assert same.creator == ACTOR
    assert client.update(token.name, display_name="y").display_name == "y"
    assert list(client.get(token.name).scopes) == ["a"]
    everything = client.update(token.name, ["*"], display_name="z")
    assert everything.display_name == "z"
    assert not everything.scopes


def test_etags(client, project):
    token = client.create(project).token
    for etag in ('"stale"', "unquoted", token.etag + "x", "*"):
        with failing(grpc.StatusCode.ABORTED, "ETAG_MISMATCH") as found:
            client.update(token.name, display_name="x", etag=etag)
        assert found[0].metadata == {"name": token.name}
    client.update(token.name, display_name="x", etag=token.etag)


def test_what_a_revoked_token_still_allows(client, project):
    created = client.create(project)
    name = created.token.name
    client.revoke(name)
    client.revoke(name)
    dead = (grpc.StatusCode.FAILED_PRECONDITION, "TOKEN_NOT_ACTIVE")
    with failing(*dead) as found:
        client.rotate(name)
    assert found[0].metadata == {"name": name, "state": "REVOKED"}
    with failing(*dead):
        client.update(name, ["scopes"], scopes=["a"])
    with failing(*dead):
        client.update(name, ["display_name"], display_name="x")


def test_leaked_token_reports(client):
    with invalid() as found:
        client.revoke_leaked()
    assert found[0].fields == ["leaked_tokens"]
    one = service_pb2.LeakedToken(secret=FORGED)
    assert len(client.revoke_leaked(*[one] * 1000).results) == 1000
    with invalid() as found:
        client.revoke_leaked(*[one] * 1001)
    assert found[0].fields == ["leaked_tokens"]
    for bad, wrong in (
        (service_pb2.LeakedToken(), "leaked_tokens[1]"),
        (
            service_pb2.LeakedToken(secret_sha256=b"x" * 31),
            "leaked_tokens[1].secret_sha256",
        ),
        (
            service_pb2.LeakedToken(secret=FORGED, source="é"),
            "leaked_tokens[1].source",
        ),
        (
            service_pb2.LeakedToken(secret=FORGED, url="u" * 501),
            "leaked_tokens[1].url",
        ),
    ):
        with invalid() as found:
            client.revoke_leaked(one, bad)
        assert all(f.startswith(wrong) for f in found[0].fields)
