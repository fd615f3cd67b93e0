"""What the interceptors do with calls, in servers of threads and of asyncio."""

import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Any

import grpc
import pytest
from harness.grpc_servers import (
    KINDS,
    NOBODY,
    PUBLIC,
    SERVERS,
    SERVICE,
    bearer,
    call,
    refused,
)
from harness.validators import IDENTITY, AsyncStubValidator, StubValidator

from wemasy_tokens import (
    MalformedRequirementsError,
    Requirements,
    ValidateError,
    Verdict,
)
from wemasy_tokens.grpc_server import (
    AsyncTokenInterceptor,
    TokenInterceptor,
    current_identity,
)

Code = grpc.StatusCode
NEEDS = Requirements("pages:read", project="projects/demo")
METHODS = {
    f"/{SERVICE}/{kind}": NEEDS if kind == "unary_unary" else Requirements()
    for kind in KINDS
}

STUBS: dict[str, Callable[[Verdict | Exception], Any]] = {
    "threads": StubValidator,
    "asyncio": AsyncStubValidator,
}
INTERCEPTORS: dict[str, Callable[..., Any]] = {
    "threads": TokenInterceptor,
    "asyncio": AsyncTokenInterceptor,
}
# Serves with a validator of this outcome; yields a channel and the validator.
Serve = Callable[
    [Verdict | Exception], AbstractContextManager[tuple[grpc.Channel, Any]]
]


@pytest.fixture(params=SERVERS)
def serve(request: pytest.FixtureRequest) -> Serve:
    @contextmanager
    def serve(
        outcome: Verdict | Exception,
    ) -> Iterator[tuple[grpc.Channel, Any]]:
        validator = STUBS[request.param](outcome)
        interceptor = INTERCEPTORS[request.param](
            validator,
            methods=METHODS,
            open_methods=[PUBLIC],
            token_headers=["X-Api-Key"],
        )
        with (
            SERVERS[request.param](interceptor) as target,
            grpc.insecure_channel(target) as channel,
        ):
            yield channel, validator

    return serve


def test_calls_of_every_kind_pass_with_their_identity(serve: Serve) -> None:
    with serve(Verdict.VALID) as (channel, _):
        for kind in KINDS:
            answers = call(channel, kind, bearer("abc"))
            assert set(answers) == {IDENTITY.name}
            assert len(answers) == (2 if kind.endswith("stream") else 1)


def test_calls_of_every_kind_are_refused(serve: Serve) -> None:
    with serve(Verdict.REVOKED) as (channel, _):
        for kind in KINDS:
            assert refused(channel, kind, bearer("abc")) == (
                Code.UNAUTHENTICATED,
                "a valid API token is required",
            )


def test_a_stream_is_refused_before_its_first_request(serve: Serve) -> None:
    is_over = threading.Event()

    def requests() -> Iterator[bytes]:
        is_over.wait(60)
        yield b""

    with serve(Verdict.UNKNOWN) as (channel, _):
        method: grpc.StreamStreamMultiCallable[bytes, bytes] = (
            channel.stream_stream(f"/{SERVICE}/stream_stream")
        )
        answers = method(requests(), metadata=bearer("abc"), timeout=10)
        try:
            with pytest.raises(grpc.RpcError) as raised:
                next(answers)
        finally:
            is_over.set()
    assert raised.value.code() is Code.UNAUTHENTICATED


def test_the_validator_is_asked_for_what_the_method_needs(serve: Serve) -> None:
    with serve(Verdict.VALID) as (channel, validator):
        call(channel, "unary_unary", (("x-api-key", "abc"),))
        call(channel, "stream_stream", bearer("abc"))
    assert validator.asked == [
        ("abc", ("pages:read",), "projects/demo"),
        ("abc", (), ""),
    ]


def test_a_public_method_needs_no_token(serve: Serve) -> None:
    with serve(Verdict.VALID) as (channel, validator):
        call(channel, "unary_unary", bearer("abc"))
        # Nobody, in spite of the call before.
        assert call(channel, "public", ()) == [NOBODY]
        assert call(channel, "public", bearer("abc")) == [NOBODY]
    assert len(validator.asked) == 1


