"""The scripts that show and fill a running server, and that make certificates
for one."""

import json
import os
import re
import shutil
import stat
import subprocess

from harness import paths
from harness.certificates import Authority, Certificate
from harness.commands import tokenctl
from harness.server import Server
from harness.stubs import token_pb2
from harness.waiting import wait_until

SECRET = re.compile(r"wmsy_[0-9A-Za-z]{36}")


def run(server, script, *arguments):
    environment = {
        **os.environ,
        "TOKENCTL": paths.binary("tokenctl"),
        "TOKENCTL_SERVER": server.target if server else "",
    }
    done = subprocess.run(
        [paths.SOURCE / "scripts" / script, *arguments],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=600,
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


def test_certs_makes_what_a_server_and_its_callers_need(
    cluster, database, project, tmp_path
):
    """With the roles of deploy/, which name the same callers."""
    folder = tmp_path / "some certificates"
    shown = run(None, "certs", folder).stdout
    roles = paths.SOURCE / "deploy" / "roles.json"
    assert json.loads(shown.partition("In the roles file:")[2]) == json.loads(
        roles.read_text(encoding="utf-8")
    )
    for key in folder.glob("*.key"):
        assert stat.S_IMODE(key.stat().st_mode) == 0o600, key

    def certificate(name):
        return Certificate(
            *(str(folder / file) for file in ("ca.crt", f"{name}.crt")),
            str(folder / f"{name}.key"),
        )

    server = Server(
        tmp_path / "server",
        cluster.url(database),
        certificate=certificate("server"),
        roles_file=roles,
        lame_duck="0s",
    ).start(wait=False)

    def ctl(caller, *arguments, **options):
        return tokenctl(
            server, *arguments, certificate=certificate(caller), **options
        )

    try:
        wait_until(
            lambda: ctl("gateway", "health").returncode == 0, 30, "the server"
        )
        create = ("create", "--project", project, "--name", "x")
        created = ctl("settings", *create)
        assert created.returncode == 0, created.stderr
        valid = ctl("gateway", "validate", stdin=created.stdout)
        assert valid.returncode == 0, valid.stderr
        assert ctl("security", "audit", "--project", "-").returncode == 0
        refused = ctl("gateway", *create)
        assert "ROLE_MISSING" in refused.stderr
    finally:
        assert server.stop() == 0


def test_certs_keeps_what_is_good(tmp_path):
    """So that running it again takes no certificate from a running server;
    only what another authority signed, or has no key, is made anew."""
    folder = tmp_path / "certs"

    def contents():
        run(None, "certs", folder)
        return {path.name: path.read_bytes() for path in folder.iterdir()}

    first = contents()
    assert contents() == first
    foreign = Authority(tmp_path / "foreign").issue("gateway", "DNS:gateway")
    shutil.copy(foreign.certificate, folder / "gateway.crt")
    os.remove(folder / "server.key")
    last = contents()
    # The serial number of the authority's next certificate, and these.
    assert {name for name in first if last[name] != first[name]} == {
        *("ca.srl", "gateway.crt", "gateway.key", "server.crt", "server.key")
    }
