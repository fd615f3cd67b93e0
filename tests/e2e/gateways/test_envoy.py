"""What is Envoy's alone: errors of the call, metadata, its own headers."""

import concurrent.futures
import contextlib
import dataclasses
import json
import re
import threading
import time

import grpc
import pytest
from conftest import migrated_database
from harness import paths
from harness.waiting import wait_until

from . import cases
from .case import VALID as BEARER
from .case import Case
from .conftest import SCOPES, issue
from .fake_authorization import FakeAuthorization
from .gateway import ENVOYS
from .outcomes import PASSES, TRY_AGAIN, check_api, check_response
from .running import run, send
from .site import HOSTS, Site

VALID = Case("valid", PASSES, (BEARER,))
# The answers of a server that is broken: no answer is "go on".
FAILURES = {
    **{
        code.name: lambda context, code=code: context.abort(code, "broken")
        for code in grpc.StatusCode
        if code != grpc.StatusCode.OK
    },
    # No message.
    "garbage": lambda _: b"\xff\xff\xff",
    # Longer than Envoy waits.
    "silence": lambda _: time.sleep(2) or b"",
}


@pytest.fixture(params=ENVOYS)
def envoy(request, running):
    return running(request.param)


@dataclasses.dataclass
class Stand:
    """A site with another server than tokend."""

    api: object
    port: int


@pytest.mark.parametrize("name", ENVOYS)
def test_an_error_of_the_call_never_lets_a_request_pass(
    name, start, site, tokens
):
    with FakeAuthorization(FAILURES["UNAVAILABLE"]) as fake:
        stand = Stand(site.api, fake.port)
        gateway = start(name, stand, ready_status=503)
        for says, fake.answer in FAILURES.items():
            response, seen = send(VALID, gateway, site, tokens)
            check_response(TRY_AGAIN, response)
            assert not seen, says
        errors = gateway.stats("http.api.ext_authz.")
        assert errors["error"] >= len(FAILURES)
        assert errors.get("failure_mode_allowed", 0) == 0
        # Another one is asked when one has failed.
        retries = gateway.stats("cluster.tokend.upstream_rq_retry")
        assert retries[""] > 0


def test_alerts_name_metrics_that_there_are(envoy):
    rules = paths.SOURCE / "deploy" / "prometheus" / "alerts.yml"
    named = set(re.findall(r"\benvoy_\w+", rules.read_text("utf-8")))
    assert len(named) > 3
    shown = set(re.findall(r"^\w+", envoy.prometheus(), re.MULTILINE))
    assert named <= shown, named - shown


@pytest.mark.parametrize("name", ENVOYS)
def test_the_server_is_shown_what_it_needs(name, start, site, tokens):
    with FakeAuthorization(FAILURES["INTERNAL"]) as fake:
        stand = Stand(site.api, fake.port)
        gateway = start(name, stand, ready_status=503)
        fake.shown.clear()
        headers = [
            ("Authorization", "Bearer of-this"),
            ("x-api-key", "and-this"),
            ("Cookie", "not-of-this"),
            ("x-secret", "nor-of-this"),
        ]
        gateway.exchange(
            "/pages/x", headers, method="POST", body=b"least-of-this"
        )
        # More than once, if the first time took too long.
        assert fake.shown
        for shown in fake.shown:
            assert b"Bearer of-this" in shown and b"and-this" in shown
            assert b"required_scopes" in shown
            for hidden in (b"not-of-this", b"nor-of-this", b"least-of-this"):
                assert hidden not in shown
        # Of the service that answers, for it may be unwell while others serve.
        assert fake.health_asked_of == {"wemasy.tokens.v1.AuthService"}


@pytest.mark.parametrize("name", ENVOYS)
def test_many_may_be_asked_about_once_more_at_a_time(name, start, site):
    """As when a server dies: each request gets its second attempt."""
    together = threading.Barrier(8)

    def fail_together(context):
        with contextlib.suppress(threading.BrokenBarrierError):
            together.wait(0.2)
        context.abort(grpc.StatusCode.UNAVAILABLE, "broken")

    with FakeAuthorization(fail_together) as fake:
        gateway = start(name, Stand(site.api, fake.port), ready_status=503)
        with concurrent.futures.ThreadPoolExecutor(24) as pool:
            answers = list(
                pool.map(gateway.exchange, ["/api/x"] * 24, [[BEARER]] * 24)
            )
        assert [each.status for each in answers] == [503] * 24
        retries = gateway.stats("cluster.tokend.upstream_rq_retry")
        assert retries[""] >= 24
        assert retries["_overflow"] == 0


