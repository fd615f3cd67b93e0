"""The C++ client as a backend gets it: installed, found by CMake, linked."""

import json
import pathlib
import re
import subprocess

import pytest
from harness import paths

BUILD = pathlib.Path(paths.binary("tokend")).parents[1]


def run(*command, **options):
    done = subprocess.run(
        command, capture_output=True, text=True, check=False, **options
    )
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.fixture(scope="module")
def example(tmp_path_factory):
    """client/cpp/example, built against the installed client."""
    folder = tmp_path_factory.mktemp("package")
    prefix, build = folder / "prefix", folder / "build"
    run("cmake", "--build", BUILD, "--target", "client_package")
    run(
        *("cmake", "--install", BUILD, "--component", "client"),
        *("--prefix", prefix),
    )
    run(
        *("cmake", "-S", paths.SOURCE / "client" / "cpp" / "example"),
        *("-B", build, "-G", "Ninja", f"-DCMAKE_PREFIX_PATH={prefix}"),
        "-DCMAKE_CXX_FLAGS=-Wall -Wextra -Werror",
    )
    run("cmake", "--build", build)
    return build / "example"


def test_calls_are_retried_as_the_published_service_config_says():
    source = (paths.SOURCE / "client" / "cpp" / "replicas.cc").read_text()
    own = json.loads(re.search(r'R"\(({.*?})\)"', source, re.S)[1])
    published = json.loads(
        (paths.SOURCE / "deploy" / "service-config.json").read_text()
    )
    # Its own besides: it asks healthy replicas only, and calls one service.
    del own["healthCheckConfig"]
    (method,) = own["methodConfig"]
    assert method in published["methodConfig"]
    assert {**published, "methodConfig": [method]} == own


def ask(example, server, secret, *scope):
    done = subprocess.run(
        [example, server.target, *scope],
        input=secret + "\n",
        capture_output=True,
        text=True,
        check=False,
    )
    return done.returncode, done.stdout.split()


def test_a_backend_validates_with_the_installed_client(
    example, server, client, project
):
    created = client.create(project, scopes=["read"])
    name = created.token.name
    assert ask(example, server, created.secret) == (0, ["VERDICT_VALID", name])
    assert ask(example, server, created.secret, "write") == (
        1,
        ["VERDICT_INSUFFICIENT_SCOPE"],
    )
    client.revoke(name)
    assert ask(example, server, created.secret) == (1, ["VERDICT_REVOKED"])


def test_the_installed_client_shows_nothing_of_boringssl(example):
    listed = subprocess.run(
        ["nm", "--extern-only", "--defined-only", "--format=just-symbols"]
        + [example.parents[1] / "prefix/lib/libwemasy_tokens_client.a"],
        capture_output=True,
        text=True,
        check=True,
    ).stdout.split()
    assert any("TokenClient" in name for name in listed)
    assert not {"SHA256_Init", "SHA256_Update", "RAND_bytes"} & set(listed)
