"""What the middleware does with a request: one contract for all frameworks.

Nothing here remembers an answer, and whatever fails refuses the request.
"""

import dataclasses
import http
import json
import logging
import re
from collections.abc import Collection, Iterable

import grpc

from wemasy_tokens.validation import (
    AsyncValidator,
    MalformedRequirementsError,
    Requirements,
    TokenIdentity,
    ValidateError,
    Validation,
    Validator,
    Verdict,
)

# A header's name and value, as frameworks hand them on.
Field = tuple[str | bytes, str | bytes]

_log = logging.getLogger("wemasy_tokens")

_CHALLENGE = 'Bearer realm="wemasy"'
# The scheme Bearer, and the one run of spaces after it.
_BEARER = re.compile(r"bearer(?: +|\Z)", re.ASCII | re.IGNORECASE)


@dataclasses.dataclass(frozen=True, slots=True)
class Refusal:
    """The answer to a request that does not pass. Immutable."""

    status: http.HTTPStatus
    code: grpc.StatusCode
    error: str
    """For people; all that a refusal says besides the challenge."""
    challenge: str = ""
    """The value of WWW-Authenticate (RFC 6750, section 3); empty for none."""

    @property
    def headers(self) -> dict[str, str]:
        """Those of HTTP, besides the body's type and length."""
        headers = {"cache-control": "no-store"}
        if self.challenge:
            headers["www-authenticate"] = self.challenge
        if self.status is http.HTTPStatus.SERVICE_UNAVAILABLE:
            headers["retry-after"] = "1"
        return headers

    @property
    def body(self) -> bytes:
        """That of HTTP, of type application/json."""
        text = json.dumps({"error": self.error}, separators=(",", ":"))
        return text.encode() + b"\n"


class RefusedError(Exception):
    """The request does not pass."""

    def __init__(self, refusal: Refusal) -> None:
        super().__init__(refusal)
        self.refusal = refusal


_NO_CREDENTIAL = Refusal(
    http.HTTPStatus.UNAUTHORIZED,
    grpc.StatusCode.UNAUTHENTICATED,
    "a valid API token is required",
    _CHALLENGE,
)
_UNUSABLE_CREDENTIAL = Refusal(
    http.HTTPStatus.BAD_REQUEST,
    grpc.StatusCode.INVALID_ARGUMENT,
    "more than one credential",
    f'{_CHALLENGE}, error="invalid_request"',
)
_INVALID_TOKEN = dataclasses.replace(
    _NO_CREDENTIAL, challenge=f'{_CHALLENGE}, error="invalid_token"'
)
_FORBIDDEN = Refusal(
    http.HTTPStatus.FORBIDDEN,
    grpc.StatusCode.PERMISSION_DENIED,
    "the API token may not do this",
    f'{_CHALLENGE}, error="insufficient_scope"',
)
_NOBODY_CAN_SAY = Refusal(
    http.HTTPStatus.SERVICE_UNAVAILABLE,
    grpc.StatusCode.UNAVAILABLE,
    "try again in a moment",
)
ROUTE_MISCONFIGURED = Refusal(
    http.HTTPStatus.INTERNAL_SERVER_ERROR,
    grpc.StatusCode.INTERNAL,
    "internal error",
)


def authorize(
    validator: Validator,
    requirements: Requirements,
    fields: Iterable[Field],
    token_headers: Collection[str],
) -> TokenIdentity:
    """Returns who may make the request with these headers.

    `token_headers` are the lower-case names of headers that hold a token and
    nothing else. Raises RefusedError if the request does not pass.
    """
    token = presented_token(fields, token_headers)
    try:
        validation = validator.validate(
            token, requirements.scopes, requirements.project
        )
    except ValidateError as error:
        raise _failed(error) from error
    return _decided(validation, requirements)


async def authorize_async(
    validator: AsyncValidator,
    requirements: Requirements,
    fields: Iterable[Field],
    token_headers: Collection[str],
) -> TokenIdentity:
    """As `authorize`, for asyncio."""
    token = presented_token(fields, token_headers)
    try:
        validation = await validator.validate(
            token, requirements.scopes, requirements.project
        )
    except ValidateError as error:
        raise _failed(error) from error
    return _decided(validation, requirements)


def presented_token(
    fields: Iterable[Field], token_headers: Collection[str]
) -> str:
    """Returns the one token that a request presents.

    Names and the scheme are compared without regard to case, nothing else is
    forgiven: two tokens are refused even if they are equal, since whoever
    comes later may choose the other one. Raises RefusedError.
    """
    found = [
        value
        for field in fields
        if (value := _presented_by(field, token_headers)) is not None
    ]
    if not found:
        raise RefusedError(_NO_CREDENTIAL)
    if len(found) > 1 or not re.fullmatch(r"[^ \t,]+", found[0]):
        raise RefusedError(_UNUSABLE_CREDENTIAL)
    return found[0]


def _presented_by(field: Field, token_headers: Collection[str]) -> str | None:
    """What a header holds in the place of a token; None if it has no such."""
    name, value = map(_text, field)
    name = name.lower()
    if name == "authorization":
        # Several headers may come joined. Other schemes are not ours.
        parts = (part.strip(" \t") for part in value.split(","))
        if not any(map(_BEARER.match, parts)):
            return None
        scheme = _BEARER.match(value)
        return value[scheme.end() :] if scheme else value
    return value if name in token_headers else None


def _text(value: str | bytes) -> str:
    # What is not UTF-8 becomes text that no token is.
    if isinstance(value, bytes):
        return value.decode(errors="surrogateescape")
    return value


def _failed(error: ValidateError) -> RefusedError:
    if isinstance(error, MalformedRequirementsError):
        _log.error("the route's requirements are malformed: %s", error)
        return RefusedError(ROUTE_MISCONFIGURED)
    _log.warning("refused, as nobody can say: %s", error)
    return RefusedError(_NOBODY_CAN_SAY)


def _decided(
    validation: Validation, requirements: Requirements
) -> TokenIdentity:
    verdict, identity = validation.verdict, validation.identity
    if verdict is Verdict.VALID and identity is not None:
        return identity
    _log.info(
        "refused %s: %s", validation.token_name or "a token", verdict.name
    )
    match verdict:
        case Verdict.WRONG_PROJECT:
            raise RefusedError(_FORBIDDEN)
        case Verdict.INSUFFICIENT_SCOPE:
            scope = " ".join(requirements.scopes)
            challenge = f'{_FORBIDDEN.challenge}, scope="{scope}"'
            raise RefusedError(
                dataclasses.replace(_FORBIDDEN, challenge=challenge)
            )
        case _:
            raise RefusedError(_INVALID_TOKEN)
