"""What a validator is asked, and what it answers.

A refusal is a verdict, thus data; an exception means that nobody could say.
"""

import dataclasses
import datetime
import enum
from collections.abc import Mapping
from typing import Protocol, Self, TypeAlias

import grpc

# Not `Sequence[str]`: a `str` is one, of its characters.
Scopes: TypeAlias = list[str] | tuple[str, ...]


class Verdict(enum.IntEnum):
    """The decision on a presented token; the numbers are the contract's.

    The checks run in the order of these values, and the first that fails is
    the verdict. One that this version does not know becomes UNSPECIFIED.
    """

    UNSPECIFIED = 0
    """Unknown to this version. A refusal."""
    MALFORMED = 1
    """Not the form of a token."""
    UNKNOWN = 2
    """No such token."""
    REVOKED = 3
    """The token, or this secret of it, was revoked or replaced."""
    EXPIRED = 4
    """The token, or this secret of it, has expired."""
    WRONG_PROJECT = 5
    """The token is of another project than the expected one."""
    INSUFFICIENT_SCOPE = 6
    """The token lacks one of the required scopes."""
    VALID = 7
    """The token may be used."""

    @classmethod
    def _missing_(cls, value: object) -> Self:
        return cls(0)


@dataclasses.dataclass(frozen=True, slots=True)
class TokenIdentity:
    """Whose token it is. Immutable, and never has the token itself."""

    name: str
    """`projects/{project}/tokens/{token}`."""
    project: str
    """`projects/{project}`."""
    creator: str = ""
    """The platform's user id of whoever created the token."""
    scopes: tuple[str, ...] = ()
    """Sorted."""
    metadata: Mapping[str, str] = dataclasses.field(default_factory=dict)
    """What the token's owner wrote down for gateways and backends."""
    expire_time: datetime.datetime | None = None
    """From when on the token is refused, in UTC; None for never."""


@dataclasses.dataclass(frozen=True, slots=True)
class Validation:
    """The answer on a presented token. Immutable.

    True when it is given: keep none, for the token may be revoked a moment
    later.
    """

    verdict: Verdict
    identity: TokenIdentity | None = None
    """Set with VALID, and only then."""
    token_name: str = ""
    """Which token it is, for a log: set for every verdict after UNKNOWN."""


@dataclasses.dataclass(frozen=True, slots=True, init=False)
class Requirements:
    """What a route needs of a token: `Requirements("pages:read")`. Immutable.

    Comes from the program, never from a request. No scopes and no project
    means that any valid token will do.
    """

    scopes: tuple[str, ...]
    """The token must have them all. Sorted, none twice."""
    project: str
    """The project that the token must be of, `projects/{project}`; any if
    empty."""

    def __init__(self, *scopes: str, project: str = "") -> None:
        object.__setattr__(self, "scopes", tuple(sorted(set(scopes))))
        object.__setattr__(self, "project", project)


class ValidateError(Exception):
    """Nobody could say whether the token may be used: refuse the request.

    `code` is the gRPC status, such as UNAVAILABLE or DEADLINE_EXCEEDED.
    """

    def __init__(self, code: grpc.StatusCode, details: str) -> None:
        super().__init__(code, details)
        self.code = code
        self.details = details

    def __str__(self) -> str:
        return f"validate: {self.code.name}: {self.details}"


class MalformedRequirementsError(ValidateError):
    """The required scopes or the expected project are malformed: a bug."""

    def __init__(self, details: str) -> None:
        super().__init__(grpc.StatusCode.INVALID_ARGUMENT, details)
        self.args = (details,)


class Validator(Protocol):
    """Decides on tokens: TokenClient, or a fake in a test."""

    def validate(
        self,
        token: str,
        required_scopes: Scopes = (),
        expected_project: str = "",
    ) -> Validation:
        """Decides on `token`, any text.

        Raises MalformedRequirementsError if `required_scopes` or
        `expected_project` are malformed, and ValidateError if there is no
        answer.
        """


class AsyncValidator(Protocol):
    """The same for asyncio: AsyncTokenClient, or a fake in a test."""

    async def validate(
        self,
        token: str,
        required_scopes: Scopes = (),
        expected_project: str = "",
    ) -> Validation:
        """As Validator.validate."""
