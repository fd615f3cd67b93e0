"""The client packages' own checks and tests, against a real server."""

import os
import subprocess

import pytest
from harness import paths

# Installing a language's tools the first time takes minutes.
PATIENCE_SECONDS = 800


@pytest.mark.parametrize("language", ["go", "python", "typescript"])
def test_package(language, server):
    environment = {
        name: value
        for name, value in os.environ.items()
        # The package's Python is its own.
        if not name.startswith("PYTHON")
    }
    done = subprocess.run(
        [paths.SOURCE / "client" / language / "test"],
        env={**environment, "WEMASY_TOKENS_TARGET": server.target},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=PATIENCE_SECONDS,
        check=False,
    )
    print(done.stdout)
    assert done.returncode == 0
