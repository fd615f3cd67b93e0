"""What the holder of a token may do with it, and with nothing else."""

import grpc
import pytest
from harness.client import failing
from harness.stubs import self_pb2, token_pb2


def bearer(secret):
    return ("authorization", f"Bearer {secret}")


def refused():
    return failing(grpc.StatusCode.UNAUTHENTICATED, "TOKEN_REFUSED")


def test_the_holder_learns_who_it_is_and_revokes_itself(client, project):
    created = client.create(project, scopes=["pages:write", "pages:read"])
    other = client.create(project)
    header = bearer(created.secret)
    assert client.get_self(header) == self_pb2.GetSelfResponse(
        token=created.token.name,
        project=f"projects/{project}",
        scopes=["pages:read", "pages:write"],
    )

    revoked = client.revoke_self(
        header, reason=token_pb2.REVOKE_REASON_COMPROMISED
    )
    assert revoked.confirm_time.ToNanoseconds() > 0
    assert client.verdict(created.secret) == "REVOKED"
    assert client.verdict(other.secret) == "VALID"
    with refused():
        client.get_self(header)
    token = client.get(created.token.name)
    assert token.revoke_time == revoked.revoke_time
    assert token.revoker == created.token.name
    assert token.revoke_reason == token_pb2.REVOKE_REASON_COMPROMISED
    # Whose reply was lost asks again.
    again = client.revoke_self(header)
    assert again.revoke_time == revoked.revoke_time
    assert client.get(created.token.name).revoke_reason == token.revoke_reason


def test_the_expiry_is_that_of_the_presented_secret(client, project):
    created = client.create(project)
    rotated = client.rotate(created.token.name, grace_seconds=3600)
    old = client.get_self(bearer(created.secret))
    assert old.expire_time == rotated.token.old_secret_expire_time
    assert not client.get_self(bearer(rotated.secret)).HasField("expire_time")


def test_a_replaced_secret_has_no_power(client, project):
    created = client.create(project)
    rotated = client.rotate(created.token.name)
    with refused():
        client.get_self(bearer(created.secret))
    with refused():
        client.revoke_self(bearer(created.secret))
    assert client.verdict(rotated.secret) == "VALID"


@pytest.mark.parametrize(
    "headers",
    [
        (),
        (bearer("wmsy_0"),),
        (("authorization", "Basic QWxhZGRpbjpvcGVu"),),
        (("x-wemasy-token", "projects/p/tokens/t"),),
    ],
    ids=["none", "nonsense", "another scheme", "a claim"],
)
def test_others_are_refused_with_a_challenge(client, headers):
    for call in (client.get_self, client.revoke_self):
        with refused() as failures:
            call(*headers)
        assert failures[0].challenge.startswith('Bearer realm="wemasy"')


def test_two_tokens_are_refused(client, project):
    secret = client.create(project).secret
    for call in (client.get_self, client.revoke_self):
        with failing(grpc.StatusCode.INVALID_ARGUMENT, "FIELD_INVALID"):
            call(bearer(secret), bearer(secret))
    assert client.verdict(secret) == "VALID"


def test_the_gateway_with_its_role_is_enough(
    tls_server, certificates, client, project
):
    header = bearer(client.create(project).secret)
    with tls_server.client(certificates["gateway"].credentials()) as gateway:
        gateway.revoke_self(header)
        with refused():
            gateway.get_self(header)
