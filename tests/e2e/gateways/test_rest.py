"""REST for backends: deploy/gateways/envoy-rest.yaml, and docs/rest.md."""

import json
import os
import re
import ssl
import subprocess

import pytest
from conftest import migrated_database
from harness import paths
from harness.certificates import DOMAIN
from harness.waiting import wait_until

from .conftest import issue
from .gateway import DEPLOY, RESTS, Rest, make
from .http1 import Closed, Connection, request
from .programs import program
from .site import HOSTS, Site, free_port
from .test_envoy import Stand
from .test_self import (
    BIG,
    HOSTILE,
    connections,
    connections_of_both,
    send_trailers,
)

TEXT = (paths.SOURCE / "docs" / "rest.md").read_text(encoding="utf-8")
DOCUMENT = (paths.SOURCE / "docs" / "openapi.yaml").read_text(encoding="utf-8")
BLOCKS = re.findall(r"^```sh\n(.*?)^```", TEXT, re.M | re.S)
SAYS = re.search(r"^```json\n(.*?)^```", TEXT, re.M | re.S)[1]
JSON = ("Content-Type", "application/json")


@pytest.fixture(params=RESTS)
def rest(request, running):
    return running(request.param)


def call(gateway, target, body=None, method=None, headers=(JSON,)):
    """The response and its JSON; what is common to all responses holds."""
    if body is not None and not isinstance(body, bytes):
        body = json.dumps(body).encode()
    method = method or ("GET" if body is None else "POST")
    response = gateway.exchange(target, headers, method=method, body=body)
    assert response.get("content-type") == "application/json", response
    assert response.get("cache-control") == "no-store"
    leaked = [n for n, _ in response.headers if n.lower().startswith("grpc-")]
    assert leaked == []
    return response, json.loads(response.body)


class AsDocumented(Rest):
    """Started by the commands of the document, in a place like the
    repository."""

    def __init__(self, *arguments, **more):
        super().__init__("ENVOY_NEW", *arguments, **more)
        self._etc = self.folder / "etc"

    def configuration(self):
        (values,) = super().configuration().values()
        values = {
            old: new
            for old, new in values.items()
            if not old.startswith("/etc/envoy/")
        }
        return {self.file: {**values, "/etc/envoy": str(self._etc)}}

    def command(self):
        place = self.folder / "deploy"
        place.mkdir()
        (place / "gateways").symlink_to(self.folder)
        descriptors = "wemasy_tokens_v1.binpb"
        (self.folder / descriptors).symlink_to(DEPLOY / descriptors)
        (self.folder / "envoy").symlink_to(program("ENVOY_NEW"))
        install, start = BLOCKS[:2]
        subprocess.run(
            ["bash", "-euc", install.replace("/etc/envoy", str(self._etc))],
            cwd=self.folder,
            check=True,
        )
        assert start.startswith("envoy ")
        more = "--disable-hot-restart --concurrency 1 --log-level warning"
        return ["bash", "-euc", f"exec ./{start.strip()} {more}"]


def test_its_commands_do_what_it_says(site, tmp_path):
    with AsDocumented(tmp_path / "envoy", site) as gateway:
        environment = {
            **os.environ,
            "REST": f"http://127.0.0.1:{gateway.port}",
        }
        commands = iter(BLOCKS[2:])

        def run(**variables):
            environment.update(variables)
            done = subprocess.run(
                ["bash", "-euc", next(commands)],
                env=environment,
                capture_output=True,
                text=True,
                check=True,
            )
            return json.loads(done.stdout)

        issue(site.client, "demo")
        created = run()
        token = created["token"]
        assert token["displayName"] == "CI deploy"
        assert site.client.verdict(created["secret"]) == "VALID"
        assert run(NAME=token["name"])["token"] == token
        first = run()
        assert first["tokens"] == [token]
        second = run(PAGE=first["nextPageToken"])
        assert len(second["tokens"]) == 1 and second["tokens"] != [token]
        filtered = run()["tokens"]
        assert token in filtered
        assert {each["creator"] for each in filtered} == {"user-7"}
        changed = run()["token"]
        assert changed["displayName"] == "CI"
        rotated = run()
        assert rotated["token"]["oldSecretExpireTime"]
        validated = run(TOKEN=rotated["secret"])
        assert validated["verdict"] == "VERDICT_VALID"
        assert validated["token"] == token["name"]
        revoked = run()
        assert revoked["token"]["revokeReason"] == "REVOKE_REASON_UNUSED"
        assert revoked["receipt"]["acknowledgedReplicas"] == len(HOSTS)
        assert site.client.verdict(rotated["secret"]) == "REVOKED"
        leaked = run()["results"]
        assert leaked == [
            {
                "outcome": "LEAKED_TOKEN_OUTCOME_ALREADY_REVOKED",
                "name": token["name"],
            }
        ]
        actions = [
            event["action"].removeprefix("AUDIT_ACTION_")
            for event in run()["auditEvents"]
            if event["token"] == token["name"]
        ]
        assert actions[:4] == ["CREATED", "UPDATED", "ROTATED", "REVOKED"]
        assert run() == json.loads(SAYS)
        assert list(commands) == []


