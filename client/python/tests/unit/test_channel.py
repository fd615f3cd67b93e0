"""The settings of channels, by what they do at a server."""

import json
import pathlib
from collections.abc import Iterator

import grpc
import pytest
import trustme
from harness.auth_service import VALID, ScriptedAuthService, serve_auth

from wemasy.tokens.v1 import auth_service_pb2, auth_service_pb2_grpc
from wemasy_tokens import (
    AsyncTokenClient,
    TokenClient,
    ValidateError,
    Verdict,
    connect,
    tls_credentials,
)
from wemasy_tokens.channel import SERVICE_CONFIG

REPOSITORY = pathlib.Path(__file__).parents[4]
PUBLISHED = REPOSITORY / "deploy" / "service-config.json"
MAX_ATTEMPTS = 4


def test_the_service_config_is_the_one_that_is_published() -> None:
    assert PUBLISHED.read_text(encoding="utf-8") == SERVICE_CONFIG


def test_calls_are_retried_as_the_service_config_says() -> None:
    methods = json.loads(SERVICE_CONFIG)["methodConfig"]
    assert {m["retryPolicy"]["maxAttempts"] for m in methods} == {MAX_ATTEMPTS}
    service = ScriptedAuthService(
        grpc.StatusCode.UNAVAILABLE,
        grpc.StatusCode.CANCELLED,
        grpc.StatusCode.UNAVAILABLE,
        VALID,
    )
    with serve_auth(service) as target, TokenClient(target) as client:
        assert client.validate("abc").verdict is Verdict.VALID
    assert len(service.requests) == MAX_ATTEMPTS


async def test_calls_of_asyncio_are_retried_too() -> None:
    failures = [grpc.StatusCode.UNAVAILABLE] * MAX_ATTEMPTS
    service = ScriptedAuthService(*failures, VALID)
    with serve_auth(service) as target:
        async with AsyncTokenClient(target) as client:
            with pytest.raises(ValidateError) as raised:
                await client.validate("abc")
    assert raised.value.code is grpc.StatusCode.UNAVAILABLE
    assert len(service.requests) == MAX_ATTEMPTS


def test_each_channel_has_a_connection_of_its_own() -> None:
    service = ScriptedAuthService(VALID, VALID)
    request = auth_service_pb2.ValidateRequest(token="abc")
    with (
        serve_auth(service) as target,
        connect(target) as one,
        connect(target) as other,
    ):
        for channel in (one, other):
            stub = auth_service_pb2_grpc.AuthServiceStub(channel)
            stub.Validate(request, timeout=30)
    assert len(service.peers) == 2


class Certificates:
    """A private CA, and the files of a caller that it knows."""

    def __init__(self, folder: pathlib.Path) -> None:
        authority = trustme.CA()
        caller = authority.issue_cert("caller.test")
        server = authority.issue_cert("localhost")
        self.ca = folder / "ca.pem"
        self.certificate = folder / "caller.pem"
        self.key = folder / "caller.key"
        authority.cert_pem.write_to_path(str(self.ca))
        for blob in caller.cert_chain_pems:
            blob.write_to_path(str(self.certificate), append=True)
        caller.private_key_pem.write_to_path(str(self.key))
        chain = b"".join(blob.bytes() for blob in server.cert_chain_pems)
        self.server = grpc.ssl_server_credentials(
            [(server.private_key_pem.bytes(), chain)],
            authority.cert_pem.bytes(),
            require_client_auth=True,
        )


@pytest.fixture
def certificates(tmp_path: pathlib.Path) -> Certificates:
    return Certificates(tmp_path)


@pytest.fixture
def tls_target(certificates: Certificates) -> Iterator[str]:
    service = ScriptedAuthService(VALID)
    with serve_auth(service, certificates.server) as target:
        yield target


def test_mutual_tls(certificates: Certificates, tls_target: str) -> None:
    credentials = tls_credentials(
        certificates.ca, certificates.certificate, certificates.key
    )
    with TokenClient(tls_target, credentials) as client:
        assert client.validate("abc").verdict is Verdict.VALID


async def test_mutual_tls_of_asyncio(
    certificates: Certificates, tls_target: str
) -> None:
    credentials = tls_credentials(
        certificates.ca, certificates.certificate, certificates.key
    )
    async with AsyncTokenClient(tls_target, credentials) as client:
        answer = await client.validate("abc")
    assert answer.verdict is Verdict.VALID


@pytest.mark.usefixtures("certificates")
def test_plaintext_does_not_reach_a_server_with_tls(tls_target: str) -> None:
    with (
        TokenClient(tls_target) as client,
        pytest.raises(ValidateError) as raised,
    ):
        client.validate("abc")
    assert raised.value.code is grpc.StatusCode.UNAVAILABLE


def test_a_file_that_is_not_there(tmp_path: pathlib.Path) -> None:
    absent = tmp_path / "absent.pem"
    with pytest.raises(FileNotFoundError):
        tls_credentials(absent, absent, absent)
