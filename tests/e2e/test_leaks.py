"""No secret and no digest gets out, and no secret gets in: searched for in
all that the whole run has left behind."""

import random

import grpc
import pytest
from conftest import migrated_database, private_cluster
from harness import evidence
from harness.client import ACTOR
from harness.leaks import Searcher, digest, encodings
from harness.stubs import auth_pb2, service_pb2, token_pb2

# As many of the run's secrets are looked for.
SAMPLE = 1000
PLANTED = "wmsy_eE8mGLm0SkeOhwRyKGzAolAt50lYVY4TJP9J"
GONE = "wmsy_7bQ2nUYtL0cWfZpXsR4kDgHvJ1mA9eTiOqNw"

pytestmark = pytest.mark.last


def put_in_the_wrong_fields(client, project, secret, name):
    """Every field that a careless caller may put a secret into."""
    tokens, auth = client.tokens, client.auth
    create = service_pb2.CreateTokenRequest
    parent = f"projects/{project}"
    token = token_pb2.Token(display_name="x")
    return [
        (tokens.GetToken, service_pb2.GetTokenRequest(name=secret)),
        (
            tokens.GetToken,
            service_pb2.GetTokenRequest(name=f"{parent}/tokens/{secret}"),
        ),
        (tokens.ListTokens, service_pb2.ListTokensRequest(parent=secret)),
        (
            tokens.ListTokens,
            service_pb2.ListTokensRequest(parent=parent, page_token=secret),
        ),
        (
            tokens.ListTokens,
            service_pb2.ListTokensRequest(parent=parent, filter=secret),
        ),
        (
            tokens.ListTokens,
            service_pb2.ListTokensRequest(
                parent=parent, filter=f'state = "{secret}"'
            ),
        ),
        (tokens.CreateToken, create(parent=secret, token=token, actor=ACTOR)),
        (
            tokens.CreateToken,
            create(
                parent=parent,
                token=token_pb2.Token(display_name=secret + "\0"),
                actor=ACTOR,
            ),
        ),
        (
            tokens.CreateToken,
            create(
                parent=parent,
                token=token_pb2.Token(display_name="x", scopes=[secret]),
                actor=ACTOR,
            ),
        ),
        (
            tokens.CreateToken,
            create(
                parent=parent,
                token=token_pb2.Token(
                    display_name="x", metadata={secret.upper(): "v"}
                ),
                actor=ACTOR,
            ),
        ),
        (
            tokens.CreateToken,
            create(parent=parent, token=token, actor=ACTOR, request_id=secret),
        ),
        (
            tokens.UpdateToken,
            service_pb2.UpdateTokenRequest(
                token=token_pb2.Token(
                    name=name, etag=secret, display_name="x"
                ),
                actor=ACTOR,
            ),
        ),
        (
            tokens.UpdateToken,
            service_pb2.UpdateTokenRequest(
                token=token_pb2.Token(name=name),
                update_mask={"paths": [secret]},
                actor=ACTOR,
            ),
        ),
        (
            tokens.RevokeToken,
            service_pb2.RevokeTokenRequest(name=secret, actor=ACTOR),
        ),
        (
            tokens.RotateToken,
            service_pb2.RotateTokenRequest(name=secret, actor=ACTOR),
        ),
        (
            tokens.RevokeLeakedTokens,
            service_pb2.RevokeLeakedTokensRequest(
                leaked_tokens=[{"secret": secret}], actor="\0"
            ),
        ),
        (
            tokens.ListAuditEvents,
            service_pb2.ListAuditEventsRequest(
                parent=parent, page_token=secret
            ),
        ),
        (
            auth.Validate,
            auth_pb2.ValidateRequest(token=secret, required_scopes=[secret]),
        ),
        (
            auth.Validate,
            auth_pb2.ValidateRequest(token=secret, expected_project=secret),
        ),
    ]


@pytest.fixture(scope="module")
def misused(client):
    """A secret that was put wherever it does not belong."""
    created = client.create("leaks", "misused")
    calls = put_in_the_wrong_fields(
        client, "leaks", created.secret, created.token.name
    )
    for method, request in calls:
        with pytest.raises(grpc.RpcError) as raised:
            method(
                request,
                timeout=10,
                metadata=[
                    ("authorization", f"Bearer {created.secret}"),
                    ("x-api-key", created.secret),
                ],
            )
        assert raised.value.code() in (
            grpc.StatusCode.INVALID_ARGUMENT,
            grpc.StatusCode.ABORTED,
        )
    with pytest.raises(grpc.RpcError):
        client.raw_call(f"/{created.secret}/{created.secret}", b"")
    rotated = client.rotate(created.token.name, grace_seconds=60)
    client.validate(rotated.secret)
    client.revoke_leaked(
        service_pb2.LeakedToken(secret=created.secret),
        service_pb2.LeakedToken(secret_sha256=digest(rotated.secret)),
    )
    return [created.secret, rotated.secret]