def test_the_document_has_every_call():
    there = set()
    for line in DOCUMENT.splitlines():
        if match := re.fullmatch(r"  (/v1/.*):", line):
            path = match[1]
        elif match := re.fullmatch(r"    (get|post|patch|put|delete):", line):
            there.add(f"{match[1].upper()} {path}")
    assert there
    assert set(re.findall(r"`([A-Z]+ /v1/[^`]*)`", TEXT)) == there


def test_what_envoy_refuses_is_a_status_too(rest):
    tokens = "/v1/projects/demo/tokens"
    text = ("Content-Type", "text/plain")
    for says, status, code, arguments in (
        ("an unknown path", 404, 5, {"target": "/v1/other"}),
        ("no path of ours", 404, 5, {"target": "/"}),
        ("the gRPC path", 404, 5, {"target": "/x.Y/Z", "body": {}}),
        ("an unknown method", 404, 5, {"target": tokens, "method": "DELETE"}),
        ("an unknown parameter", 400, 3, {"target": f"{tokens}?pagesize=1"}),
        ("a bad number", 400, 3, {"target": f"{tokens}?pageSize=x"}),
        ("no JSON", 400, 3, {"target": tokens, "body": b"{"}),
        ("a bad type", 400, 3, {"target": tokens, "body": {"scopes": 1}}),
        (
            "an object for a text",
            400,
            3,
            {"target": tokens, "body": {"metadata": {"key": {}}}},
        ),
        (
            "two names",
            400,
            3,
            {
                "target": f"{tokens}/t0:revoke",
                "body": {"name": "projects/shop/tokens/t1"},
            },
        ),
        ("%2F", 400, 3, {"target": "/v1/projects/demo%2Ftokens/tokens"}),
        ("text", 415, 3, {"target": tokens, "body": {}, "headers": [text]}),
        ("no type", 415, 3, {"target": tokens, "body": {}, "headers": []}),
        ("3 MiB", 413, 8, {"target": tokens, "body": b" " * (3 << 20)}),
        ("a query of 20 kB", 431, 8, {"target": f"{tokens}?filter={BIG}"}),
        (
            "100 kB of headers",
            431,
            8,
            {"target": tokens, "headers": [("x-large", BIG * 5)]},
        ),
    ):
        response, error = call(rest, **arguments)
        assert response.status == status, says
        assert error["code"] == code, says
        assert error["message"], says
        assert set(error) == {"code", "message"}, says


def test_no_error_and_no_log_has_a_secret(rest, site):
    secret = issue(site.client).secret
    validate, revoke = "/v1/tokens:validate", "/v1/tokens:revokeLeaked"
    for target, body in (
        (validate, {"token": secret, "reportFreshness": secret}),
        (validate, secret.encode()),
        (validate, {"requiredScopes": {secret: 1}}),
        (revoke, {"actor": "scanner", "leakedTokens": [secret]}),
        (revoke, b'{"leakedTokens": [{"secret": "%s"' % secret.encode()),
        (f"{validate}?token={secret}", {}),
        (f"{validate}?{secret}=1", {}),
    ):
        response, error = call(rest, target, body)
        assert response.status == 400, body
        assert error == {"code": 3, "message": "malformed request"}
    last = "/v1/projects/last/tokens?filter=of-the-query"
    assert call(rest, last)[0].status == 400
    wait_until(lambda: "/v1/projects/last" in rest.log(), 10, "the log")
    assert secret not in rest.log()
    assert "of-the-query" not in rest.log()


def test_what_the_server_refuses_is_a_status(rest):
    for status, code, reason, arguments in (
        (
            400,
            3,
            "FIELD_INVALID",
            {"target": "/v1/projects/demo/tokens?pageSize=-1"},
        ),
        (
            400,
            3,
            "PAGE_TOKEN_INVALID",
            {"target": "/v1/projects/demo/tokens?pageToken=x"},
        ),
        (
            404,
            5,
            "TOKEN_NOT_FOUND",
            {"target": f"/v1/projects/demo/tokens/t{'0' * 26}"},
        ),
    ):
        mark = [("X-Request-Id", f"of-{reason}")]
        response, error = call(rest, headers=mark, **arguments)
        assert response.status == status
        assert error["code"] == code
        assert error["details"][0]["reason"] == reason
        assert response.get("x-request-id") == f"of-{reason}"


