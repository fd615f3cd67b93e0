"""Fixtures of the tests against a real server."""

import os
from collections.abc import Iterator

import pytest
from harness.service import Service

from wemasy_tokens import connect


@pytest.fixture(scope="session")
def target() -> str:
    """The server's address."""
    target = os.environ.get("WEMASY_TOKENS_TARGET")
    if not target:
        pytest.fail(
            "WEMASY_TOKENS_TARGET is not set, want the host:port of a tokend "
            "in plain text whose callers have all roles"
        )
    return target


@pytest.fixture(scope="session")
def service(target: str) -> Iterator[Service]:
    """Of a project that no other run uses."""
    with connect(target) as channel:
        yield Service.new_project(channel)


@pytest.fixture(scope="session")
def absent_target() -> str:
    """Where no server is: this port is reserved, and never listened at."""
    return "127.0.0.1:1"
