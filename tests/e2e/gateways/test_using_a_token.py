"""The commands of docs/using-a-token.md, as they stand there."""

import os
import re
import subprocess

from harness import paths

TEXT = (paths.SOURCE / "docs" / "using-a-token.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"^```sh\n(.*?)^```", TEXT, re.M | re.S)


def test_its_commands_do_what_it_says(running, tokens, tmp_path):
    gateway = running("envoy-new")
    environment = {
        **os.environ,
        "API": f"http://127.0.0.1:{gateway.port}",
        "TOKEN": tokens["valid"].secret,
    }

    def run(block):
        return subprocess.run(
            ["bash", "-euc", block],
            cwd=tmp_path,
            env=environment,
            capture_output=True,
            text=True,
            check=True,
        ).stdout

    by_argument, by_file, refused = map(run, BLOCKS)
    assert '"seen": "GET /pages/1 ' in by_argument
    assert by_file == by_argument
    assert (tmp_path / "token.header").stat().st_mode & 0o077 == 0
    assert refused.startswith("HTTP/1.1 401 ")
    assert 'www-authenticate: Bearer realm="wemasy"\n' in refused