def test_nobody_pretends_to_be_the_backend(rest):
    """By another name than loopback's, as a page in a browser would."""
    for host in ("a.example", "127.0.0.1.a.example", "localhost.a.example"):
        with Connection(rest.port) as connection:
            data = request("/v1/projects/demo/tokens", [("Host", host)])
            assert connection.exchange(data).status == 404
    text = (DEPLOY / rest.file).read_text(encoding="utf-8")
    found = re.findall(r"socket_address: \{address: ([^,]*),", text)
    assert found and all(address.startswith("127.") for address in found)


@pytest.fixture(scope="module")
def large(site):
    """The number of the tokens of a project of this name: more than a page.

    The server ends one at 2 MiB; as JSON these are six times as large.
    """
    fields = {
        "display_name": "<" * 100,
        "description": "<" * 1000,
        "metadata": {f"k{n:02}": "<" * 256 for n in range(16)},
    }
    one = issue(site.client, "large", **fields)
    count = (2 << 20) // site.client.get(one.name).ByteSize()
    for _ in range(count):
        issue(site.client, "large", **fields)
    return count + 1


def test_a_page_as_large_as_there_is(rest, large):
    target = "/v1/projects/large/tokens?pageSize=1000"
    response, page = call(rest, target)
    assert response.status == 200
    assert page["nextPageToken"]
    assert len(response.body) > 8 << 20
    names = [token["name"] for token in page["tokens"]]
    _, rest_of_it = call(rest, f"{target}&pageToken={page['nextPageToken']}")
    names += [token["name"] for token in rest_of_it["tokens"]]
    assert len(names) == len(set(names)) == large


def test_a_body_as_large_as_the_server_takes(rest):
    secrets = [{"secret": "x" * 41, "url": "u" * 500}] * 1000
    body = {"actor": "scanner", "leakedTokens": secrets}
    response, found = call(rest, "/v1/tokens:revokeLeaked", body)
    assert response.status == 200
    assert len(found["results"]) == 1000


def test_callers_headers_stay_with_envoy(rest):
    target = "/v1/projects/demo/tokens"
    before = connections_of_both(rest, target)
    for says, headers in HOSTILE.items():
        assert call(rest, target, headers=headers)[0].status == 200, says
    for headers in ([("x-request-id", BIG)], [("traceparent", BIG)]):
        assert call(rest, target, headers=headers)[0].status == 431
    headers = [JSON, (":authority", "localhost")]
    body = b'{"token": "x"}'
    response = send_trailers(rest, "/v1/tokens:validate", headers, body)
    assert response.status == 200
    assert connections(rest, "tokend") == before


@pytest.mark.parametrize("name", RESTS)
def test_no_server(name, site, tmp_path):
    stand = Stand(site.api, free_port())
    with make(name, tmp_path, stand, ready_status=503) as gateway:
        response, error = call(gateway, "/v1/projects/demo/tokens")
        assert response.status == 503
        assert error == {"code": 14, "message": "try again in a moment"}


def test_over_mutual_tls(
    cluster, authority, certificates, start, tmp_path, rest
):
    """With the lines that the file has commented out, towards both sides."""
    hosts = ",".join(f"IP:{host}" for host in HOSTS)
    theirs = authority.issue(f"rest-{rest.name}", f"DNS:localhost,{hosts}")
    envoys = certificates["all"]
    edits = {
        "#tls ": "",
        "#mtls ": "",
        "/etc/envoy/tokend/backend.crt": envoys.certificate,
        "/etc/envoy/tokend/backend.key": envoys.key,
        "/etc/envoy/tokend/ca.crt": envoys.ca,
        "/etc/envoy/rest/server.crt": theirs.certificate,
        "/etc/envoy/rest/server.key": theirs.key,
        "/etc/envoy/rest/ca.crt": theirs.ca,
        "spiffe://example.org/backend": f"{DOMAIN}/backend",
    }
    site = Site(
        tmp_path / "tls",
        cluster.url(migrated_database(cluster)),
        certificate=theirs,
        caller=envoys,
    )
    tls = {name: context_of(certificates[name]) for name in CALLERS}
    with site:
        backend = start(rest.name, site, edits, tls=tls["backend"])
        target = "/v1/projects/demo/tokens"
        response, page = call(backend, target)
        assert response.status == 200 and page == {}
        without = ssl.create_default_context(cafile=theirs.ca)
        for other in (tls["stranger"], tls["nameless"], without, None):
            backend.tls = other
            with pytest.raises((OSError, Closed)):
                call(backend, target)


CALLERS = ("backend", "stranger", "nameless")


def context_of(caller):
    context = ssl.create_default_context(cafile=caller.ca)
    context.load_cert_chain(caller.certificate, caller.key)
    return context
