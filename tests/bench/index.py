"""What millions of tokens cost in memory, and whether those who ask are held up
meanwhile."""

import json
import subprocess

from world import program


def measure(_world, quick: bool) -> dict:
    count = 1_000_000 if quick else 10_000_000
    full = _run("memory", "full", count)
    bare = _run("memory", "bare", count)
    pauses = _run("pauses", count, 5 if quick else 20)
    return {
        "index_bytes_per_token": full["peak_bytes_per_token"],
        "index_bytes_per_bare_token": bare["peak_bytes_per_token"],
        "index_put_ns": full["put_ns"],
        **{f"index_{name}": value for name, value in pauses.items()},
    }


def _run(*arguments) -> dict:
    done = subprocess.run(
        [program("index_bench"), *map(str, arguments)],
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    return json.loads(done.stdout)
