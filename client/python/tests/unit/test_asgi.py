"""What the ASGI middleware does with requests, in Starlette and FastAPI."""

import http
from collections.abc import AsyncIterator
from typing import Any

import grpc
import httpx
import pytest
from fastapi import Depends, FastAPI
from harness.http_server import APPS, bearer, described
from harness.validators import IDENTITY, AsyncStubValidator
from starlette.requests import Request

from wemasy_tokens import (
    MalformedRequirementsError,
    Requirements,
    ValidateError,
    Verdict,
)
from wemasy_tokens.asgi import Message, Receive, Scope, Send, TokenMiddleware
from wemasy_tokens.starlette import TokenGuard

REALM = 'Bearer realm="wemasy"'
INSUFFICIENT_SCOPE = f'{REALM}, error="insufficient_scope"'
INVALID = b'{"error":"a valid API token is required"}\n'
FORBIDDEN = b'{"error":"the API token may not do this"}\n'


async def get(
    app: Any, path: str, headers: dict[str, str] | None = None
) -> httpx.Response:
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(
        transport=transport, base_url="http://test"
    ) as client:
        return await client.get(path, headers=headers)


@pytest.fixture(params=APPS)
def make_app(request: pytest.FixtureRequest) -> Any:
    return APPS[request.param]


async def test_a_valid_token_passes_with_its_identity(make_app: Any) -> None:
    validator = AsyncStubValidator(Verdict.VALID)
    response = await get(make_app(validator), "/any", bearer("abc"))
    assert response.status_code == http.HTTPStatus.OK
    assert response.json() == described(IDENTITY)


async def test_the_validator_is_asked_for_what_the_route_needs(
    make_app: Any,
) -> None:
    validator = AsyncStubValidator(Verdict.VALID)
    app = make_app(validator)
    await get(app, "/write", {"X-API-KEY": "abc"})
    await get(app, "/other", bearer("abc"))
    assert validator.asked == [
        ("abc", ("pages:delete", "pages:write"), ""),
        ("abc", (), "projects/another"),
    ]


@pytest.mark.parametrize(
    ("outcome", "status", "challenge", "body"),
    [
        *(
            (verdict, 401, f'{REALM}, error="invalid_token"', INVALID)
            for verdict in (
                Verdict.UNSPECIFIED,
                Verdict.MALFORMED,
                Verdict.UNKNOWN,
                Verdict.REVOKED,
                Verdict.EXPIRED,
            )
        ),
        (
            Verdict.WRONG_PROJECT,
            403,
            INSUFFICIENT_SCOPE,
            FORBIDDEN,
        ),
        (
            Verdict.INSUFFICIENT_SCOPE,
            403,
            f'{INSUFFICIENT_SCOPE}, scope="pages:delete pages:write"',
            FORBIDDEN,
        ),
        (
            ValidateError(grpc.StatusCode.DEADLINE_EXCEEDED, "late"),
            503,
            None,
            b'{"error":"try again in a moment"}\n',
        ),
        (
            MalformedRequirementsError("required_scopes"),
            500,
            None,
            b'{"error":"internal error"}\n',
        ),
    ],
)
async def test_every_refusal_is_as_the_contract_has_it(
    make_app: Any,
    outcome: Verdict | Exception,
    status: int,
    challenge: str | None,
    body: bytes,
) -> None:
    app = make_app(AsyncStubValidator(outcome))
    response = await get(app, "/write", bearer("abc"))
    assert response.status_code == status
    assert response.content == body
    assert response.headers.get("www-authenticate") == challenge
    assert response.headers["content-type"] == "application/json"
    assert response.headers["cache-control"] == "no-store"
    retry_after = "1" if status == http.HTTPStatus.SERVICE_UNAVAILABLE else None
    assert response.headers.get("retry-after") == retry_after


async def test_nobody_is_asked_without_a_credential(make_app: Any) -> None:
    validator = AsyncStubValidator(Verdict.VALID)
    response = await get(make_app(validator), "/any?access_token=abc")
    assert response.status_code == http.HTTPStatus.UNAUTHORIZED
    assert response.headers["www-authenticate"] == REALM
    assert response.content == INVALID
    assert not validator.asked


async def test_what_a_validator_raises_besides_does_not_let_pass(
    make_app: Any,
) -> None:
    app = make_app(AsyncStubValidator(RuntimeError("a bug")))
    with pytest.raises(RuntimeError, match="a bug"):
        await get(app, "/any", bearer("abc"))


async def test_without_a_handler_fastapi_refuses_all_the_same() -> None:
    guard = TokenGuard(AsyncStubValidator(Verdict.REVOKED))
    app = FastAPI(dependencies=[Depends(guard.require())])
    app.add_api_route("/", lambda: "secret")
    response = await get(app, "/", bearer("abc"))
    assert response.status_code == http.HTTPStatus.UNAUTHORIZED
    assert response.headers["www-authenticate"].startswith(REALM)
    assert response.json() == {"detail": "a valid API token is required"}


