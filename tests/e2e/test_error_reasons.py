"""Every reason that the contract lists is given by something."""

import re

import pytest
from harness import evidence, paths
from harness.stubs import errors_pb2

# Given only by what cannot be brought about from outside; C++ tests make them.
BY_CPP_TESTS = {"CHANGE_UNCONFIRMED"}
# Lists all of them, whether or not anything gives them.
LISTS_ALL = "api_status_test.cc"


def constant(reason: str) -> str:
    """TOKEN_NOT_FOUND as C++ writes it: kTokenNotFound."""
    return "k" + "".join(word.capitalize() for word in reason.split("_"))


def given_by_cpp_tests(reason: str, folder=paths.SOURCE / "tests") -> bool:
    pattern = re.compile(
        rf"\b(ErrorReason::{constant(reason)}|ERROR_REASON_{reason})\b"
    )
    return any(
        pattern.search(path.read_text(encoding="utf-8"))
        for path in folder.rglob("*_test.cc")
        if path.name != LISTS_ALL
    )


def reasons() -> dict[str, str]:
    """The code in the comment of each reason."""
    text = (paths.PROTO / "wemasy/tokens/v1/errors.proto").read_text(
        encoding="utf-8"
    )
    found = re.findall(
        r"  // ([A-Z_]+): (?:(?!  ERROR_REASON).*\n)+  ERROR_REASON_(\w+) =",
        text,
    )
    return {reason: code for code, reason in found}


def test_being_listed_is_not_being_given(tmp_path):
    text = "HasReason(ErrorReason::kChangeUnconfirmed)"
    (tmp_path / LISTS_ALL).write_text(text, encoding="utf-8")
    assert not given_by_cpp_tests("CHANGE_UNCONFIRMED", tmp_path)
    (tmp_path / "some_test.cc").write_text(text, encoding="utf-8")
    assert given_by_cpp_tests("CHANGE_UNCONFIRMED", tmp_path)


@pytest.mark.last
def test_every_reason_is_given_by_some_test():
    listed = {
        name.removeprefix("ERROR_REASON_")
        for name in errors_pb2.ErrorReason.keys()
    } - {"UNSPECIFIED"}
    assert set(reasons()) == listed
    seen = set(evidence.reasons())
    missing = listed - seen - BY_CPP_TESTS
    missing |= {r for r in BY_CPP_TESTS - seen if not given_by_cpp_tests(r)}
    assert not missing, f"no test was given {sorted(missing)}"
    assert seen <= listed, f"not in the contract: {sorted(seen - listed)}"


@pytest.mark.last
def test_every_reason_comes_with_its_code():
    documented = reasons()
    for reason, code in evidence.reasons().items():
        assert code == documented[reason], reason
