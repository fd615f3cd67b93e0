"""Breaks the files of deploy/gateways on purpose, one line after another, and
wants a test to see each.

Run as `python -m gateways.mutants [NAME...]` in tests/e2e, by hand: it takes
some minutes.
"""

import dataclasses
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

from . import mutants_of_json
from .gateway import DEPLOY

_HERE = pathlib.Path(__file__).resolve().parent
_ENVOY = "envoy.yaml"
_REST = "envoy-rest.yaml"
_NGINX = "nginx.conf"
_TRAEFIK = "traefik-dynamic.yaml"
_TRAEFIK_ITSELF = "traefik.yaml"
_CADDY = "Caddyfile"


@dataclasses.dataclass(frozen=True)
class Mutant:
    """`old` stands in the file once and becomes `new`; then one of the tests
    that `tests` chooses, as -k does, in `module` must fail."""

    file: str
    name: str
    module: str
    tests: str
    old: str
    new: str = ""


def _table(file, name, cases, old, new=""):
    gateway = {
        _ENVOY: "(envoy-old or envoy-new) and not raw and not bare",
        _NGINX: "nginx",
        _TRAEFIK: "traefik",
        _TRAEFIK_ITSELF: "traefik",
        _CADDY: "caddy",
    }[file]
    tests = f"test_case and ({cases}) and {gateway}"
    return Mutant(file, name, "test_table", tests, old, new)


_SHOWN = "needs and {}"
MUTANTS = [
    Mutant(
        _ENVOY,
        "failure-mode-allow",
        "test_envoy",
        "error_of_the_call",
        "failure_mode_allow: false",
        "failure_mode_allow: true",
    ),
    Mutant(
        _ENVOY,
        "status-on-error",
        "test_envoy",
        "error_of_the_call",
        "status_on_error: {code: ServiceUnavailable}",
    ),
    _table(
        _ENVOY,
        "merge-slashes",
        "pages and not HTTP",
        "merge_slashes: true",
        "merge_slashes: false",
    ),
    _table(
        _ENVOY,
        "normalize-path",
        "pages and not HTTP",
        "normalize_path: true",
        "normalize_path: false",
    ),
    _table(
        _ENVOY,
        "escaped-slashes",
        "2fpages",
        "path_with_escaped_slashes_action: REJECT_REQUEST",
        "path_with_escaped_slashes_action: KEEP_UNCHANGED",
    ),
    _table(
        _ENVOY,
        "underscores",
        "underscore",
        "headers_with_underscores_action: DROP_HEADER",
        "headers_with_underscores_action: ALLOW",
    ),
    _table(
        _ENVOY,
        "early-header-mutation",
        "unknown or dots",
        '{safe_regex: {regex: "x[-.]wemasy[-.].*"}}',
        "{exact: nothing}",
    ),
    _table(
        _ENVOY,
        "path-parameters",
        "pages",
        'regex: ".*/(\\\\.|%2[eE]){1,2}(;|%3[bB]).*"',
        'regex: "nothing"',
    ),
    Mutant(
        _ENVOY,
        "use-remote-address",
        "test_envoy",
        "controls",
        "use_remote_address: true",
        "use_remote_address: false",
    ),
    Mutant(
        _ENVOY,
        "allowed-headers",
        "test_envoy",
        _SHOWN.format("envoy"),
        "- {exact: x-api-key}",
        "- {prefix: x-}",
    ),
    Mutant(
        _ENVOY,
        "health-of-the-service",
        "test_envoy",
        _SHOWN.format("envoy"),
        "grpc_health_check: {service_name: wemasy.tokens.v1.AuthService}",
        "grpc_health_check: {}",
    ),
    Mutant(
        _ENVOY,
        "max-retries",
        "test_envoy",
        "once_more",
        ", max_retries: 1000",
    ),
    Mutant(
        _ENVOY,
        "panic",
        "test_outages",
        "do_not_answer",
        "healthy_panic_threshold: {value: 0}",
        "healthy_panic_threshold: {value: 50}",
    ),
    Mutant(
        _NGINX,
        "body-to-the-server",
        "test_shown",
        _SHOWN.format("nginx"),
        "proxy_set_header Content-Length '';",
    ),
    Mutant(
        _NGINX,
        "cookie-to-the-server",
        "test_shown",
        _SHOWN.format("nginx"),
        "proxy_set_header Cookie '';",
    ),
    Mutant(
        _NGINX,
        "log-of-errors",
        "test_logs",
        "went_wrong and nginx",
        "  error_log /var/log/nginx/error.log crit;",
        "  error_log /var/log/nginx/error.log error;",
    ),
    _table(
        _NGINX,
        "underscores",
        "underscore",
        "underscores_in_headers off;",
        "underscores_in_headers on;",
    ),
    _table(
        _NGINX,
        "upgrade",
        "upgrade",
        "proxy_set_header Upgrade $upgrade;",
        "proxy_set_header Upgrade $http_upgrade;",
    ),
    _table(_NGINX, "path-parameters", "pages", "|/(\\.|%2e){1,2}(;|%3b)"),
    Mutant(
        _TRAEFIK,
        "auth-request-headers",
        "test_shown",
        _SHOWN.format("traefik"),
        "authRequestHeaders: [Authorization, X-Api-Key]",
    ),
    _table(
        _TRAEFIK,
        "auth-response-headers",
        "unknown",
        "authResponseHeadersRegex: (?i)^x[-_]wemasy[-_]",
        "authResponseHeadersRegex: (?i)^x-wemasy-(project|token|scopes)$",
    ),
    _table(
        _TRAEFIK,
        "no-identity",
        "route and all or token",
        'X-Wemasy-Project: ""',
    ),
    _table(
        _TRAEFIK,
        "upgrade",
        "upgrade",
        "rule: HeaderRegexp(`Upgrade`, `.`) &&",
        "rule: HeaderRegexp(`Nothing`, `.`) &&",
    ),
    _table(
        _TRAEFIK,
        "path-parameters",
        "pages",
        "rule: PathRegexp(`/\\.{1,2}(;|%3[bB])`)",
        "rule: Path(`/nothing`)",
    ),
    _table(
        _TRAEFIK_ITSELF,
        "max-header-bytes",
        "100",
        "maxHeaderBytes: 65536",
        "maxHeaderBytes: 1048576",
    ),
    _table(
        _CADDY,
        "identity",
        "unknown",
        "request_header -X-Wemasy-*",
    ),
    _table(
        _CADDY,
        "connection",
        "Connection",
        "request_header Connection (?i)x[-_]wemasy[-_][-\\w]* close",
    ),
    _table(_CADDY, "upgrade", "upgrade", "request_header @upgrade -Upgrade"),
    _table(
        _CADDY,
        "ambiguous",
        "pages",
        "respond @ambiguous 400",
    ),
    Mutant(
        _CADDY,
        "connect",
        "test_smuggling",
        "CONNECT and caddy",
        "respond @connect 405",
    ),
    Mutant(
        _CADDY,
        "cookie-to-the-server",
        "test_shown",
        _SHOWN.format("caddy"),
        "header_up -Cookie",
    ),
    *(
        Mutant(_ENVOY, name, "test_self", f"{tests} and envoy-new", old, new)
        for name, tests, old, new in mutants_of_json.SELF
    ),
    *(
        Mutant(_REST, name, "test_rest", tests, old, new)
        for name, tests, old, new in mutants_of_json.REST
    ),
]


