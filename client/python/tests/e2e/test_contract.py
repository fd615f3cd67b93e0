"""The fake decides as the service does."""

import datetime
import itertools
import time
from collections.abc import Iterator
from typing import Protocol

import pytest
from harness.service import ACTOR, UNKNOWN, Issued, Service

from wemasy_tokens import (
    MalformedRequirementsError,
    Scopes,
    TokenClient,
    TokenIdentity,
    Validator,
    Verdict,
)
from wemasy_tokens.testing import AsyncFakeValidator, FakeValidator

METADATA = {"team": "web"}


class Tokens(Protocol):
    """Makes tokens, whose text it returns, and has a validator of them."""

    validator: Validator
    project: str

    def create(
        self, *scopes: str, expire_time: datetime.datetime | None = None
    ) -> str: ...

    def revoke(self, token: str) -> None: ...


class FakeTokens:
    project = "projects/demo"

    def __init__(self) -> None:
        self._fake = FakeValidator()
        self.validator: Validator = self._fake
        self._numbers = itertools.count()

    def create(
        self, *scopes: str, expire_time: datetime.datetime | None = None
    ) -> str:
        token = f"token-{next(self._numbers)}"
        identity = TokenIdentity(
            name=f"{self.project}/tokens/{token}",
            project=self.project,
            creator=ACTOR,
            scopes=scopes,
            metadata=METADATA,
            expire_time=expire_time,
        )
        self._fake.add(token, identity)
        return token

    def revoke(self, token: str) -> None:
        self._fake.revoke(token)


class RealTokens:
    def __init__(self, service: Service, validator: TokenClient) -> None:
        self.validator: Validator = validator
        self.project = service.project
        self._service = service
        self._issued: dict[str, Issued] = {}

    def create(
        self, *scopes: str, expire_time: datetime.datetime | None = None
    ) -> str:
        issued = self._service.create(
            scopes=scopes, metadata=METADATA, expire_time=expire_time
        )
        self._issued[issued.secret] = issued
        return issued.secret

    def revoke(self, token: str) -> None:
        self._service.revoke(self._issued[token])


@pytest.fixture(params=["fake", "real"])
def tokens(request: pytest.FixtureRequest) -> Iterator[Tokens]:
    if request.param == "fake":
        yield FakeTokens()
        return
    service = request.getfixturevalue("service")
    target = request.getfixturevalue("target")
    with TokenClient(target) as client:
        yield RealTokens(service, client)


def soon() -> datetime.datetime:
    now = datetime.datetime.now(datetime.UTC)
    return now + datetime.timedelta(seconds=5)


def wait_until_expired(tokens: Tokens, token: str) -> None:
    end = time.monotonic() + 30
    while tokens.validator.validate(token).verdict is Verdict.VALID:
        assert time.monotonic() < end
        time.sleep(0.05)


def test_an_identity(tokens: Tokens) -> None:
    token = tokens.create("a", "b")
    answer = tokens.validator.validate(token, ["b", "a", "b"], tokens.project)
    assert answer.verdict is Verdict.VALID
    assert answer.identity == TokenIdentity(
        name=answer.token_name,
        project=tokens.project,
        creator=ACTOR,
        scopes=("a", "b"),
        metadata=METADATA,
    )


def test_unknown_tokens(tokens: Tokens) -> None:
    answer = tokens.validator.validate(UNKNOWN, ["a"])
    assert answer.verdict is Verdict.UNKNOWN
    assert answer.identity is None
    assert not answer.token_name


def test_the_checks_have_one_order(tokens: Tokens) -> None:
    token = tokens.create("a", expire_time=soon())
    name = tokens.validator.validate(token).token_name

    def verdict(scope: str, project: str) -> Verdict:
        answer = tokens.validator.validate(token, [scope], project)
        if answer.verdict is not Verdict.VALID:
            assert answer.identity is None
            assert answer.token_name == name
        return answer.verdict

    assert verdict("a", tokens.project) is Verdict.VALID
    assert verdict("b", tokens.project) is Verdict.INSUFFICIENT_SCOPE
    assert verdict("b", "projects/another") is Verdict.WRONG_PROJECT
    wait_until_expired(tokens, token)
    assert verdict("b", "projects/another") is Verdict.EXPIRED
    tokens.revoke(token)
    assert verdict("b", "projects/another") is Verdict.REVOKED
    tokens.revoke(token)


@pytest.mark.parametrize(
    ("scopes", "project"),
    [
        ([""], ""),
        (["A"], ""),
        (["1"], ""),
        (["a b"], ""),
        (["a\n"], ""),
        (["é"], ""),
        (["a" * 65], ""),
        ([f"a{i}" for i in range(65)], ""),
        ([], "another"),
        ([], "projects/"),
        ([], "projects/-"),
        ([], "projects/-a"),
        ([], "projects/a-"),
        ([], "projects/A"),
        ([], "projects/a/tokens/b"),
        ([], "projects/" + "a" * 64),
    ],
)
def test_malformed_requirements(
    tokens: Tokens, scopes: Scopes, project: str
) -> None:
    with pytest.raises(MalformedRequirementsError):
        tokens.validator.validate(UNKNOWN, scopes, project)


def test_requirements_at_their_bounds(tokens: Tokens) -> None:
    scopes = [f"a{i}" for i in range(63)] + ["a" * 64]
    project = "projects/" + "a" * 63
    answer = tokens.validator.validate(UNKNOWN, scopes, project)
    assert answer.verdict is Verdict.UNKNOWN
    answer = tokens.validator.validate(UNKNOWN, ("a_.:/-0",), "projects/0-1")
    assert answer.verdict is Verdict.UNKNOWN


async def test_the_fake_for_asyncio_is_the_same() -> None:
    fake = AsyncFakeValidator()
    identity = TokenIdentity("projects/demo/tokens/t", "projects/demo")
    fake.add("abc", identity)
    assert (await fake.validate("abc")).identity is identity
    fake.revoke("abc")
    assert (await fake.validate("abc")).verdict is Verdict.REVOKED
    fake.add("abc", identity)
    assert (await fake.validate("abc")).verdict is Verdict.VALID
