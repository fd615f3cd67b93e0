"""HTTP applications with protected routes, on a real server."""

import contextlib
import socket
import threading
from collections.abc import Iterator
from typing import Annotated, Any

import httpx
import uvicorn
from fastapi import Depends, FastAPI
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from wemasy_tokens import AsyncValidator, Requirements, TokenIdentity
from wemasy_tokens.asgi import ASGIApp, TokenMiddleware
from wemasy_tokens.starlette import (
    TokenGuard,
    TokenRefused,
    refused_response,
)

TOKEN_HEADERS = ["X-Api-Key"]
MISCONFIGURED = "Not A Scope"

# What each path needs.
ROUTES = {
    "/any": Requirements(),
    "/read": Requirements("pages:read"),
    "/write": Requirements("pages:write", "pages:delete"),
    "/other": Requirements(project="projects/another"),
    "/misconfigured": Requirements(MISCONFIGURED),
}


def described(identity: TokenIdentity) -> dict[str, Any]:
    """The answer of every route."""
    expire_time = identity.expire_time
    return {
        "name": identity.name,
        "project": identity.project,
        "creator": identity.creator,
        "scopes": list(identity.scopes),
        "metadata": dict(identity.metadata),
        "expire_time": expire_time and expire_time.isoformat(),
    }


async def _endpoint(request: Request) -> JSONResponse:
    return JSONResponse(described(request.state.token_identity))


def starlette_app(validator: AsyncValidator) -> Starlette:
    return Starlette(
        routes=[
            Route(
                path,
                _endpoint,
                middleware=[
                    Middleware(
                        TokenMiddleware,
                        validator,
                        requirements,
                        token_headers=TOKEN_HEADERS,
                    )
                ],
            )
            for path, requirements in ROUTES.items()
        ]
    )


def fastapi_app(validator: AsyncValidator) -> FastAPI:
    guard = TokenGuard(validator, token_headers=TOKEN_HEADERS)
    app = FastAPI(exception_handlers={TokenRefused: refused_response})

    def add(path: str, requirements: Requirements) -> None:
        needed = guard.require(
            *requirements.scopes, project=requirements.project
        )

        @app.get(path)
        async def endpoint(
            identity: Annotated[TokenIdentity, Depends(needed)],
        ) -> dict[str, Any]:
            return described(identity)

    for path, requirements in ROUTES.items():
        add(path, requirements)
    return app


APPS = {"starlette": starlette_app, "fastapi": fastapi_app}


@contextlib.contextmanager
def serve_http(app: ASGIApp) -> Iterator[str]:
    """Serves an application on 127.0.0.1; yields its `host:port`."""
    server = uvicorn.Server(uvicorn.Config(app, log_level="warning"))
    # Who connects before the server is there waits in the listener's queue.
    with socket.create_server(("127.0.0.1", 0)) as listener:
        # Answers are written in two pieces, and would wait 40 ms in between.
        listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        thread = threading.Thread(target=server.run, args=([listener],))
        thread.start()
        try:
            host, port = listener.getsockname()
            yield f"{host}:{port}"
        finally:
            server.should_exit = True
            thread.join()


@contextlib.contextmanager
def http_client(address: str) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=f"http://{address}", timeout=30) as client:
        yield client


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}