def failures(folder, mutant: Mutant) -> tuple:
    """How many tests failed, or why that is not known."""
    done = subprocess.run(
        [
            *(sys.executable, "-B", "-m", "pytest", "-q", "--tb=short"),
            *(_HERE / f"{mutant.module}.py", "-k", mutant.tests),
        ],
        env={**os.environ, "GATEWAYS_DIR": str(folder)},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    count = re.search(r"(\d+) failed", done.stdout)
    # An error is not a failure: a gateway that does not start, for example.
    if done.returncode > 1 or re.search(r"\d+ error", done.stdout):
        return 0, done.stdout[-2000:]
    if "poll() is None" in done.stdout:
        return 0, "the gateway does not start"
    if re.search(r"has no '|no file has", done.stdout):
        return 0, "the tests replace what is not there any more"
    return int(count[1]) if count else 0, ""


def is_caught(mutant: Mutant) -> bool:
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name) / "gateways"
        shutil.copytree(DEPLOY, folder)
        path = folder / mutant.file
        text = path.read_text(encoding="utf-8")
        if text.count(mutant.old) != 1:
            print(f"STALE   {mutant.file} {mutant.name}", flush=True)
            return False
        path.write_text(text.replace(mutant.old, mutant.new), encoding="utf-8")
        failed, why = failures(folder, mutant)
    verdict = "caught " if failed else "MISSED "
    print(f"{verdict} {mutant.file} {mutant.name} {failed} {why}", flush=True)
    return failed > 0


def main(wanted: list) -> int:
    mutants = [m for m in MUTANTS if not wanted or m.name in wanted]
    caught = sum([is_caught(mutant) for mutant in mutants])
    print(f"{caught} of {len(mutants)} mutants caught")
    return 0 if mutants and caught == len(mutants) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
