"""Presented tokens and messages of any content."""

import grpc
import pytest
from grpc_health.v1 import health_pb2
from harness.client import invalid
from harness.stubs import auth_pb2
from harness.token_text import with_checksum

SERVICE = "/wemasy.tokens.v1.TokenService"
VALIDATE = "/wemasy.tokens.v1.AuthService/Validate"
CHECK = "/envoy.service.auth.v3.Authorization/Check"
FORGED = "wmsy_kwoEaQxqGV4S3oUccpFeOf5Vafi37041P62J"
GARBAGE = (b"\xff" * 100, b"\x0a\xff", b"not protobuf")


def field(number: int, content: bytes) -> bytes:
    """A length-delimited field of fewer than 128 bytes on the wire."""
    return bytes([number << 3 | 2, len(content)]) + content


# The beginning of a DeniedHttpResponse: its status, whose code is a number.
DENIED_WITH_500 = field(1, b"\x08\xf4\x03")


# --- Validate


@pytest.mark.parametrize(
    "token, verdict",
    [
        ("", "MALFORMED"),
        ("wmsy_", "MALFORMED"),
        (FORGED, "UNKNOWN"),
        (with_checksum("wmsy_" + "z" * 30), "UNKNOWN"),
        (FORGED[:-1] + "0", "MALFORMED"),
        (FORGED + "0", "MALFORMED"),
        (FORGED[:-1], "MALFORMED"),
        (f" {FORGED}", "MALFORMED"),
        (f"{FORGED}\n", "MALFORMED"),
        (f"secret-token:{FORGED}", "MALFORMED"),
        (f"Bearer {FORGED}", "MALFORMED"),
        (with_checksum("wmsx_" + "z" * 30), "MALFORMED"),
        (with_checksum("WMSY_" + "z" * 30), "MALFORMED"),
        ("\0" * 41, "MALFORMED"),
        ("é" * 20 + "x", "MALFORMED"),
        ("x" * 1_000_000, "MALFORMED"),
    ],
)
def test_presented_tokens(client, token, verdict):
    response = client.validate(token)
    assert auth_pb2.Verdict.Name(response.verdict) == f"VERDICT_{verdict}"
    assert response == auth_pb2.ValidateResponse(verdict=response.verdict)


def test_validate_requests_are_checked_in_order(client, project):
    created = client.create(project, scopes=["a"])
    with invalid() as found:
        client.validate(created.secret, required_scopes=["Bad scope"])
    assert found[0].fields == ["required_scopes[0]"]
    with invalid() as found:
        client.validate(
            created.secret, required_scopes=[f"s{i}" for i in range(65)]
        )
    assert found[0].fields == ["required_scopes"]
    with invalid() as found:
        client.validate(created.secret, expected_project="demo")
    assert found[0].fields == ["expected_project"]
    both = {
        "expected_project": "projects/other",
        "required_scopes": ["b"],
    }
    assert client.verdict(created.secret, **both) == "WRONG_PROJECT"
    client.revoke(created.token.name)
    assert client.verdict(created.secret, **both) == "REVOKED"


# --- The wire


@pytest.mark.parametrize(
    "method",
    [
        *(f"{SERVICE}/{rpc}" for rpc in ("CreateToken", "GetToken")),
        VALIDATE,
    ],
)
def test_bytes_that_are_no_message(server, client, method):
    """INTERNAL is what every gRPC server says to what it cannot parse, before
    the service hears of the call: there is no field yet to be at fault."""
    for garbage in GARBAGE:
        with pytest.raises(grpc.RpcError) as raised:
            client.raw_call(method, garbage)
        assert raised.value.code() == grpc.StatusCode.INTERNAL
    assert client.serving()


def test_bytes_that_are_no_check(client):
    """Denied in an answer: Envoy may take an error for "allow"."""
    for garbage in GARBAGE:
        assert DENIED_WITH_500 in client.raw_call(CHECK, garbage)
    assert client.serving()


@pytest.mark.parametrize(
    "token",
    [b"\xff\xfe", b"\xc3\x28", b"\xed\xa0\x80", b"wmsy_" + b"\xff" * 36],
)
def test_presented_bytes_that_are_not_utf8(client, token):
    """No verdict, as a text field cannot hold them: INTERNAL, see above."""
    with pytest.raises(grpc.RpcError) as raised:
        client.raw_call(VALIDATE, field(1, token))
    assert raised.value.code() == grpc.StatusCode.INTERNAL
    assert client.verdict(FORGED) == "UNKNOWN"


def test_unknown_fields_are_ignored(client, project):
    request = (
        field(1, f"projects/{project}".encode())
        + field(2, field(2, b"from the future"))
        + field(3, b"user-7")
        + field(15, b"a later field")
    )
    client.raw_call(f"{SERVICE}/CreateToken", request)
    assert [t.display_name for t in client.list_all(project)] == [
        "from the future"
    ]


def test_a_message_that_is_too_large(client, project):
    with pytest.raises(grpc.RpcError) as raised:
        client.raw_call(f"{SERVICE}/CreateToken", b"x" * (16 << 20))
    assert raised.value.code() == grpc.StatusCode.RESOURCE_EXHAUSTED
    assert client.serving()


def test_unknown_methods_make_no_metrics(server, client):
    """At most one series for all of them: their names are the callers'."""
    before = len(server.metrics().splitlines())
    for i in range(1000):
        with pytest.raises(grpc.RpcError) as raised:
            client.raw_call(f"/x.Y{i}/Z{i}", b"")
        assert raised.value.code() == grpc.StatusCode.UNIMPLEMENTED
    assert len(server.metrics().splitlines()) <= before + 1


def test_health_of_an_unknown_service(client):
    assert client.serving("wemasy.tokens.v1.AuthService")
    assert client.serving("wemasy.tokens.v1.TokenService")
    with pytest.raises(grpc.RpcError) as raised:
        client.health.Check(
            health_pb2.HealthCheckRequest(service="x.Y"), timeout=10
        )
    assert raised.value.code() == grpc.StatusCode.NOT_FOUND
