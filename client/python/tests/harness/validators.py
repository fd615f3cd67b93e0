"""Validators that answer as a test wants it, whatever they are asked."""

from wemasy_tokens import Scopes, TokenIdentity, Validation, Verdict

IDENTITY = TokenIdentity(
    name="projects/demo/tokens/t1",
    project="projects/demo",
    creator="user-7",
    scopes=("pages:read",),
    metadata={"team": "web"},
)


class StubValidator:
    """A Validator with one verdict, or one exception.

    Its refusals have an identity too, which shall not count.
    """

    def __init__(self, outcome: Verdict | Exception) -> None:
        self._outcome = outcome
        self.asked: list[tuple[str, Scopes, str]] = []

    def validate(
        self,
        token: str,
        required_scopes: Scopes = (),
        expected_project: str = "",
    ) -> Validation:
        self.asked.append((token, required_scopes, expected_project))
        if isinstance(self._outcome, Exception):
            raise self._outcome
        return Validation(self._outcome, IDENTITY, IDENTITY.name)


class AsyncStubValidator:
    """The same for asyncio."""

    def __init__(self, outcome: Verdict | Exception) -> None:
        self._stub = StubValidator(outcome)
        self.asked = self._stub.asked

    async def validate(
        self,
        token: str,
        required_scopes: Scopes = (),
        expected_project: str = "",
    ) -> Validation:
        return self._stub.validate(token, required_scopes, expected_project)
