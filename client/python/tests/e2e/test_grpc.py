"""Protected gRPC methods, before a real server, over real connections."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Any

import grpc
import pytest
from harness.grpc_servers import (
    KINDS,
    SERVERS,
    SERVICE,
    bearer,
    call,
    refused,
)
from harness.service import UNKNOWN, Issued, Service

from wemasy_tokens import AsyncTokenClient, Requirements, TokenClient
from wemasy_tokens.grpc_server import AsyncTokenInterceptor, TokenInterceptor

Code = grpc.StatusCode
INVALID = (Code.UNAUTHENTICATED, "a valid API token is required")
FORBIDDEN = (Code.PERMISSION_DENIED, "the API token may not do this")
METHODS = {
    f"/{SERVICE}/unary_unary": Requirements(),
    f"/{SERVICE}/unary_stream": Requirements("pages:write"),
    f"/{SERVICE}/stream_unary": Requirements(project="projects/another"),
    f"/{SERVICE}/stream_stream": Requirements("Not A Scope"),
}
Serve = Callable[[str], AbstractContextManager[grpc.Channel]]


@contextmanager
def serve_threads(target: str) -> Iterator[grpc.Channel]:
    with TokenClient(target) as validator:
        interceptor = TokenInterceptor(validator, methods=METHODS)
        yield from channel_to("threads", interceptor)


@contextmanager
def serve_asyncio(target: str) -> Iterator[grpc.Channel]:
    interceptor = AsyncTokenInterceptor(
        AsyncTokenClient(target), methods=METHODS
    )
    yield from channel_to("asyncio", interceptor)


def channel_to(kind: str, interceptor: Any) -> Iterator[grpc.Channel]:
    with (
        SERVERS[kind](interceptor) as address,
        grpc.insecure_channel(address) as channel,
    ):
        yield channel


@pytest.fixture(scope="module", params=[serve_threads, serve_asyncio])
def serve(request: pytest.FixtureRequest) -> Serve:
    serve: Serve = request.param
    return serve


@pytest.fixture(scope="module")
def channel(serve: Serve, target: str) -> Iterator[grpc.Channel]:
    with serve(target) as channel:
        yield channel


@pytest.fixture(scope="module")
def reader(service: Service) -> Issued:
    """A token that may read."""
    return service.create(scopes=["pages:read"])


def test_a_valid_token_passes_with_its_identity(
    channel: grpc.Channel, reader: Issued
) -> None:
    answers = call(channel, "unary_unary", bearer(reader.secret))
    assert answers == [reader.name]


def test_a_revoked_token_is_refused_by_the_very_next_call(
    channel: grpc.Channel, service: Service
) -> None:
    for _ in range(10):
        token = service.create()
        metadata = bearer(token.secret)
        assert call(channel, "unary_unary", metadata) == [token.name]
        service.revoke(token)
        assert refused(channel, "unary_unary", metadata) == INVALID


def test_tokens_that_do_not_work_are_refused_alike(
    channel: grpc.Channel,
) -> None:
    for token in ("malformed", UNKNOWN):
        for kind in KINDS[:-1]:
            assert refused(channel, kind, bearer(token)) == INVALID
    assert refused(channel, "unary_unary", ()) == INVALID


def test_what_is_not_one_token(channel: grpc.Channel, reader: Issued) -> None:
    for metadata in (bearer(reader.secret) * 2, bearer("a,Bearer b")):
        assert refused(channel, "unary_unary", metadata) == (
            Code.INVALID_ARGUMENT,
            "more than one credential",
        )


@pytest.mark.parametrize("method", ["unary_stream", "stream_unary"])
def test_what_a_token_may_not_do(
    channel: grpc.Channel, reader: Issued, method: str
) -> None:
    assert refused(channel, method, bearer(reader.secret)) == FORBIDDEN


def test_a_misconfigured_method(channel: grpc.Channel, reader: Issued) -> None:
    assert refused(channel, "stream_stream", bearer(reader.secret)) == (
        Code.INTERNAL,
        "internal error",
    )


def test_the_service_is_away(
    serve: Serve, absent_target: str, reader: Issued
) -> None:
    with serve(absent_target) as channel:
        assert refused(channel, "unary_unary", bearer(reader.secret)) == (
            Code.UNAVAILABLE,
            "try again in a moment",
        )
