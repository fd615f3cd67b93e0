"""Who may call what: roles by certificate."""

import grpc
import pytest
from harness.client import ACTOR, failing
from harness.certificates import Authority, DOMAIN
from harness.commands import grpcurl
from harness.stubs import auth_pb2, self_pb2, service_pb2, token_pb2

NAME = f"projects/demo/tokens/t{'0' * 26}"
# Malformed on purpose: whoever lacks the role must not learn even that.
REQUESTS = {
    "Validate": auth_pb2.ValidateRequest(expected_project="?"),
    "GetSelf": self_pb2.GetSelfRequest(),
    "RevokeSelf": self_pb2.RevokeSelfRequest(),
    "CreateToken": service_pb2.CreateTokenRequest(
        parent="?", token=token_pb2.Token(display_name="x"), actor=ACTOR
    ),
    "GetToken": service_pb2.GetTokenRequest(name="?"),
    "ListTokens": service_pb2.ListTokensRequest(parent="?"),
    "UpdateToken": service_pb2.UpdateTokenRequest(
        token=token_pb2.Token(name="?"), actor=ACTOR
    ),
    "RevokeToken": service_pb2.RevokeTokenRequest(name="?", actor=ACTOR),
    "RotateToken": service_pb2.RotateTokenRequest(name="?", actor=ACTOR),
    "RevokeLeakedTokens": service_pb2.RevokeLeakedTokensRequest(),
    "ListAuditEvents": service_pb2.ListAuditEventsRequest(parent="?"),
}
# Two, which the calls of holders refuse.
CREDENTIALS = (("authorization", "Bearer x"),) * 2
# What each caller may do; every other rpc is refused.
ALLOWED = {
    "gateway": {"Validate", "GetSelf", "RevokeSelf"},
    "backend": set(REQUESTS) - {"RevokeLeakedTokens"},
    "security": {"RevokeLeakedTokens", "ListAuditEvents"},
    "all": set(REQUESTS),
    "stranger": set(),
    "nameless": set(),
}


def call(client, rpc):
    for stub in (client.auth, client.self, client.tokens):
        if method := getattr(stub, rpc, None):
            method(REQUESTS[rpc], timeout=10, metadata=CREDENTIALS)


@pytest.mark.parametrize("caller", ALLOWED)
def test_each_caller_may_do_what_its_roles_say(
    tls_server, certificates, caller
):
    with tls_server.client(certificates[caller].credentials()) as client:
        for rpc in REQUESTS:
            if rpc in ALLOWED[caller]:
                with failing(grpc.StatusCode.INVALID_ARGUMENT, "FIELD_INVALID"):
                    call(client, rpc)
            elif caller == "nameless":
                with failing(
                    grpc.StatusCode.UNAUTHENTICATED, "CALLER_UNAUTHENTICATED"
                ):
                    call(client, rpc)
            else:
                with failing(
                    grpc.StatusCode.PERMISSION_DENIED, "ROLE_MISSING"
                ) as found:
                    call(client, rpc)
                assert found[0].metadata["role"]
                assert not found[0].fields


def test_gateway_validates_and_nothing_else(tls_server, certificates, project):
    with tls_server.client(certificates["all"].credentials()) as client:
        created = client.create(project)
    with tls_server.client(certificates["gateway"].credentials()) as gateway:
        assert gateway.verdict(created.secret) == "VALID"
        denied = (grpc.StatusCode.PERMISSION_DENIED, "ROLE_MISSING")
        with failing(*denied):
            gateway.revoke(created.token.name)
        with failing(*denied):
            gateway.get(created.token.name)
        with failing(*denied):
            gateway.create(project)
        assert gateway.verdict(created.secret) == "VALID"


def test_callers_are_named_in_the_audit_trail(
    tls_server, certificates, project
):
    with tls_server.client(certificates["backend"].credentials()) as client:
        client.create(project)
        events = client.audit(project).audit_events
    assert [event.caller for event in events] == [f"{DOMAIN}/backend"]


def test_no_certificate_no_connection(tls_server, authority):
    with open(authority.ca, "rb") as ca:
        credentials = grpc.ssl_channel_credentials(ca.read())
    with tls_server.client(credentials) as client:
        with pytest.raises(grpc.RpcError) as raised:
            client.validate("x", timeout=5)
        assert raised.value.code() == grpc.StatusCode.UNAVAILABLE
    with tls_server.client() as plain:
        with pytest.raises(grpc.RpcError) as raised:
            plain.validate("x", timeout=5)
        assert raised.value.code() == grpc.StatusCode.UNAVAILABLE


def test_certificates_of_others_are_refused(tls_server, authority, tmp_path):
    foreign = Authority(tmp_path / "foreign").issue("all", f"URI:{DOMAIN}/all")
    expired = authority.issue("expired", f"URI:{DOMAIN}/all", days=-1)
    with open(authority.ca, "rb") as ca:
        trusted = ca.read()
    for certificate in (foreign, expired):
        with open(certificate.key, "rb") as key:
            private_key = key.read()
        with open(certificate.certificate, "rb") as chain:
            credentials = grpc.ssl_channel_credentials(
                trusted, private_key, chain.read()
            )
        with tls_server.client(credentials) as client:
            with pytest.raises(grpc.RpcError) as raised:
                client.validate("x", timeout=5)
            assert raised.value.code() == grpc.StatusCode.UNAVAILABLE


def test_grpcurl_as_gateway(tls_server, certificates):
    done = grpcurl(
        tls_server,
        ["wemasy.tokens.v1.TokenService/GetToken"],
        {"name": NAME},
        certificates["gateway"],
    )
    # 64 and PERMISSION_DENIED.
    assert done.returncode == 71, done.stderr
    assert "ROLE_MISSING" in done.stderr
