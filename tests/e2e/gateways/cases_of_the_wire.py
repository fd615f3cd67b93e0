"""Cases: paths that mean another one, and what HTTP allows besides."""

import dataclasses

from . import outcomes as out
from .case import BODY, EVIL, LIES, NARROW, VALID, Case, bearer
from .cases_of_headers import CREDENTIALS, VERDICTS


def _path(name, target, outcome=out.MISSING_SCOPE, path=""):
    """With a token that `/api/` takes and `/pages/` does not."""
    return Case(name, outcome, (NARROW,), target, token="narrow", path=path)


PATHS = [
    _path("`//pages/x`", "//pages/x"),
    _path("`/./pages/x`", "/./pages/x"),
    _path("`/pages//x`", "/pages//x"),
    _path("`/api/../pages/x`", "/api/../pages/x"),
    _path("`/api/%2e%2e/pages/x`", "/api/%2e%2e/pages/x"),
    _path("`/healthz/../pages/x`", "/healthz/../pages/x"),
    _path("`/%70ages/x`", "/%70ages/x"),
    _path("`/pages/x?required_scopes=`", "/pages/x?required_scopes=&project="),
    _path("`http://a.example/pages/x`", "http://a.example/pages/x"),
    _path("`/api/..%2fpages/x`", "/api/..%2fpages/x", out.BAD_REQUEST),
    _path("`/pages%2fx`", "/pages%2fx", out.BAD_REQUEST),
    _path("`/pages/..%2Fapi/x`", "/pages/..%2Fapi/x", out.BAD_REQUEST),
    _path("`/api/..%5cpages/x`", "/api/..%5cpages/x", out.BAD_REQUEST),
    _path("`/api/..\\pages/x`", "/api/..\\pages/x", out.BAD_REQUEST),
    _path("`/api/x%00`", "/api/x%00", out.BAD_REQUEST),
    _path("`/api/x#/../pages`", "/api/x#/../pages", out.BAD_REQUEST),
    _path("`/pages/../api/x`", "/pages/../api/x", out.PASSES, "/api/x"),
    _path("`/api//x`", "/api//x", out.PASSES, "/api/x"),
    _path(
        "`/api/a%20b?c=%2f..`",
        "/api/a%20b?c=%2f..",
        out.PASSES,
        "/api/a%20b?c=%2f..",
    ),
    _path("`/api/..;/pages/x`", "/api/..;/pages/x", out.BAD_REQUEST),
    _path("`/api/..;a=b/pages/x`", "/api/..;a=b/pages/x", out.BAD_REQUEST),
    _path("`/api/%2e%2e;/pages/x`", "/api/%2e%2e;/pages/x", out.BAD_REQUEST),
    _path("`/api/..%3b/pages/x`", "/api/..%3b/pages/x", out.BAD_REQUEST),
    _path("`/pages;a=b/x`", "/pages;a=b/x", out.NOT_FOUND),
    _path("`/pages%3fx`", "/pages%3fx", out.NOT_FOUND),
    _path("`/pages%23/x`", "/pages%23/x", out.NOT_FOUND),
    _path("`/api%2e/pages/x`", "/api%2e/pages/x", out.NOT_FOUND),
    _path("`/elsewhere`", "/elsewhere", out.NOT_FOUND),
    _path("`/Pages/x`", "/Pages/x", out.NOT_FOUND),
    _path("`/check`", "/check", out.NOT_FOUND),
    _path("`/_tokend/`", "/_tokend/", out.NOT_FOUND),
]

_UPGRADE = (("Connection", "Upgrade"), ("Upgrade", "websocket"))
_H2C = (("Connection", "Upgrade, HTTP2-Settings"), ("Upgrade", "h2c"))
_TRAILERS = (("x-wemasy-project", EVIL), ("authorization", "Bearer {valid}"))
PROTOCOL = [
    Case("a header of 6 kB", out.PASSES, (VALID, ("Padding", "x" * 6000))),
    Case(
        "a header whose bytes are no text",
        out.PASSES,
        (VALID, ("Note", b"\xff\xfe")),
    ),
    Case("a token of 6 kB", out.INVALID, bearer("x" * 6000)),
    Case(
        "20 kB of cookies", out.PASSES, (VALID, *(("Cookie", "x" * 5000),) * 4)
    ),
    Case(
        "headers of 100 kB", out.TOO_LARGE, (VALID, *(("P", "x" * 5000),) * 20)
    ),
    # Where tokend does not see them.
    Case(
        "headers of 100 kB on a route without a token",
        out.TOO_LARGE,
        (("P", "x" * 5000),) * 20,
        "/healthz",
    ),
    Case(
        "a header of 100 kB", out.TOO_LARGE, (VALID, ("Padding", "x" * 100_000))
    ),
    Case("100 kB body", out.PASSES, (VALID,), method="POST", body=BODY),
    Case(
        "100 kB body in chunks",
        out.PASSES,
        (VALID,),
        method="POST",
        body=BODY,
        chunked=True,
    ),
    Case("100 kB body, no token", out.NO_TOKEN, method="POST", body=BODY),
    Case(
        "a credential in trailers",
        out.NO_TOKEN,
        method="POST",
        body=BODY,
        chunked=True,
        trailers=_TRAILERS,
    ),
    Case(
        "an identity in trailers",
        out.PASSES,
        (VALID,),
        method="POST",
        body=BODY,
        chunked=True,
        trailers=_TRAILERS[:1],
    ),
    Case(
        "an identity in trailers, with an underscore and dots",
        out.PASSES,
        (VALID,),
        method="POST",
        body=BODY,
        chunked=True,
        trailers=(("x_wemasy_project", EVIL), ("x.wemasy.token", EVIL)),
    ),
    Case("upgrade", out.UPGRADED, (VALID, *_UPGRADE)),
    Case(
        "upgrade to HTTP/2",
        out.PASSES,
        (VALID, *_H2C, ("HTTP2-Settings", "AAMAAABkAAQAoAAAAAIAAAAA")),
    ),
    Case(
        "upgrade to another protocol",
        out.PASSES,
        (VALID, ("Connection", "Upgrade"), ("Upgrade", "foo")),
    ),
    Case("upgrade without a token", out.NO_TOKEN, _UPGRADE),
    Case(
        "upgrade with a revoked token",
        out.INVALID,
        (*bearer("{revoked}"), *_UPGRADE),
    ),
]


def _over_http2(case: Case, **changes) -> Case:
    return dataclasses.replace(
        case, name=f"HTTP/2: {case.name}", http2=True, **changes
    )


_AGAIN = {
    "no token",
    "a valid token",
    "`Authorization` twice",
    "a revoked token",
    "a scope is missing",
    "`/api/../pages/x`",
    "100 kB body",
    "an identity in trailers",
}
_lower = tuple((name.lower(), value) for name, value in (VALID, *LIES))
HTTP2 = [
    *(
        _over_http2(case)
        for case in CREDENTIALS + VERDICTS + PATHS + PROTOCOL
        if case.name in _AGAIN
    ),
    _over_http2(Case("all of `x-wemasy-*`", out.PASSES, _lower)),
]
