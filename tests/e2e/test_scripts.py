"""The scripts that show and fill a running server."""

import os
import re
import subprocess

from harness import paths
from harness.stubs import token_pb2

SECRET = re.compile(r"wmsy_[0-9A-Za-z]{36}")


def run(server, script, *arguments):
    environment = {
        **os.environ,
        "TOKENCTL": paths.binary("tokenctl"),
        "TOKENCTL_SERVER": server.target,
    }
    done = subprocess.run(
        [paths.SOURCE / "scripts" / script, *arguments],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
        env=environment,
    )
    assert done.returncode == 0, done.stderr
    assert not SECRET.search(done.stdout + done.stderr)
    return done


def test_demo_shows_the_life_of_a_token(server):
    shown = run(server, "demo").stdout
    for step in ("create", "validate", "list", "revoke", "very next call"):
        assert re.search(
            rf"^  .*{step}.* [0-9.]+ ms$", shown, re.MULTILINE
        ), step
    assert "VALID before, REVOKED after" in shown
    assert "Try next" in shown


def test_seed_makes_200_tokens_in_all_states_once(server, client, project):
    run(server, "seed", project)
    tokens = client.list_all(project, page_size=1000)
    assert len(tokens) == 200
    assert {token.state for token in tokens} == {
        token_pb2.TOKEN_STATE_ACTIVE,
        token_pb2.TOKEN_STATE_EXPIRED,
        token_pb2.TOKEN_STATE_REVOKED,
    }
    assert any(token.HasField("old_secret_expire_time") for token in tokens)
    assert "nothing to do" in run(server, "seed", project).stderr
    assert len(client.list_all(project, page_size=1000)) == 200
