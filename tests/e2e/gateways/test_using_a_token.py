"""The commands of docs/using-a-token.md, as they stand there."""

import json
import os
import re
import subprocess
import textwrap

from harness import paths

from .conftest import SCOPES, issue

TEXT = (paths.SOURCE / "docs" / "using-a-token.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"^ *```sh\n(.*?)^ *```", TEXT, re.M | re.S)


def test_its_commands_do_what_it_says(running, site, tmp_path):
    gateway = running("envoy-new")
    token = issue(site.client, scopes=SCOPES)
    environment = {
        **os.environ,
        "API": f"http://127.0.0.1:{gateway.port}",
        "TOKEN": token.secret,
    }

    def run(block):
        return subprocess.run(
            ["bash", "-euc", textwrap.dedent(block)],
            cwd=tmp_path,
            env=environment,
            capture_output=True,
            text=True,
            check=True,
        ).stdout

    by_argument, by_file, told, refused, revoked = map(run, BLOCKS)
    assert '"seen": "GET /pages/1 ' in by_argument
    assert by_file == by_argument
    assert (tmp_path / "token.header").stat().st_mode & 0o077 == 0
    assert refused.startswith("HTTP/1.1 401 ")
    assert 'www-authenticate: Bearer realm="wemasy"\n' in refused
    assert json.loads(told) == {
        "token": token.name,
        "project": token.project,
        "scopes": SCOPES,
    }
    assert json.loads(revoked)["confirmTime"]
    assert site.client.verdict(token.secret) == "REVOKED"