@pytest.mark.parametrize("kind", SERVERS)
def test_a_method_without_a_rule_is_closed(
    kind: str, caplog: pytest.LogCaptureFixture
) -> None:
    validator = STUBS[kind](Verdict.VALID)
    interceptor = INTERCEPTORS[kind](validator, open_methods=[PUBLIC])
    with (
        SERVERS[kind](interceptor) as target,
        grpc.insecure_channel(target) as channel,
    ):
        for method in KINDS:
            found = refused(channel, method, bearer("abc"))
            assert found == (Code.INTERNAL, "internal error")
            assert caplog.messages[-1] == (
                f"no rule says what /{SERVICE}/{method} needs of a token"
            )
    assert not validator.asked


@pytest.mark.parametrize("kind", SERVERS)
def test_requirements_are_for_all_methods_without_a_rule(kind: str) -> None:
    validator = STUBS[kind](Verdict.VALID)
    interceptor = INTERCEPTORS[kind](validator, NEEDS)
    with (
        SERVERS[kind](interceptor) as target,
        grpc.insecure_channel(target) as channel,
    ):
        call(channel, "unary_stream", bearer("abc"))
    assert validator.asked == [("abc", ("pages:read",), "projects/demo")]


@pytest.mark.parametrize("kind", SERVERS)
def test_a_method_with_needs_is_not_open(kind: str) -> None:
    interceptor = INTERCEPTORS[kind](
        STUBS[kind](Verdict.VALID), methods=METHODS, open_methods=METHODS
    )
    with (
        SERVERS[kind](interceptor) as target,
        grpc.insecure_channel(target) as channel,
    ):
        code, _details = refused(channel, "unary_unary", ())
    assert code is Code.UNAUTHENTICATED


@pytest.mark.parametrize(
    ("metadata", "code", "details"),
    [
        ((), Code.UNAUTHENTICATED, "a valid API token is required"),
        (
            (("authorization", "Basic abc"),),
            Code.UNAUTHENTICATED,
            "a valid API token is required",
        ),
        (
            (*bearer("abc"), *bearer("abc")),
            Code.INVALID_ARGUMENT,
            "more than one credential",
        ),
        (
            (*bearer("abc"), ("x-api-key", "abc")),
            Code.INVALID_ARGUMENT,
            "more than one credential",
        ),
    ],
)
def test_nobody_is_asked_without_one_credential(
    serve: Serve,
    metadata: tuple[tuple[str, str], ...],
    code: grpc.StatusCode,
    details: str,
) -> None:
    with serve(Verdict.VALID) as (channel, validator):
        assert refused(channel, "unary_unary", metadata) == (code, details)
    assert not validator.asked


@pytest.mark.parametrize(
    ("outcome", "code", "details"),
    [
        (
            Verdict.UNSPECIFIED,
            Code.UNAUTHENTICATED,
            "a valid API token is required",
        ),
        (
            Verdict.WRONG_PROJECT,
            Code.PERMISSION_DENIED,
            "the API token may not do this",
        ),
        (
            Verdict.INSUFFICIENT_SCOPE,
            Code.PERMISSION_DENIED,
            "the API token may not do this",
        ),
        (
            ValidateError(Code.DEADLINE_EXCEEDED, "late"),
            Code.UNAVAILABLE,
            "try again in a moment",
        ),
        (
            MalformedRequirementsError("required_scopes"),
            Code.INTERNAL,
            "internal error",
        ),
    ],
)
def test_every_refusal_is_as_the_contract_has_it(
    serve: Serve,
    outcome: Verdict | Exception,
    code: grpc.StatusCode,
    details: str,
) -> None:
    with serve(outcome) as (channel, _):
        found = refused(channel, "unary_unary", bearer("abc"))
        assert found == (code, details)


def test_what_a_validator_raises_besides_does_not_let_pass(
    serve: Serve,
) -> None:
    with serve(RuntimeError("a bug")) as (channel, _):
        for kind in KINDS:
            code, _details = refused(channel, kind, bearer("abc"))
            assert code is Code.UNKNOWN


def test_there_is_no_identity_outside_of_a_call() -> None:
    with pytest.raises(LookupError):
        current_identity()
