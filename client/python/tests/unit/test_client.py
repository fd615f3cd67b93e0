"""How the clients make requests, and read answers."""

import asyncio
import datetime
import threading
import time
from collections.abc import Callable
from typing import Any

import grpc
import pytest
from harness.auth_service import VALID, ScriptedAuthService, serve_auth

from wemasy.tokens.v1 import auth_service_pb2
from wemasy_tokens import (
    AsyncTokenClient,
    MalformedRequirementsError,
    TokenClient,
    TokenIdentity,
    ValidateError,
    Validation,
    Verdict,
)

Validate = Callable[..., Validation]
NAME = "projects/demo/tokens/t1"


def validate(target: str, *arguments: Any, **options: Any) -> Validation:
    with TokenClient(target, **options) as client:
        return client.validate(*arguments)


def validate_async(target: str, *arguments: Any, **options: Any) -> Validation:
    async def run() -> Validation:
        async with AsyncTokenClient(target, **options) as client:
            return await client.validate(*arguments)

    return asyncio.run(run())


either = pytest.mark.parametrize("validate", [validate, validate_async])


def test_verdicts_are_those_of_the_contract() -> None:
    contract = {
        name.removeprefix("VERDICT_"): number
        for name, number in auth_service_pb2.Verdict.items()
    }
    assert {verdict.name: verdict.value for verdict in Verdict} == contract


@either
def test_all_of_an_answer_is_read(validate: Validate) -> None:
    response = auth_service_pb2.ValidateResponse(
        verdict=auth_service_pb2.VERDICT_VALID,
        token=NAME,
        project="projects/demo",
        creator="user-7",
        scopes=["pages:read", "pages:write"],
        metadata={"team": "web"},
        expire_time=datetime.datetime(2031, 2, 3, 4, 5, 6, 789, datetime.UTC),
    )
    service = ScriptedAuthService(response)
    with serve_auth(service) as target:
        answer = validate(target, "abc", ["pages:read"], "projects/demo")
    assert answer == Validation(
        Verdict.VALID,
        TokenIdentity(
            name=NAME,
            project="projects/demo",
            creator="user-7",
            scopes=("pages:read", "pages:write"),
            metadata={"team": "web"},
            expire_time=datetime.datetime(
                2031, 2, 3, 4, 5, 6, 789, datetime.UTC
            ),
        ),
        NAME,
    )
    assert service.requests == [
        auth_service_pb2.ValidateRequest(
            token="abc",
            required_scopes=["pages:read"],
            expected_project="projects/demo",
        )
    ]


@either
def test_a_refusal_has_the_name_and_no_identity(validate: Validate) -> None:
    response = auth_service_pb2.ValidateResponse(
        verdict=auth_service_pb2.VERDICT_REVOKED, token=NAME
    )
    with serve_auth(ScriptedAuthService(response)) as target:
        answer = validate(target, "abc")
    assert answer == Validation(Verdict.REVOKED, token_name=NAME)


@either
def test_a_verdict_of_a_later_version_is_a_refusal(validate: Validate) -> None:
    response = auth_service_pb2.ValidateResponse(token=NAME)
    # Field 1, the verdict, with a number that nobody knows yet.
    response.MergeFromString(b"\x08\x63")
    with serve_auth(ScriptedAuthService(response)) as target:
        answer = validate(target, "abc")
    assert answer == Validation(Verdict.UNSPECIFIED, token_name=NAME)


@either
def test_what_is_not_utf_8_is_malformed_without_asking(
    validate: Validate,
) -> None:
    service = ScriptedAuthService()
    with serve_auth(service) as target:
        answer = validate(target, "wmsy_\udcff")
    assert answer == Validation(Verdict.MALFORMED)
    assert not service.requests


@either
def test_malformed_requirements_are_told_apart(validate: Validate) -> None:
    service = ScriptedAuthService(grpc.StatusCode.INVALID_ARGUMENT)
    with (
        serve_auth(service) as target,
        pytest.raises(MalformedRequirementsError) as raised,
    ):
        validate(target, "abc", ["Not A Scope"])
    assert raised.value.code is grpc.StatusCode.INVALID_ARGUMENT


@either
@pytest.mark.parametrize(
    "code",
    [
        grpc.StatusCode.UNAUTHENTICATED,
        grpc.StatusCode.PERMISSION_DENIED,
        grpc.StatusCode.RESOURCE_EXHAUSTED,
        grpc.StatusCode.INTERNAL,
    ],
)
def test_every_other_status_is_no_answer(
    validate: Validate, code: grpc.StatusCode
) -> None:
    with (
        serve_auth(ScriptedAuthService(code)) as target,
        pytest.raises(ValidateError) as raised,
    ):
        validate(target, "abc")
    assert raised.value.code is code
    assert not isinstance(raised.value, MalformedRequirementsError)
    text = f"validate: {code.name}: as the test wants it"
    assert str(raised.value) == text


@either
def test_a_server_that_says_nothing_is_not_waited_for(
    validate: Validate,
) -> None:
    is_over = threading.Event()

    class Silent(ScriptedAuthService):
        def Validate(self, request: Any, context: Any) -> Any:  # noqa: N802
            is_over.wait(60)
            return VALID

    begin = time.monotonic()
    with serve_auth(Silent()) as target:
        try:
            with pytest.raises(ValidateError) as raised:
                validate(target, "abc", timeout=0.1)
        finally:
            is_over.set()
    assert raised.value.code is grpc.StatusCode.DEADLINE_EXCEEDED
    assert time.monotonic() - begin < 20


def test_a_client_made_outside_of_a_loop_serves_one_after_the_other() -> None:
    with serve_auth(ScriptedAuthService(VALID, VALID)) as target:
        client = AsyncTokenClient(target)

        async def run() -> Verdict:
            async with client:
                return (await client.validate("abc")).verdict

        assert asyncio.run(run()) is Verdict.VALID
        assert asyncio.run(run()) is Verdict.VALID