@pytest.fixture(scope="module")
def secrets(misused):
    issued = sorted(set(evidence.secrets()) - set(misused))
    sample = random.Random(0).sample(issued, min(len(issued), SAMPLE))
    return [*misused, *sample]


def texts(server, tls_server) -> dict[str, bytes]:
    """What outsiders may see, by the name of the place."""
    for each in (server, tls_server):
        each.metrics()
    return {
        "log": b"\n".join(evidence.logs()),
        "metrics": "\n".join(evidence.metrics()).encode(),
        "error text": "\n".join(evidence.texts()).encode(),
    }


def dumps() -> bytes:
    """All databases of the run."""
    found = evidence.dumps()
    assert found
    return b"\n".join(found)


def data_files(cluster) -> bytes:
    """Tables, indexes and write-ahead log as they lie on the disk."""
    cluster.sql("postgres", "CHECKPOINT")
    return b"".join(
        path.read_bytes()
        for path in sorted(cluster.data.rglob("*"))
        if path.is_file() and "pg_stat" not in path.parts
    )


def planted_forms(content: bytes):
    for name, forms in encodings(content).items():
        for form in forms:
            yield name, form


def test_the_search_finds_what_is_planted(server, tls_server, cluster):
    """In each place, in each encoding, at each alignment."""
    searchers = {
        "secret": (PLANTED.encode(), Searcher.for_secrets([PLANTED])),
        "digest": (digest(PLANTED), Searcher.for_digests([PLANTED])),
    }
    places = texts(server, tls_server)
    for content, searcher in searchers.values():
        for place, text in places.items():
            text = text[-100_000:]
            for name, form in planted_forms(content):
                for shift in range(16):
                    planted = text + b"x" * shift + form + b"\n" + text[:50]
                    found = searcher.find(planted)
                    assert any(name in each for each in found), (place, name)
            assert searcher.find(text) == [], place

    database = cluster.new_database()
    cluster.sql(database, "CREATE TABLE planted (form text, raw bytea)")
    for kind, (content, searcher) in searchers.items():
        for name, forms in encodings(content).items():
            cluster.sql(database, "TRUNCATE planted")
            # A dump writes bytes as hexadecimal digits.
            is_bytes = kind == "digest" and name == "raw"
            shown = "hex" if is_bytes else name
            for form in forms:
                cluster.sql(
                    database,
                    (
                        f"INSERT INTO planted (raw) VALUES ('\\x{form.hex()}')"
                        if is_bytes
                        else f"INSERT INTO planted (form) VALUES ('{form.decode()}')"
                    ),
                )
            found = searcher.find(cluster.dump(database).encode())
            assert any(shown in each for each in found), (kind, name)
    cluster.sql(database, "TRUNCATE planted")
    cluster.sql(database, f"INSERT INTO planted (form) VALUES ('{PLANTED}')")
    assert searchers["secret"][1].find(data_files(cluster))


def test_databases_that_are_gone_are_searched():
    """One that was destroyed, and had been stopped before."""
    with private_cluster() as cluster:
        database = migrated_database(cluster)
        cluster.sql(database, f"CREATE TABLE planted AS SELECT '{GONE}'::text")
        cluster.sql(database, f"DO $$ BEGIN RAISE LOG '{GONE}'; END $$")
        cluster.stop()
    assert not cluster.folder.exists()
    searcher = Searcher.for_secrets([GONE])
    assert searcher.find(dumps())
    assert searcher.find(b"\n".join(evidence.logs()))


@pytest.mark.parametrize("kind", ["secret", "digest"])
def test_nothing_gets_out(server, tls_server, secrets, kind):
    searcher = (
        Searcher.for_secrets(secrets)
        if kind == "secret"
        else Searcher.for_digests(secrets)
    )
    places = texts(server, tls_server)
    assert all(len(text) > 1000 for text in places.values())
    assert {place: searcher.find(text) for place, text in places.items()} == {
        place: [] for place in places
    }


def test_no_secret_gets_into_the_database(cluster, secrets):
    searcher = Searcher.for_secrets(secrets)
    assert searcher.find(dumps()) == []
    assert searcher.find(data_files(cluster)) == []


def test_the_digests_are_in_the_database(misused):
    """So that not finding the secrets there says something."""
    found = Searcher.for_digests([misused[0]]).find(dumps())
    assert any("hex" in each for each in found)
