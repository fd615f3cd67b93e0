"""Serves GET /pages to whoever has a token with the scope pages:read.

    python protected_pages.py TOKEND_HOST:PORT [HTTP_PORT]

For a tokend in plain text on this machine; any other wants `tls_credentials`.
"""

import contextlib
import sys
from collections.abc import AsyncIterator
from typing import Annotated

import uvicorn
from fastapi import Depends, FastAPI
from starlette.types import Lifespan

from wemasy_tokens import AsyncTokenClient, AsyncValidator, TokenIdentity
from wemasy_tokens.starlette import (
    TokenGuard,
    TokenRefused,
    refused_response,
)


def make_app(
    validator: AsyncValidator, lifespan: Lifespan[FastAPI] | None = None
) -> FastAPI:
    """Returns the application; in a test, of an AsyncFakeValidator."""
    guard = TokenGuard(validator, token_headers=["x-api-key"])
    app = FastAPI(
        lifespan=lifespan, exception_handlers={TokenRefused: refused_response}
    )

    @app.get("/pages")
    async def pages(
        identity: Annotated[
            TokenIdentity, Depends(guard.require("pages:read"))
        ],
    ) -> dict[str, str]:
        return {"project": identity.project, "token": identity.name}

    return app


def main(target: str, port: str = "8000") -> None:
    """Serves until it is interrupted."""
    client = AsyncTokenClient(target)

    @contextlib.asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        async with client:
            yield

    uvicorn.run(make_app(client, lifespan), port=int(port))


if __name__ == "__main__":
    main(*sys.argv[1:])
