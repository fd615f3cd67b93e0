"""docs/openapi.yaml is true: whatever it allows to be asked, and more, gets an
answer that it has, and no fault of the service's.

Found by schemathesis, which makes requests of the document. The newer Envoy is
enough for it; test_rest.py and test_self.py have both.
"""

import os
import re
import subprocess

import pytest
from harness import paths

from .conftest import issue

DOCUMENT = (paths.SOURCE / "docs" / "openapi.yaml").read_text(encoding="utf-8")
CHECKS = (
    "not_a_server_error",
    "status_code_conformance",
    "content_type_conformance",
    "response_headers_conformance",
    "response_schema_conformance",
    # Of what wants a token.
    "ignored_auth",
)
# For one run, which takes a twentieth of it on an idle machine.
MAX_SECONDS = 300


@pytest.fixture(scope="module")
def schemathesis():
    done = subprocess.run(
        [paths.SOURCE / "proto" / "openapi" / "python-env"],
        capture_output=True,
        text=True,
        check=True,
    )
    return f"{done.stdout.strip()}/bin/schemathesis"


def explore(schemathesis, gateway, folder, names, text, *options):
    """What schemathesis says, and whether it found a fault."""
    document = folder / "openapi.yaml"
    document.write_text(text, encoding="utf-8")
    done = subprocess.run(
        [
            *(schemathesis, "run", str(document)),
            f"--url=http://127.0.0.1:{gateway.port}",
            f"--checks={','.join(CHECKS)}",
            *("--phases=coverage,fuzzing", "--max-examples=20", "--seed=1"),
            *("--suppress-health-check=all", "--generation-database=none"),
            *("--warnings=off", "--no-color"),
            *options,
        ],
        cwd=folder,
        env={
            **os.environ,
            "SCHEMATHESIS_HOOKS": "openapi_hooks",
            "PYTHONPATH": os.path.dirname(__file__),
            "PYTHONDONTWRITEBYTECODE": "1",
            "WEMASY_TOKENS": " ".join(names),
        },
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=MAX_SECONDS,
        check=False,
    )
    print(done.stdout)
    return done


def check_all_passed(done, operations):
    assert done.returncode == 0
    assert re.search(rf"Tested: {operations}\b", done.stdout)
    count = re.search(r"(\d+) generated", done.stdout)
    assert int(count[1]) >= 20 * operations


@pytest.fixture(scope="module")
def names(site):
    return [issue(site.client, "explored").name for _ in range(40)]


def test_rest_is_as_documented(running, tmp_path, schemathesis, names):
    done = explore(
        *(schemathesis, running("rest-new"), tmp_path, names, DOCUMENT),
        "--exclude-tag=SelfService",
    )
    check_all_passed(done, 9)


def test_the_holders_route_is_as_documented(
    running, site, tmp_path, schemathesis
):
    token = issue(site.client)
    done = explore(
        *(schemathesis, running("envoy-new"), tmp_path, [], DOCUMENT),
        "--include-tag=SelfService",
        f"--header=Authorization: Bearer {token.secret}",
    )
    check_all_passed(done, 2)


# What is taken away from the document, or is added, and what must be noticed.
FAULTS = {
    "a status": ("        '404':\n", "        '418':\n", "status code"),
    "a field": ("        hint:\n", "        tail:\n", "violates schema"),
    "a type": ("application/json:\n", "text/plain:\n", "Content-Type"),
}


@pytest.mark.parametrize("old, new, says", FAULTS.values(), ids=FAULTS)
def test_a_fault_of_the_document_is_found(
    old, new, says, running, tmp_path, schemathesis, names
):
    assert old in DOCUMENT
    text = DOCUMENT.replace(old, new)
    done = explore(
        *(schemathesis, running("rest-new"), tmp_path, names, text),
        "--include-operation-id=TokenService_GetToken",
    )
    assert done.returncode == 1
    assert says in done.stdout
