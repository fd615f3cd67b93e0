"""What operators read about refusals."""

import logging

import grpc
import pytest
from harness.validators import IDENTITY, StubValidator

from wemasy_tokens import (
    MalformedRequirementsError,
    Requirements,
    ValidateError,
    Verdict,
)
from wemasy_tokens._authorize import RefusedError, authorize
from wemasy_tokens.testing import FakeValidator

FIELDS = [("authorization", "Bearer abc")]


@pytest.mark.parametrize(
    ("outcome", "level", "message"),
    [
        (
            Verdict.REVOKED,
            logging.INFO,
            f"refused {IDENTITY.name}: REVOKED",
        ),
        (
            ValidateError(grpc.StatusCode.UNAVAILABLE, "away"),
            logging.WARNING,
            "refused, as nobody can say: validate: UNAVAILABLE: away",
        ),
        (
            MalformedRequirementsError("required_scopes"),
            logging.ERROR,
            (
                "the route's requirements are malformed: "
                "validate: INVALID_ARGUMENT: required_scopes"
            ),
        ),
    ],
)
def test_a_refusal_has_its_reason_in_the_log(
    caplog: pytest.LogCaptureFixture,
    outcome: Verdict | Exception,
    level: int,
    message: str,
) -> None:
    caplog.set_level(logging.INFO)
    with pytest.raises(RefusedError):
        authorize(StubValidator(outcome), Requirements(), FIELDS, ())
    assert caplog.record_tuples == [("wemasy_tokens", level, message)]


def test_a_token_that_nobody_knows_has_no_name_there(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.INFO)
    with pytest.raises(RefusedError):
        authorize(FakeValidator(), Requirements(), FIELDS, ())
    assert caplog.messages == ["refused a token: UNKNOWN"]


def test_who_passes_is_not_logged(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    authorize(StubValidator(Verdict.VALID), Requirements(), FIELDS, ())
    assert not caplog.records
