"""A token is in no text that the package makes."""

import asyncio
import logging
import traceback
from collections.abc import Iterator
from typing import Any

import grpc
import pytest
from harness.auth_service import ScriptedAuthService, serve_auth
from harness.grpc_servers import SERVERS, bearer, refused
from harness.validators import IDENTITY, AsyncStubValidator, StubValidator
from starlette.requests import Request

from wemasy_tokens import (
    AsyncTokenClient,
    MalformedRequirementsError,
    Requirements,
    TokenClient,
    ValidateError,
    Verdict,
)
from wemasy_tokens._authorize import RefusedError, authorize
from wemasy_tokens.asgi import TokenMiddleware
from wemasy_tokens.grpc_server import AsyncTokenInterceptor, TokenInterceptor
from wemasy_tokens.starlette import TokenGuard, TokenRefused
from wemasy_tokens.testing import AsyncFakeValidator, FakeValidator

TOKEN = "wmsy_kwoEaQxqGV4S3oUccpFeOf5Vafi37041P62J"
# The first is not UTF-8, which is the one that encoders would complain of.
TOKENS = [TOKEN + "\udcff", TOKEN]

FAILURES = [
    ValidateError(grpc.StatusCode.UNAVAILABLE, "away"),
    MalformedRequirementsError("required_scopes"),
    *(verdict for verdict in Verdict if verdict is not Verdict.VALID),
]


def texts_of(error: BaseException) -> Iterator[str]:
    """All that can be read from an exception, and from what led to it."""
    yield "".join(traceback.format_exception(error))
    seen: list[BaseException] = []
    causes: list[BaseException | None] = [error]
    while causes:
        cause = causes.pop()
        if cause is None or cause in seen:
            continue
        seen.append(cause)
        causes += [cause.__cause__, cause.__context__]
        yield from (str(cause), repr(cause), repr(cause.args))
        yield repr(vars(cause))


def assert_secret(error: BaseException) -> None:
    for text in texts_of(error):
        assert TOKEN not in text


@pytest.fixture(autouse=True)
def log(caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    """Looks at the log of each test, of all levels."""
    caplog.set_level(logging.DEBUG)
    yield
    assert TOKEN not in caplog.text


@pytest.mark.parametrize("token", TOKENS)
@pytest.mark.parametrize("outcome", FAILURES)
def test_no_refusal_has_it(outcome: Verdict | Exception, token: str) -> None:
    fields: list[tuple[str, str]] = [("authorization", f"Bearer {token}")]
    with pytest.raises(RefusedError) as raised:
        authorize(StubValidator(outcome), Requirements("a"), fields, ())
    assert_secret(raised.value)
    with pytest.raises(RefusedError) as raised:
        authorize(StubValidator(outcome), Requirements(), fields * 2, ())
    assert_secret(raised.value)


async def test_no_exception_of_a_dependency_has_it() -> None:
    guard = TokenGuard(AsyncStubValidator(Verdict.REVOKED))
    headers = [(b"authorization", f"Bearer {TOKEN}".encode())]
    request = Request({"type": "http", "headers": headers})
    with pytest.raises(TokenRefused) as raised:
        await guard.require("a")(request)
    assert_secret(raised.value)


@pytest.mark.parametrize(
    "code",
    [
        grpc.StatusCode.INVALID_ARGUMENT,
        grpc.StatusCode.PERMISSION_DENIED,
        grpc.StatusCode.INTERNAL,
    ],
)
def test_no_exception_of_a_client_has_it(code: grpc.StatusCode) -> None:
    async def validate(target: str) -> None:
        async with AsyncTokenClient(target) as client:
            await client.validate(TOKEN)

    with serve_auth(ScriptedAuthService(code, code)) as target:
        with (
            TokenClient(target) as client,
            pytest.raises(ValidateError) as raised,
        ):
            client.validate(TOKEN)
        assert_secret(raised.value)
        with pytest.raises(ValidateError) as raised:
            asyncio.run(validate(target))
        assert_secret(raised.value)


@pytest.mark.parametrize("kind", SERVERS)
def test_no_grpc_server_says_or_logs_it(kind: str) -> None:
    for outcome in [*FAILURES, RuntimeError("a bug")]:
        interceptor: Any = (
            TokenInterceptor(StubValidator(outcome), Requirements())
            if kind == "threads"
            else AsyncTokenInterceptor(
                AsyncStubValidator(outcome), Requirements()
            )
        )
        with (
            SERVERS[kind](interceptor) as target,
            grpc.insecure_channel(target) as channel,
        ):
            _, details = refused(channel, "unary_unary", bearer(TOKEN))
            assert details is not None
            assert TOKEN not in details


def test_no_fake_says_it() -> None:
    fake = FakeValidator()
    with pytest.raises(LookupError) as raised:
        fake.revoke(TOKEN)
    assert_secret(raised.value)
    fake.is_available = False
    with pytest.raises(ValidateError) as unavailable:
        fake.validate(TOKEN)
    assert_secret(unavailable.value)


def test_no_object_shows_it() -> None:
    fake, async_fake = FakeValidator(), AsyncFakeValidator()
    fake.add(TOKEN, IDENTITY)
    async_fake.add(TOKEN, IDENTITY)

    async def app(*_: Any) -> None: ...

    for thing in (
        fake,
        async_fake,
        fake.validate(TOKEN),
        TokenMiddleware(app, async_fake),
        TokenGuard(async_fake),
        TokenInterceptor(fake, Requirements()),
        AsyncTokenInterceptor(async_fake, Requirements()),
    ):
        assert TOKEN not in repr(thing)
        assert TOKEN not in str(thing)


def test_a_leak_would_be_noticed() -> None:
    with pytest.raises(RuntimeError) as raised:
        raise RuntimeError("context") from LookupError(TOKEN)
    assert any(TOKEN in text for text in texts_of(raised.value))
