"""The holder's route: who am I, revoke me, and nothing else. Envoy's alone.

What becomes of it in an outage is in test_outages.py.
"""

import contextlib
import json
import select
import threading
import time

import grpc
import pytest
from harness.stubs import self_pb2, token_pb2
from harness.waiting import wait_until

from . import http2
from .conftest import SCOPES, issue
from .fake_authorization import FakeAuthorization
from .gateway import ENVOYS
from .http1 import request
from .site import HOSTS
from .test_envoy import FAILURES, Stand

REVOKE = "/v1/self:revoke"
CHALLENGE = 'Bearer realm="wemasy"'


@pytest.fixture(params=ENVOYS)
def envoy(request, running):
    return running(request.param)


def holder(token):
    return [("Authorization", f"Bearer {token.secret}")]


def who(gateway, headers, target="/v1/self", **more):
    """The response and its JSON; what is common to all responses holds."""
    response = gateway.exchange(target, headers, **more)
    assert response.get("content-type") == "application/json", response
    assert response.get("cache-control") == "no-store"
    leaked = [n for n, _ in response.headers if n.lower().startswith("grpc-")]
    assert leaked == []
    return response, json.loads(response.body)


def revoke(gateway, headers, body=b"{}", target=REVOKE):
    return who(gateway, headers, target, method="POST", body=body)


def check_refused(gateway, headers, challenge):
    for ask in (who, revoke):
        response, status = ask(gateway, headers)
        assert response.status == 401
        assert response.all("www-authenticate") == [challenge]
        assert status["code"] == 16
        (info,) = status["details"]
        assert info["reason"] == "TOKEN_REFUSED"


def test_a_holder_learns_who_it_is(envoy, tokens):
    token = tokens["valid"]
    said = {
        "token": token.name,
        "project": token.project,
        "scopes": sorted(SCOPES),
    }
    for headers in (holder(token), [("X-API-Key", token.secret)]):
        response, told = who(envoy, headers)
        assert response.status == 200
        assert told == said


def test_a_holder_learns_until_when(envoy, site):
    text = f"{time.gmtime().tm_year + 2}-01-31T12:00:00Z"
    end = token_pb2.Token().expire_time
    end.FromJsonString(text)
    token = issue(site.client, expire_time=end)
    assert who(envoy, holder(token))[1] == {
        "token": token.name,
        "project": token.project,
        "expireTime": text,
    }


def test_a_holder_revokes_itself(envoy, site):
    token, other = issue(site.client), issue(site.client)
    headers = holder(token)
    assert envoy.exchange("/api/x", headers).status == 200
    response, revoked = revoke(
        envoy, headers, b'{"reason": "REVOKE_REASON_COMPROMISED"}'
    )
    assert response.status == 200
    assert set(revoked) == {"revokeTime", "confirmTime"}
    assert envoy.exchange("/api/x", headers).status == 401
    response, _ = who(envoy, headers)
    assert response.status == 401
    assert response.all("www-authenticate") == [
        f'{CHALLENGE}, error="invalid_token"'
    ]
    # Whose response was lost repeats it, and needs no body.
    response, again = revoke(envoy, headers, body=None)
    assert response.status == 200
    assert again["revokeTime"] == revoked["revokeTime"]
    found = site.client.get(token.name)
    assert found.revoke_reason == token_pb2.REVOKE_REASON_COMPROMISED
    assert found.revoker == token.name
    assert envoy.exchange("/api/x", holder(other)).status == 200


def test_who_holds_no_valid_token_is_refused(envoy, tokens):
    check_refused(envoy, [], CHALLENGE)
    invalid = f'{CHALLENGE}, error="invalid_token"'
    for text in ("nonsense", tokens["expired"].secret, b"\xff\xfe"):
        value = text if isinstance(text, bytes) else text.encode()
        headers = [("Authorization", b"Bearer " + value)]
        check_refused(envoy, headers, invalid)
    response, _ = who(envoy, holder(tokens["revoked"]))
    assert response.status == 401
    assert response.all("www-authenticate") == [invalid]
    # A token that no header has is none.
    response, _ = who(
        envoy, [], f"/v1/self?authorization=Bearer%20{tokens['valid'].secret}"
    )
    assert response.status == 400


