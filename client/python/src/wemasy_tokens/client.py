"""Validators that ask the service."""

from __future__ import annotations

import datetime
from types import TracebackType
from typing import Self

import grpc
import grpc.aio

from wemasy.tokens.v1 import auth_service_pb2, auth_service_pb2_grpc
from wemasy_tokens.channel import check_target, connect, connect_async
from wemasy_tokens.validation import (
    MalformedRequirementsError,
    Scopes,
    TokenIdentity,
    ValidateError,
    Validation,
    Verdict,
)

# As the C++ client: all attempts together.
_TIMEOUT_SECONDS = 2.0


class TokenClient:
    """A Validator that asks the service for every token.

    Has a channel of its own, see `connect` for `target` and `credentials`.
    `timeout`, in seconds, is for a Validate with all its retries. Make one for
    the process, after its last fork. Thread-safe.
    """

    def __init__(
        self,
        target: str,
        credentials: grpc.ChannelCredentials | None = None,
        *,
        timeout: float = _TIMEOUT_SECONDS,
    ) -> None:
        self._channel = connect(target, credentials)
        self._stub = auth_service_pb2_grpc.AuthServiceStub(self._channel)
        self._timeout = timeout

    def validate(
        self,
        token: str,
        required_scopes: Scopes = (),
        expected_project: str = "",
    ) -> Validation:
        """As Validator.validate."""
        if not _is_utf8(token):
            return Validation(Verdict.MALFORMED)
        request = _request(token, required_scopes, expected_project)
        try:
            response = self._stub.Validate(request, timeout=self._timeout)
        except grpc.RpcError as error:
            raise _failure(error) from error
        return _validation(response)

    def close(self) -> None:
        """Closes the channel. The client cannot be used any more."""
        self._channel.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()


class AsyncTokenClient:
    """An AsyncValidator that asks the service for every token.

    As TokenClient, for one event loop at a time. May be made before there is
    one, thus next to an application: its channel is opened by the first call,
    and again by the first call after `close`.
    """

    def __init__(
        self,
        target: str,
        credentials: grpc.ChannelCredentials | None = None,
        *,
        timeout: float = _TIMEOUT_SECONDS,
    ) -> None:
        # Now, and not in the first call.
        check_target(target, credentials)
        self._target = target
        self._credentials = credentials
        self._timeout = timeout
        self._channel: grpc.aio.Channel | None = None
        self._stub: auth_service_pb2_grpc.AuthServiceAsyncStub | None = None

    async def validate(
        self,
        token: str,
        required_scopes: Scopes = (),
        expected_project: str = "",
    ) -> Validation:
        """As Validator.validate."""
        if not _is_utf8(token):
            return Validation(Verdict.MALFORMED)
        request = _request(token, required_scopes, expected_project)
        if self._stub is None:
            self._channel = connect_async(self._target, self._credentials)
            self._stub = auth_service_pb2_grpc.AuthServiceStub(self._channel)
        try:
            response = await self._stub.Validate(request, timeout=self._timeout)
        except grpc.RpcError as error:
            raise _failure(error) from error
        return _validation(response)

    async def close(self) -> None:
        """Closes the channel, if it is open. Calls in progress fail."""
        channel, self._channel, self._stub = self._channel, None, None
        if channel is not None:
            await channel.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self.close()


def _is_utf8(token: str) -> bool:
    # Not so if surrogates stand for other bytes. The message would refuse them
    # too, but with an exception that has the token in it.
    try:
        token.encode()
    except UnicodeEncodeError:
        return False
    return True


def _request(
    token: str, required_scopes: Scopes, expected_project: str
) -> auth_service_pb2.ValidateRequest:
    return auth_service_pb2.ValidateRequest(
        token=token,
        required_scopes=required_scopes,
        expected_project=expected_project,
    )


def _failure(error: grpc.RpcError) -> ValidateError:
    code, details = error.code(), error.details() or ""
    if code is grpc.StatusCode.INVALID_ARGUMENT:
        return MalformedRequirementsError(details)
    return ValidateError(code, details)


def _validation(response: auth_service_pb2.ValidateResponse) -> Validation:
    verdict = Verdict(response.verdict)
    if verdict is not Verdict.VALID:
        return Validation(verdict, token_name=response.token)
    expire_time = None
    if response.HasField("expire_time"):
        expire_time = response.expire_time.ToDatetime(datetime.UTC)
    identity = TokenIdentity(
        name=response.token,
        project=response.project,
        creator=response.creator,
        scopes=tuple(response.scopes),
        metadata=dict(response.metadata),
        expire_time=expire_time,
    )
    return Validation(verdict, identity, response.token)
