"""Where a gateway does something else, and why."""

import dataclasses

from . import cases
from . import outcomes as out


@dataclasses.dataclass(frozen=True)
class Deviation:
    outcome: out.Outcome
    reason: str


_TWICE = Deviation(
    out.BAD_REQUEST,
    "takes no request with `Authorization` twice, and asks nobody",
)
_EMPTY_SCOPES = Deviation(
    dataclasses.replace(
        out.PASSES,
        says="passes, with an empty `x-wemasy-scopes`",
        is_empty_sent=True,
    ),
    "sends the header, and no value",
)
_FOO = frozenset({"x-wemasy-foo"})
_WITH_FOO = dataclasses.replace(
    out.PASSES, says="passes, with `x-wemasy-foo`", foreign=_FOO
)
_NAMELESS_WITH_FOO = dataclasses.replace(
    out.NAMELESS,
    says="passes, with `x-wemasy-foo`, without an identity",
    foreign=_FOO,
)
_NO_PREFIX = "cannot take headers away by the beginning of their names"
_LARGE = Deviation(out.BAD_REQUEST, "says 400 for what is too large")
_CLOSED = out.Outcome("the connection ends", 0)
_AS_TEXT = Deviation(
    out.Outcome("503 of the gateway", 503),
    "says itself that no server is left, in its own words",
)
_STRICT = Deviation(
    out.BAD_REQUEST,
    "sends the path on as it came, so only one that is normalized passes",
)

_ENVOY = {
    "upgrade to another protocol": Deviation(
        out.Outcome("403 of the gateway", 403), "refuses it"
    ),
    "`/api/..\\pages/x`": Deviation(
        out.MISSING_SCOPE, "takes it for `/pages/x`, and sends that on"
    ),
}
_NEW_ENVOY = {
    **_ENVOY,
    **{
        name: Deviation(out.MISSING_SCOPE, "1.40.0 takes it for `/pages/x`")
        for name in ("`/api/..;/pages/x`", "`/api/..;a=b/pages/x`")
    },
}
_BY_GATEWAY = {
    "envoy-old": _ENVOY,
    "envoy-new": _NEW_ENVOY,
    "nginx": {
        "`Authorization` twice": _TWICE,
        "the same token twice": _TWICE,
        "HTTP/2: `Authorization` twice": _TWICE,
        "unknown `x-wemasy-foo`": Deviation(_WITH_FOO, _NO_PREFIX),
        "unknown, on a route without a token": Deviation(
            _NAMELESS_WITH_FOO, _NO_PREFIX
        ),
        "`Connection` names `authorization`": Deviation(
            out.PASSES, "takes no notice of what `Connection` names"
        ),
        "headers of 100 kB": _LARGE,
        "headers of 100 kB on a route without a token": _LARGE,
        "a header of 100 kB": _LARGE,
        "HTTP/2: an identity in trailers": Deviation(
            _CLOSED, "1.22 takes no trailers over HTTP/2"
        ),
    },
    "traefik": {
        "a token without scopes": _EMPTY_SCOPES,
        "scopes, and the token has none": _EMPTY_SCOPES,
        "unknown, on a route without a token": Deviation(
            _NAMELESS_WITH_FOO, f"{_NO_PREFIX} where no check is made"
        ),
        "upgrade to another protocol": Deviation(out.BAD_REQUEST, "refuses it"),
        "`/pages%2fx`": Deviation(
            out.NOT_FOUND, "finds no route before it looks at the path"
        ),
        **{
            case.name: _AS_TEXT
            for case in (cases.NO_SERVER, cases.SILENT, cases.NO_LEASE)
        },
    },
    "caddy": {
        **{
            name: _STRICT
            for name in (
                "`//pages/x`",
                "`/./pages/x`",
                "`/pages//x`",
                "`/api/../pages/x`",
                "`http://a.example/pages/x`",
                "`/api/%2e%2e/pages/x`",
                "`/healthz/../pages/x`",
                "`/pages/../api/x`",
                "`/api//x`",
                "HTTP/2: `/api/../pages/x`",
            )
        },
        "`/Pages/x`": Deviation(
            out.MISSING_SCOPE, "takes upper and lower case in paths for one"
        ),
    },
}
# By the gateway and the name of the case.
DEVIATIONS = {
    (gateway, name): deviation
    for gateway, deviations in _BY_GATEWAY.items()
    for name, deviation in deviations.items()
}


def outcome_of(gateway: str, case) -> out.Outcome:
    deviation = DEVIATIONS.get((gateway, case.name))
    return deviation.outcome if deviation else case.outcome