TWO = {
    "in two headers": lambda secret: [
        ("Authorization", f"Bearer {secret}"),
        ("X-API-Key", secret),
    ],
    "in one header twice": lambda secret: [
        ("Authorization", f"Bearer {secret}"),
        ("authorization", f"Bearer {secret}"),
    ],
    "joined": lambda secret: [
        ("Authorization", f"Bearer {secret},Bearer {secret}"),
    ],
}


@pytest.mark.parametrize("headers", TWO.values(), ids=TWO)
def test_two_credentials_are_refused(envoy, site, headers):
    token = issue(site.client)
    for ask in (who, revoke):
        response, status = ask(envoy, headers(token.secret))
        assert response.status == 400
        assert response.all("www-authenticate") == [
            f'{CHALLENGE}, error="invalid_request"'
        ]
        assert status["code"] == 3
    assert envoy.exchange("/api/x", holder(token)).status == 200


def test_what_is_malformed_is_refused(envoy, site):
    headers = holder(issue(site.client))
    for body in (
        b"{",
        b"[]",
        b'{"reason": "BECAUSE"}',
    ):
        response, status = revoke(envoy, headers, body)
        assert response.status == 400, body
        assert status["code"] == 3
    for target in ("/v1/self?token=x", "/v1/self?"):
        response, _ = who(envoy, headers, target)
        assert response.status == (400 if target[-1] == "x" else 200)
    response, _ = revoke(envoy, headers, target=f"{REVOKE}?token=x")
    assert response.status == 400
    response, status = revoke(envoy, headers, b" " * 100_000)
    assert response.status == 413
    assert status["code"] == 8
    assert who(envoy, headers)[0].status == 200


def test_nothing_else_is_there(envoy, site):
    headers = holder(issue(site.client))
    grpc = [*headers, ("content-type", "application/grpc"), ("te", "trailers")]
    for method, target in (
        ("POST", "/v1/self"),
        ("DELETE", "/v1/self"),
        ("GET", REVOKE),
        ("GET", "/v1/self/x"),
        ("GET", "/v1/projects/demo/tokens"),
        ("POST", "/v1/tokens:validate"),
        ("POST", "/wemasy.tokens.v1.SelfService/GetSelf"),
        ("POST", "/wemasy.tokens.v1.TokenService/ListTokens"),
    ):
        for fields in (headers, grpc):
            response = envoy.exchange(
                target, fields, method=method, body=b"{}"
            )
            # The same to a client of gRPC: UNIMPLEMENTED.
            found = response.get("grpc-status") or response.status
            assert found == ("12" if fields is grpc else 404), (method, target)
    # What calls itself gRPC is taken for JSON all the same.
    response, _ = who(envoy, grpc)
    assert response.status == 200


BIG = "x" * 20_000
HOSTILE = {
    "no base64": [("x-bad-bin", "!!!")],
    "many of no base64": [(f"x-bad{n}-bin", "%%%") for n in range(20)],
    "a large header": [("x-large", BIG)],
    "a large cookie": [("cookie", BIG)],
    "a deadline": [("grpc-timeout", "1n")],
    "a compression": [("grpc-encoding", "deflate")],
    "trace and tags": [("grpc-trace-bin", "?"), ("grpc-tags-bin", "?")],
}
TOO_LARGE = {
    "a large token": ("/v1/self", [("authorization", f"Bearer {BIG}")]),
    "a large key": ("/v1/self", [("x-api-key", BIG)]),
    "a large query": (f"/v1/self?x={BIG}", []),
    "a large host": ("/v1/self", [("Host", BIG)]),
}


def connections(gateway, cluster) -> dict:
    """Begun and ended ones to the servers."""
    return {
        name: count
        for name, count in gateway.stats(f"cluster.{cluster}.").items()
        if name in ("upstream_cx_total", "upstream_cx_destroy")
    }


def connections_of_both(gateway, target, headers=()) -> dict:
    """Those of the cluster `tokend`, once both servers have one."""

    def are_there():
        assert gateway.exchange(target, headers).status == 200
        return connections(gateway, "tokend")["upstream_cx_total"] >= len(HOSTS)

    wait_until(are_there, 10, "a connection to each server")
    return connections(gateway, "tokend")


def test_a_holders_headers_stay_with_envoy(envoy, tokens):
    headers = holder(tokens["valid"])
    for says, more in HOSTILE.items():
        response, _ = who(envoy, headers + more)
        assert response.status == 200, says
    for says, (target, more) in TOO_LARGE.items():
        response, status = who(envoy, more, target)
        assert response.status == 431, says
        assert status["code"] == 8


