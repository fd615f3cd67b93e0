"""The settings of channels, by what they do at a server."""

import json
import pathlib
import socket
import time
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
    connect_async,
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


def test_a_server_that_is_back_is_found_soon() -> None:
    with (
        socket.create_server(("127.0.0.1", 0)) as listener,
        connect(f"127.0.0.1:{listener.getsockname()[1]}") as channel,
    ):
        channel.subscribe(lambda _: None, try_to_connect=True)
        # gRPC's own backoff makes three attempts to connect in this time, at
        # most.
        end = time.monotonic() + 3
        for _ in range(4):
            listener.settimeout(max(end - time.monotonic(), 0.001))
            listener.accept()[0].close()


@pytest.mark.parametrize(
    "target",
    [
        "localhost",
        "LocalHost:7443",
        "127.0.0.1:7443",
        "[::1]:7443",
        "dns:localhost:7443",
        "dns:///localhost:7443",
        "ipv4:127.1.2.3:7443",
        "ipv6:[::1]:7443",
        "unix:/run/tokend.sock",
        "unix:///run/tokend.sock",
    ],
)
async def test_plaintext_is_for_this_machine(target: str) -> None:
    connect(target).close()
    await connect_async(target).close()
    AsyncTokenClient(target)


@pytest.mark.parametrize(
    "target",
    [
        "tokens.internal:7443",
        "10.0.0.1:7443",
        "127.0.0.1.example.com:7443",
        "localhost.example.com:7443",
        "localhost:7443\n",
        "[::2]:7443",
        "dns://localhost/tokens.internal:7443",
        "ipv4:127.0.0.1:7443,10.0.0.1:7443",
        # Of no scheme, thus a name and a port.
        "UNIX:7443",
    ],
)
async def test_plaintext_does_not_leave_this_machine(target: str) -> None:
    for open_channel in (connect, connect_async, TokenClient, AsyncTokenClient):
        with pytest.raises(ValueError, match="want loopback"):
            open_channel(target)
    connect(target, grpc.ssl_channel_credentials()).close()


@pytest.fixture
def _absent_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("grpc_proxy", "http://127.0.0.1:1")
    for name in ("no_grpc_proxy", "no_proxy"):
        monkeypatch.delenv(name, raising=False)


@pytest.mark.usefixtures("_absent_proxy")
def test_plaintext_goes_past_every_proxy() -> None:
    service = ScriptedAuthService(VALID)
    with serve_auth(service) as target, TokenClient(target) as client:
        assert client.validate("abc").verdict is Verdict.VALID


@pytest.mark.usefixtures("_absent_proxy")
async def test_plaintext_of_asyncio_goes_past_every_proxy() -> None:
    service = ScriptedAuthService(VALID)
    with serve_auth(service) as target:
        async with AsyncTokenClient(target) as client:
            answer = await client.validate("abc")
    assert answer.verdict is Verdict.VALID


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
