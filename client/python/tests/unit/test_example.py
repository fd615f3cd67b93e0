"""How users test their own endpoints: with the fake, and without a server."""

import http

import httpx
from harness.http_server import bearer
from protected_pages import make_app

from wemasy_tokens import TokenIdentity
from wemasy_tokens.testing import AsyncFakeValidator

PROJECT = "projects/demo"


async def test_pages_want_a_token_that_may_read_them() -> None:
    validator = AsyncFakeValidator()
    for token, scopes in (("reader", ("pages:read",)), ("writer", ())):
        name = f"{PROJECT}/tokens/{token}"
        validator.add(token, TokenIdentity(name, PROJECT, scopes=scopes))
    async with httpx.AsyncClient(
        transport=httpx.ASGITransport(make_app(validator)),
        base_url="http://test",
    ) as client:

        async def status(token: str) -> int:
            response = await client.get("/pages", headers=bearer(token))
            return response.status_code

        assert await status("reader") == http.HTTPStatus.OK
        assert await status("writer") == http.HTTPStatus.FORBIDDEN
        assert await status("another") == http.HTTPStatus.UNAUTHORIZED
        validator.is_available = False
        assert await status("reader") == http.HTTPStatus.SERVICE_UNAVAILABLE
        validator.is_available = True
        validator.revoke("reader")
        assert await status("reader") == http.HTTPStatus.UNAUTHORIZED
