"""The example, as its users start it."""

import http
import pathlib
import re
import subprocess
import sys
from collections.abc import Iterator

import httpx
import pytest
from harness.http_server import bearer, http_client
from harness.service import Service

EXAMPLE = pathlib.Path(__file__).parents[2] / "example" / "protected_pages.py"


@pytest.fixture
def client(target: str) -> Iterator[httpx.Client]:
    with subprocess.Popen(
        [sys.executable, EXAMPLE, target, "0"],
        stdin=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            with http_client(address_of(process)) as client:
                yield client
        finally:
            process.terminate()


def address_of(process: subprocess.Popen[str]) -> str:
    """What it says on standard error that it serves on."""
    said = ""
    for line in process.stderr or ():
        if found := re.search(r"running on http://([\d.:]+)", line):
            return found[1]
        said += line
    raise AssertionError(f"it does not serve: {said}")


def test_the_example(client: httpx.Client, service: Service) -> None:
    token = service.create(scopes=["pages:read"])
    response = client.get("/pages", headers=bearer(token.secret))
    assert response.json() == {"project": service.project, "token": token.name}
    service.revoke(token)
    response = client.get("/pages", headers=bearer(token.secret))
    assert response.status_code == http.HTTPStatus.UNAUTHORIZED
