"""Middleware for Starlette, FastAPI and every other ASGI application."""

from collections.abc import Awaitable, Callable, Collection, MutableMapping
from typing import Any

from wemasy_tokens._authorize import Refusal, RefusedError, authorize_async
from wemasy_tokens.validation import AsyncValidator, Requirements

# As ASGI and Starlette have them.
Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
ASGIApp = Callable[[Scope, Receive, Send], Awaitable[None]]


class TokenMiddleware:
    """Lets requests and WebSockets pass that present a token which will do.

    Wraps an application, or a route of one: `Middleware(TokenMiddleware,
    client, Requirements("pages:read"))` of Starlette. The application gets a
    copy of the scope and of its state, and finds the TokenIdentity as
    `request.state.token_identity`. Other requests are answered with 400, 401,
    403 or 503, or 500 if `requirements` are malformed; what `validator` raises
    besides ValidateError goes through.

    The token is that of `Authorization: Bearer`, or of a header named in
    `token_headers`, such as `x-api-key`, that holds nothing else. It is looked
    at when the request or WebSocket begins, and not again: limit the age of
    what stays open.

    Safe for concurrent requests if `validator` is.
    """

    def __init__(
        self,
        app: ASGIApp,
        validator: AsyncValidator,
        requirements: Requirements = Requirements(),
        *,
        token_headers: Collection[str] = (),
    ) -> None:
        self._app = app
        self._validator = validator
        self._requirements = requirements
        self._token_headers = frozenset(map(str.lower, token_headers))

    async def __call__(
        self, scope: Scope, receive: Receive, send: Send
    ) -> None:
        """Serves a connection, as ASGI wants it."""
        if scope["type"] != "lifespan":
            try:
                identity = await authorize_async(
                    self._validator,
                    self._requirements,
                    scope["headers"],
                    self._token_headers,
                )
            except RefusedError as refused:
                await _refuse(refused.refusal, scope, send)
                return
            # Some servers give several requests the same state.
            state = {**(scope.get("state") or {}), "token_identity": identity}
            scope = {**scope, "state": state}
        await self._app(scope, receive, send)


async def _refuse(refusal: Refusal, scope: Scope, send: Send) -> None:
    kind = "http.response"
    if scope["type"] == "websocket":
        kind = "websocket.http.response"
        if kind not in scope.get("extensions", {}):
            # The server makes it a plain 403.
            await send({"type": "websocket.close"})
            return
    body = refusal.body
    headers = {
        "content-type": "application/json",
        "content-length": str(len(body)),
        **refusal.headers,
    }
    await send(
        {
            "type": f"{kind}.start",
            "status": refusal.status.value,
            "headers": [
                (name.encode(), value.encode())
                for name, value in headers.items()
            ],
        }
    )
    await send({"type": f"{kind}.body", "body": body})
