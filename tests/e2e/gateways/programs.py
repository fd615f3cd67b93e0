"""The gateways' executables, as scripts/install-gateways has put them."""

import functools
import subprocess

from harness import paths


@functools.cache
def _installed() -> dict:
    done = subprocess.run(
        [paths.SOURCE / "scripts" / "install-gateways", "--installed"],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=True,
    )
    return dict(line.split("=", 1) for line in done.stdout.splitlines())


def program(name: str) -> str:
    """The path of ENVOY_OLD, ENVOY_NEW, NGINX, TRAEFIK or CADDY."""
    path = _installed().get(name)
    if not path:
        remedy = (
            "scripts/install-deps"
            if name == "NGINX"
            else ("scripts/install-gateways")
        )
        raise FileNotFoundError(f"no {name.lower()} here: run {remedy}")
    return path
