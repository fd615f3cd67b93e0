"""Validators for tests, which need no server.

They decide as the service does, on tokens that the test gives them.
"""

import datetime
import re

import grpc

from wemasy_tokens.validation import (
    MalformedRequirementsError,
    Scopes,
    TokenIdentity,
    ValidateError,
    Validation,
    Verdict,
)

_SCOPE = re.compile(r"[a-z][a-z0-9_.:/-]{0,63}")
_MAX_SCOPES = 64
_PROJECT = re.compile(r"projects/[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?")


class _FakeTokens:
    """The tokens of a fake. Thread-safe."""

    def __init__(self) -> None:
        self._identities: dict[str, TokenIdentity] = {}
        self._revoked: set[str] = set()
        self.is_available = True
        """Whether there is anybody to ask; if not, `validate` raises."""

    def add(self, token: str, identity: TokenIdentity) -> None:
        """Makes `token`, any text, that of `identity`, and valid."""
        self._identities[token] = identity
        self._revoked.discard(token)

    def revoke(self, token: str) -> None:
        """Makes `token` REVOKED. Raises LookupError if it was not added."""
        if token not in self._identities:
            raise LookupError("no such token was added")
        self._revoked.add(token)

    def _decide(
        self, token: str, required_scopes: Scopes, expected_project: str
    ) -> Validation:
        if not self.is_available:
            raise ValidateError(
                grpc.StatusCode.UNAVAILABLE, "the fake is not available"
            )
        _check_requirements(required_scopes, expected_project)
        identity = self._identities.get(token)
        if identity is None:
            return Validation(Verdict.UNKNOWN)
        if token in self._revoked:
            verdict = Verdict.REVOKED
        elif _has_expired(identity):
            verdict = Verdict.EXPIRED
        elif expected_project not in ("", identity.project):
            verdict = Verdict.WRONG_PROJECT
        elif not set(required_scopes) <= set(identity.scopes):
            verdict = Verdict.INSUFFICIENT_SCOPE
        else:
            return Validation(Verdict.VALID, identity, identity.name)
        return Validation(verdict, token_name=identity.name)


class FakeValidator(_FakeTokens):
    """A Validator that knows the tokens which were added. Thread-safe."""

    def validate(
        self,
        token: str,
        required_scopes: Scopes = (),
        expected_project: str = "",
    ) -> Validation:
        """As Validator.validate."""
        return self._decide(token, required_scopes, expected_project)


class AsyncFakeValidator(_FakeTokens):
    """An AsyncValidator that knows the tokens which were added. Thread-safe."""

    async def validate(
        self,
        token: str,
        required_scopes: Scopes = (),
        expected_project: str = "",
    ) -> Validation:
        """As Validator.validate."""
        return self._decide(token, required_scopes, expected_project)


def _check_requirements(required_scopes: Scopes, expected_project: str) -> None:
    if len(required_scopes) > _MAX_SCOPES:
        raise MalformedRequirementsError(
            f"{len(required_scopes)} required scopes, want {_MAX_SCOPES} at most"
        )
    for scope in required_scopes:
        if not _SCOPE.fullmatch(scope):
            raise MalformedRequirementsError(
                f"required scope is {scope!r}, want {_SCOPE.pattern}"
            )
    if expected_project and not _PROJECT.fullmatch(expected_project):
        raise MalformedRequirementsError(
            f"expected project is {expected_project!r}, want {_PROJECT.pattern}"
        )


def _has_expired(identity: TokenIdentity) -> bool:
    now = datetime.datetime.now(datetime.UTC)
    return identity.expire_time is not None and identity.expire_time <= now