async def test_a_dependency_leaves_the_identity_in_the_request() -> None:
    guard = TokenGuard(AsyncStubValidator(Verdict.VALID))
    app = FastAPI(dependencies=[Depends(guard.require())])

    @app.get("/")
    async def name(request: Request) -> str:
        return str(request.state.token_identity.name)

    response = await get(app, "/", bearer("abc"))
    assert response.json() == IDENTITY.name


async def test_a_dependency_leaves_the_state_of_others_alone() -> None:
    token_identity = TokenGuard(AsyncStubValidator(Verdict.VALID)).require()
    # As Hypercorn 0.17 does, and what an earlier dependency may have read.
    shared = {"pool": "of the lifespan"}
    one, other = (
        Request(
            {
                "type": "http",
                "headers": [(b"authorization", b"Bearer abc")],
                "state": shared,
            }
        )
        for _ in range(2)
    )
    assert one.state.pool == "of the lifespan"
    await token_identity(one)
    assert one.state.token_identity == IDENTITY
    assert one.state.pool == "of the lifespan"
    assert one.scope["state"]["token_identity"] == IDENTITY
    assert not hasattr(other.state, "token_identity")


class Inner:
    """An application that keeps the scopes it was called with."""

    def __init__(self) -> None:
        self.scopes: list[Scope] = []

    async def __call__(
        self, scope: Scope, receive: Receive, send: Send
    ) -> None:
        self.scopes.append(scope)


async def run(app: Any, scope: Scope) -> list[Message]:
    """Calls an ASGI application; returns what it sent."""
    sent: list[Message] = []

    async def receive() -> Message:
        raise AssertionError("nothing is to be received")

    async def send(message: Message) -> None:
        sent.append(message)

    await app(scope, receive, send)
    return sent


async def test_the_lifespan_needs_no_token() -> None:
    inner = Inner()
    app = TokenMiddleware(inner, AsyncStubValidator(Verdict.REVOKED))
    await run(app, {"type": "lifespan"})
    assert inner.scopes == [{"type": "lifespan"}]


def websocket_scope(*extensions: str) -> Scope:
    return {
        "type": "websocket",
        "headers": [(b"authorization", b"Bearer abc")],
        "extensions": {name: {} for name in extensions},
    }


async def test_a_websocket_passes_with_its_identity() -> None:
    inner = Inner()
    app = TokenMiddleware(inner, AsyncStubValidator(Verdict.VALID))
    await run(app, websocket_scope())
    assert inner.scopes[0]["state"] == {"token_identity": IDENTITY}


async def test_requests_that_share_a_state_do_not_share_an_identity() -> None:
    inner = Inner()
    app = TokenMiddleware(inner, AsyncStubValidator(Verdict.VALID))
    # As Hypercorn 0.17 does.
    shared = {"pool": "of the lifespan"}
    scope, other = ({**websocket_scope(), "state": shared} for _ in range(2))
    await run(app, scope)
    assert inner.scopes[0]["state"] == {**shared, "token_identity": IDENTITY}
    assert other["state"] == {"pool": "of the lifespan"}
    assert scope["state"] is shared


async def test_a_websocket_is_refused_before_it_opens() -> None:
    inner = Inner()
    app = TokenMiddleware(
        inner,
        AsyncStubValidator(Verdict.INSUFFICIENT_SCOPE),
        Requirements("pages:read"),
    )
    start, body = await run(app, websocket_scope("websocket.http.response"))
    assert start["type"] == "websocket.http.response.start"
    assert start["status"] == http.HTTPStatus.FORBIDDEN
    assert dict(start["headers"])[b"www-authenticate"].endswith(
        b'scope="pages:read"'
    )
    assert body == {"type": "websocket.http.response.body", "body": FORBIDDEN}
    assert not inner.scopes


async def test_a_server_without_responses_to_websockets_closes_it() -> None:
    inner = Inner()
    app = TokenMiddleware(inner, AsyncStubValidator(Verdict.UNKNOWN))
    assert await run(app, websocket_scope()) == [{"type": "websocket.close"}]
    assert not inner.scopes


async def test_the_body_of_a_refused_request_is_not_read() -> None:
    async def forever() -> AsyncIterator[bytes]:
        raise AssertionError("the body was read")
        yield b""

    app = TokenMiddleware(Inner(), AsyncStubValidator(Verdict.UNKNOWN))
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(
        transport=transport, base_url="http://test"
    ) as client:
        response = await client.post(
            "/", content=forever(), headers=bearer("abc")
        )
    assert response.status_code == http.HTTPStatus.UNAUTHORIZED