def test_the_access_log_names_the_token(envoy, site, tokens):
    def lines():
        found = [
            json.loads(line)
            # The last one may be half written.
            for line in envoy.log().split("\n")[:-1]
            if line.startswith("{")
        ]
        return {line["path"]: line for line in found}

    for kind in ("valid", "narrow", "revoked", "other"):
        envoy.exchange(
            f"/pages/log-{kind}?token=of-the-query",
            [("Authorization", f"Bearer {tokens[kind].secret}")],
        )
    envoy.exchange("/pages/log-none")
    wait_until(lambda: "/pages/log-none" in lines(), 15, "the access log")
    found = lines()
    for kind, verdict, status in (
        ("valid", "VALID", 200),
        ("narrow", "INSUFFICIENT_SCOPE", 403),
        ("revoked", "REVOKED", 401),
        ("other", "VALID", 200),
    ):
        line = found[f"/pages/log-{kind}"]
        assert line["verdict"] == verdict
        assert line["status"] == status
        assert line["token"] == tokens[kind].name
        assert line["project"] == tokens[kind].project
    line = found["/pages/log-none"]
    assert line["token"] is None and line["status"] == 401
    assert "of-the-query" not in envoy.log()


CONTROLS = {
    "x-envoy-original-path": "/api/evil",
    "x-envoy-external-address": "10.1.2.3",
    "x-envoy-internal": "true",
    "x-envoy-upstream-rq-timeout-ms": "1",
    "x-envoy-upstream-rq-per-try-timeout-ms": "1",
    "x-envoy-retry-on": "5xx",
    "x-envoy-max-retries": "9",
    "x-envoy-decorator-operation": "evil",
    "x-envoy-force-trace": "true",
    "x-forwarded-for": "10.1.2.3",
}


def test_controls_of_envoy_are_not_the_clients(envoy, site, tokens):
    """`x-envoy-*` and `x-forwarded-for` of the client"""
    case = dataclasses.replace(
        VALID, headers=(BEARER, *CONTROLS.items()), target="/api/slow"
    )
    response, seen = send(case, envoy, site, tokens)
    # A client's timeout of a millisecond counts for nothing.
    check_response(PASSES, response)
    check_api(PASSES, seen, tokens["valid"])
    for name, value in CONTROLS.items():
        assert value not in seen[0].all(name), name


# Before all routes, one that takes those who seem to have an identity.
_SHADOW = """\
routes:
                        - match:
                            prefix: /pages/
                            headers:
                              - {name: x-wemasy-token, present_match: true}
                          direct_response: {status: 418}
"""


@pytest.mark.parametrize("name", ENVOYS)
def test_no_header_of_ours_chooses_the_route(name, start, site, tokens):
    """Neither the client's nor, after the check, the server's."""
    gateway = start(name, site, {"routes:\n": _SHADOW})
    lies = (("x-wemasy-token", "projects/demo/tokens/t0"),)
    shadowed = [
        dataclasses.replace(case, headers=case.headers + lies)
        for case in cases.VERDICTS
        if case.target == "/pages/x"
    ]
    assert shadowed
    for case in shadowed:
        run(case, gateway, site, tokens)


def test_over_mutual_tls(
    cluster, authority, certificates, start, tmp_path, envoy
):
    """With the lines that the file has commented out."""
    hosts = ",".join(f"IP:{host}" for host in HOSTS)
    theirs = authority.issue(f"hosts-{envoy.name}", f"DNS:localhost,{hosts}")
    url = cluster.url(migrated_database(cluster))
    ours = certificates["gateway"]
    edits = {
        "#tls ": "",
        "/etc/envoy/tokend/gateway.crt": ours.certificate,
        "/etc/envoy/tokend/gateway.key": ours.key,
        "/etc/envoy/tokend/ca.crt": ours.ca,
    }
    with Site(
        tmp_path / "tls",
        url,
        certificate=theirs,
        caller=certificates["all"],
    ) as site:
        gateway = start(envoy.name, site, edits)
        tokens = {"valid": issue(site.client, scopes=SCOPES)}
        run(VALID, gateway, site, tokens)
        # The holder's route has connections of its own.
        holder = [("Authorization", f"Bearer {tokens['valid'].secret}")]
        assert gateway.exchange("/v1/self", holder).status == 200
        site.client.revoke(tokens["valid"].name)
        revoked = dataclasses.replace(VALID, outcome=cases.REVOKED_NOW.outcome)
        run(revoked, gateway, site, tokens)
