"""Requests that two readers may understand differently. What the API gets is
one request at most, and its identity is the server's."""

import dataclasses

from .http2_frames import Request

# What is behind another request, where no token is: never reaches the API.
SMUGGLED = (
    "GET /pages/smuggled HTTP/1.1\r\n"
    "Host: api.example\r\n"
    "case: {mark}\r\n"
    "x-wemasy-project: projects/evil\r\n"
    "x-wemasy-token: projects/evil/tokens/t0\r\n\r\n"
)
_HOST = "Host: api.example\r\ncase: {mark}\r\n"
_VALID = _HOST + "Authorization: Bearer {valid}\r\n"
_LIE = "x-wemasy-project: projects/evil"


@dataclasses.dataclass(frozen=True)
class Probe:
    """`text` is for HTTP/1.1, otherwise `request` for HTTP/2. `{length}` is
    SMUGGLED's, `{valid}` and `{narrow}` are tokens."""

    name: str
    # The gateways that let it pass.
    passes: tuple = ()
    text: str = ""
    request: Request = None

    def result(self, gateway: str) -> str:
        return "passes" if gateway in self.passes else "refused"


ENVOY = ("envoy-old", "envoy-new")
GO = ("traefik", "caddy")
GO_AND_NGINX = (*GO, "nginx")
ALL = (*ENVOY, *GO_AND_NGINX)


def _http1(name, head, passes=(), body=SMUGGLED):
    return Probe(name, passes, text=head + "\r\n" + body)


HTTP1 = [
    _http1(
        "a request in the body of a refused one",
        "POST /api/x HTTP/1.1\r\n" + _HOST + "Content-Length: {length}\r\n",
    ),
    _http1(
        "a request behind an upgrade that the API does not grant",
        "GET /api/plain HTTP/1.1\r\n"
        + _VALID
        + "Connection: Upgrade\r\nUpgrade: websocket\r\n",
        ALL,
    ),
    _http1(
        "the same, and a length",
        "GET /api/plain HTTP/1.1\r\n"
        + _VALID
        + "Connection: Upgrade\r\nUpgrade: websocket\r\n"
        + "Content-Length: {length}\r\n",
        GO_AND_NGINX,
    ),
    _http1(
        "a request behind another upgrade",
        "GET /api/plain HTTP/1.1\r\n"
        + _VALID
        + "Connection: Upgrade\r\nUpgrade: foo\r\n",
        ("nginx", "caddy"),
    ),
    _http1(
        "a request behind `CONNECT`",
        "CONNECT api.example:80 HTTP/1.1\r\n" + _VALID,
    ),
    _http1(
        "a request behind `CONNECT` of a path",
        "CONNECT /api/plain HTTP/1.1\r\n" + _VALID,
    ),
    _http1(
        "a request in the body of `CONNECT`",
        "CONNECT api.example:80 HTTP/1.1\r\n"
        + _VALID
        + "Content-Length: {length}\r\n",
    ),
    _http1(
        "a request in the body of `CONNECT` of a path",
        "CONNECT /api/plain HTTP/1.1\r\n"
        + _VALID
        + "Content-Length: {length}\r\n",
    ),
    _http1(
        "`Content-Length` and `Transfer-Encoding`",
        "POST /api/x HTTP/1.1\r\n"
        + _VALID
        + "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n",
        GO,
        body="0\r\n\r\n" + SMUGGLED,
    ),
    _http1(
        "`Transfer-Encoding` with a space before the colon",
        "POST /api/x HTTP/1.1\r\n"
        + _VALID
        + "Content-Length: {length}\r\nTransfer-Encoding : chunked\r\n",
    ),
    _http1(
        "`Transfer-Encoding: xchunked`",
        "POST /api/x HTTP/1.1\r\n" + _VALID + "Transfer-Encoding: xchunked\r\n",
        body="0\r\n\r\n" + SMUGGLED,
    ),
    _http1(
        "`Content-Length` twice",
        "POST /api/x HTTP/1.1\r\n"
        + _VALID
        + "Content-Length: 0\r\nContent-Length: {length}\r\n",
    ),
    _http1(
        "NUL in a header's value",
        "GET /api/x HTTP/1.1\r\n" + _VALID + "x-note: a\0\r\n",
    ),
    _http1(
        "a bare CR in a header's value",
        "GET /api/x HTTP/1.1\r\n" + _VALID + f"x-note: a\r{_LIE}\r\n",
        # Which take it away.
        ENVOY,
    ),
    _http1(
        "a header's name with a CR",
        "GET /api/x HTTP/1.1\r\n" + _VALID + f"x-note\r{_LIE}\r\n",
    ),
]


def _fields(*more, token="{valid}", **pseudo):
    fields = {
        "method": "GET",
        "scheme": "http",
        "authority": "api.example",
        "path": "/api/x",
        **pseudo,
    }
    return (
        *((f":{name}", value) for name, value in fields.items()),
        ("case", "{mark}"),
        ("authorization", f"Bearer {token}"),
        *more,
    )


def _http2(name, *more, passes=(), body=None, **pseudo):
    request = Request(_fields(*more, **pseudo), body)
    return Probe(f"HTTP/2: {name}", passes, request=request)


HTTP2 = [
    _http2("nothing unusual", passes=ALL),
    _http2("CR and LF in a header's value", ("x-note", f"a\r\n{_LIE}")),
    _http2("LF in a header's value", ("x-note", f"a\n{_LIE}")),
    _http2("NUL in a header's value", ("x-note", "a\0")),
    _http2("CR and LF in a header's name", (f"x-note: a\r\n{_LIE}\r\nb", "c")),
    _http2("a header's name in upper case", ("X-Wemasy-Project", "evil")),
    _http2("a space in a header's name", ("x-wemasy-project ", "evil")),
    _http2("a header without a name", ("", "evil")),
    _http2("`connection`", ("connection", "x-wemasy-token"), passes=("nginx",)),
    _http2(
        "`transfer-encoding`",
        ("transfer-encoding", "chunked"),
        passes=("nginx",),
    ),
    _http2(
        "a request in the body of `CONNECT`",
        method="CONNECT",
        body=SMUGGLED.encode(),
    ),
    _http2(
        "a length that is not the body's",
        ("content-length", "0"),
        method="POST",
        body=SMUGGLED.encode(),
    ),
    _http2("two paths", (":path", "/pages/x"), token="{narrow}"),
    _http2("a path with CR and LF", path=f"/api/x HTTP/1.1\r\n{_LIE}\r\na: b"),
    _http2("a path with a space", path="/api/x HTTP/1.1", passes=GO),
    _http2(
        "a method with CR and LF",
        method="GET /pages/x HTTP/1.1\r\na: b\r\n\r\nGET",
    ),
    _http2("no path", path=""),
    _http2("an unknown pseudo-header", (":x-wemasy-project", "evil")),
]
PROBES = HTTP1 + HTTP2