# What would end a connection to the servers.
TRAILERS = [("x-bad-bin", "!!!"), ("x-large", BIG)]


def send_trailers(gateway, target, headers, body=b"{}"):
    """Over HTTP/2, where Envoy hands trailers on."""
    headers = [(name.lower(), value) for name, value in headers]
    more = {"method": "POST", "body": body, "trailers": TRAILERS}
    return http2.send(gateway.http2_port, target, headers, **more)


def test_a_holders_trailers_stay_with_envoy(envoy, site):
    token = issue(site.client)
    assert send_trailers(envoy, REVOKE, holder(token)).status == 200
    assert site.client.verdict(token.secret) == "REVOKED"


class Checks:
    """Requests with a token, one after another, while it is a context."""

    def __init__(self, gateway, token):
        self._gateway = gateway
        self._headers = holder(token)
        self._done = threading.Event()
        self.statuses = []
        self._thread = threading.Thread(target=self._run)

    def _run(self):
        while not self._done.is_set():
            response = self._gateway.exchange("/api/x", self._headers)
            self.statuses.append(response.status)

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._done.set()
        self._thread.join()


# The headers come as they are, as if nothing were known of them.
AS_THEY_COME = {
    "local max_bytes = 4096": "local max_bytes = 1000000",
    "fields:remove(name)": "",
}
# And over the connections of the checks: what the test must see.
SHARED = {**AS_THEY_COME, "cluster: tokend_self\n": "cluster: tokend\n"}


@pytest.mark.parametrize("name", ENVOYS)
@pytest.mark.parametrize(
    "edits", [{}, AS_THEY_COME, SHARED], ids=["as is", "bare", "shared"]
)
def test_a_holder_ends_no_connection_of_the_checks(
    name, edits, start, site, tokens
):
    gateway = start(name, site, edits)
    headers = holder(tokens["valid"])
    before = connections_of_both(gateway, "/api/x", headers)
    with Checks(gateway, tokens["valid"]) as checks:
        for more in HOSTILE.values():
            gateway.exchange("/v1/self", headers + more)
        for target, more in TOO_LARGE.values():
            gateway.exchange(target, more)
        send_trailers(gateway, REVOKE, [("authorization", "Bearer x")])
    if edits is SHARED:
        assert connections(gateway, "tokend") != before
        return
    assert connections(gateway, "tokend") == before
    assert set(checks.statuses) == {200}
    # Even bare headers end but their own call's connection.
    assert who(gateway, headers)[0].status == 200
    cluster = gateway.stats("cluster.tokend_self.upstream_")
    assert cluster["cx_total"] == cluster["rq_total"]


class SlowSelf(FakeAuthorization):
    """Answers GetSelf once it may."""

    def __init__(self):
        super().__init__(FAILURES["INTERNAL"])
        self.may = threading.Event()

    def service(self, handler_call_details):
        if not handler_call_details.method.endswith("/GetSelf"):
            return super().service(handler_call_details)
        return grpc.unary_unary_rpc_method_handler(self._answer)

    def _answer(self, _request, _context):
        self.may.wait()
        return self_pb2.GetSelfResponse(token="slow").SerializeToString()


# As the file has it, and as many wait.
UNDER_WAY = 64
MORE = 8


@pytest.mark.parametrize("name", ENVOYS)
def test_holders_have_a_bounded_share_of_the_servers(name, start, site):
    edits = {"timeout: 2s": "timeout: 60s"}
    with contextlib.ExitStack() as stack:
        slow = stack.enter_context(SlowSelf())
        stack.callback(slow.may.set)
        stand = Stand(site.api, slow.port)
        gateway = start(name, stand, edits, ready_status=503)
        waiting = {}
        for _ in range(2 * UNDER_WAY + MORE):
            connection = stack.enter_context(gateway.connect())
            connection.send(request("/v1/self"))
            waiting[connection.socket] = connection
        refused = 0
        while refused < MORE:
            ready, _, _ = select.select(list(waiting), [], [], 10)
            assert ready, f"{refused} were refused"
            for each in ready:
                response = waiting.pop(each).reader.response()
                assert response.status == 503
                refused += 1
        slow.may.set()
        rest = [each.reader.response().status for each in waiting.values()]
        assert set(rest) <= {200, 503}
        assert rest.count(200) >= UNDER_WAY
