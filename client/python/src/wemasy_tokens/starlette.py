"""What FastAPI's routes, and Starlette's, need to demand scopes themselves."""

from collections.abc import Awaitable, Callable, Collection

from starlette.datastructures import State
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from wemasy_tokens._authorize import Refusal, RefusedError, authorize_async
from wemasy_tokens.validation import (
    AsyncValidator,
    Requirements,
    TokenIdentity,
)


class TokenRefused(HTTPException):
    """A request does not pass; has the status and headers of the answer.

    Register `refused_response` for it. Without, the framework's own answer has
    the same status and headers, and another body.
    """

    def __init__(self, refusal: Refusal) -> None:
        super().__init__(
            refusal.status.value, refusal.error, dict(refusal.headers)
        )
        self.body = refusal.body


async def refused_response(_request: Request, error: Exception) -> Response:
    """The answer to TokenRefused, as an exception handler returns it.

    `FastAPI(exception_handlers={TokenRefused: refused_response})`
    """
    if not isinstance(error, TokenRefused):
        raise error
    return Response(
        error.body,
        error.status_code,
        error.headers,
        media_type="application/json",
    )


class TokenGuard:
    """Makes the dependencies by which routes demand tokens.

    `token_headers` is as in TokenMiddleware. Safe for concurrent requests if
    `validator` is.
    """

    def __init__(
        self,
        validator: AsyncValidator,
        *,
        token_headers: Collection[str] = (),
    ) -> None:
        self._validator = validator
        self._token_headers = frozenset(map(str.lower, token_headers))

    def require(
        self, *scopes: str, project: str = ""
    ) -> Callable[[Request], Awaitable[TokenIdentity]]:
        """Returns a dependency: `Depends(guard.require("pages:read"))`.

        It returns the TokenIdentity, which `request.state.token_identity` is
        then too, and raises TokenRefused for requests that do not pass. For
        HTTP; to WebSockets apply TokenMiddleware.
        """
        requirements = Requirements(*scopes, project=project)

        async def token_identity(request: Request) -> TokenIdentity:
            try:
                identity = await authorize_async(
                    self._validator,
                    requirements,
                    request.headers.raw,
                    self._token_headers,
                )
            except RefusedError as refused:
                raise TokenRefused(refused.refusal) from refused
            # Some servers give several requests the same state, and Starlette
            # may have made this request's State of it already.
            state = {
                **(request.scope.get("state") or {}),
                "token_identity": identity,
            }
            request.scope["state"] = state
            request._state = State(state)
            return identity

        return token_identity
