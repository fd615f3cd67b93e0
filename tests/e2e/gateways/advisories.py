"""Published advisories, and the requests by which each is tested here.

What a gateway makes of such a request stands in the table of cases, in
deviations.py and in probes.py.
"""

import dataclasses

from . import cases
from .deviations import outcome_of
from .probes import PROBES

_CASES = {case.name: case for group in cases.TABLE.values() for case in group}
_PROBES = {probe.name: probe for probe in PROBES}
# What only Envoy is asked, in test_envoy.py.
CONTROLS = "`x-envoy-*` and `x-forwarded-for` of the client"
_ENVOYS = {CONTROLS: "passes, and none of them counts"}

# Requests that many advisories share.
_UNDERSCORES = (
    "with an underscore",
    "half an underscore",
    "with an underscore, on a route without a token",
)
_DOTS = ("with dots", "with dots, on a route without a token")
_CONNECTS = (
    "a request behind `CONNECT`",
    "a request behind `CONNECT` of a path",
    "a request in the body of `CONNECT`",
    "a request in the body of `CONNECT` of a path",
    "HTTP/2: a request in the body of `CONNECT`",
)
_BEHIND_UPGRADES = (
    "a request behind an upgrade that the API does not grant",
    "the same, and a length",
    "a request behind another upgrade",
)
_NOT_TEXT = ("bytes that are no text", "a header whose bytes are no text")
_FORWARDED = (
    "`X-Forwarded-Uri` and its like",
    "`X_Forwarded_Uri`, `X-Forwarded-Prefix` and their like",
)
_PARAMETERS = (
    "`/api/..;/pages/x`",
    "`/api/..;a=b/pages/x`",
    "`/api/%2e%2e;/pages/x`",
    "`/api/..%3b/pages/x`",
    "`/pages;a=b/x`",
)
_INJECTIONS = (
    "HTTP/2: CR and LF in a header's value",
    "HTTP/2: CR and LF in a header's name",
    "HTTP/2: a path with CR and LF",
    "HTTP/2: a path with a space",
    "HTTP/2: a method with CR and LF",
    "HTTP/2: `connection`",
    "HTTP/2: `transfer-encoding`",
)


@dataclasses.dataclass(frozen=True)
class Advisory:
    name: str
    of: str
    # What could be done.
    says: str
    # The names of cases and probes.
    requests: tuple


ADVISORIES = [
    Advisory(
        "CVE-2019-9900",
        "Envoy",
        "NUL in a header's value: rules saw less of it than the API",
        ("NUL in a header's value", "HTTP/2: NUL in a header's value"),
    ),
    Advisory(
        "CVE-2019-9901",
        "Envoy",
        "a path that is not normalized matched another route",
        ("`/api/../pages/x`", "`/./pages/x`", "`/api/%2e%2e/pages/x`"),
    ),
    Advisory(
        "CVE-2019-18802",
        "Envoy",
        "spaces after a value were part of it for rules, and not for the API",
        ("spaces after the token",),
    ),
    Advisory(
        "CVE-2020-25017",
        "Envoy",
        "of a repeated header, rules saw the first only",
        ("repeated", "`Authorization` twice"),
    ),
    Advisory(
        "CVE-2021-29492",
        "Envoy",
        "an encoded slash was none for routes, and one for the API",
        ("`/pages%2fx`", "`/api/..%2fpages/x`", "`/api/..%5cpages/x`"),
    ),
    Advisory(
        "CVE-2021-32777",
        "Envoy, `ext_authz`",
        "of a repeated header, the server was shown the last only",
        ("`Authorization` twice", "`x-api-key` twice", "repeated"),
    ),
    Advisory(
        "CVE-2021-32779",
        "Envoy",
        "a fragment was part of the path for rules",
        ("`/api/x#/../pages`",),
    ),
    Advisory(
        "CVE-2023-27487",
        "Envoy",
        "a client's own `x-envoy-original-path` was believed",
        (CONTROLS, _FORWARDED[1]),
    ),
    Advisory(
        "CVE-2023-27488",
        "Envoy, `ext_authz`",
        "a header that is no UTF-8 made the call fail, which may let it pass",
        _NOT_TEXT,
    ),
    Advisory(
        "CVE-2023-27491",
        "Envoy",
        "what HTTP/2 forbids in headers was sent on over HTTP/1.1",
        _INJECTIONS,
    ),
    Advisory(
        "CVE-2024-23326",
        "Envoy",
        "an upgrade counted as granted by a 200",
        _BEHIND_UPGRADES,
    ),
    Advisory(
        "CVE-2024-45806",
        "Envoy",
        "`x-envoy-*` of clients with a private address was believed",
        (CONTROLS,),
    ),
    Advisory(
        "CVE-2025-64763",
        "Envoy",
        "what came behind `CONNECT` was sent on before it was granted",
        _CONNECTS[:4],
    ),
    Advisory(
        "CVE-2026-26308",
        "Envoy, RBAC",
        "several values of one header escaped a rule",
        ("repeated", "two tokens joined by a comma"),
    ),
    Advisory(
        "CVE-2026-73547",
        "Envoy, `ext_authz`",
        "a request without a path ended the process",
        (*_CONNECTS[:1], "HTTP/2: no path"),
    ),
    Advisory(
        "CVE-2026-73548",
        "Envoy",
        "what came behind an upgrade not yet granted was another request",
        _BEHIND_UPGRADES,
    ),
    Advisory(
        "CVE-2026-73511, CVE-2026-73551, CVE-2026-73553",
        "Envoy",
        "parameters in a path, and `..;` above all, hid which one it was",
        _PARAMETERS,
    ),
    Advisory(
        "CVE-2026-73552",
        "Envoy, RBAC",
        "bytes that are no text escaped a rule",
        _NOT_TEXT,
    ),
    Advisory(
        "CVE-2019-20372",
        "NGINX",
        "with `error_page`, the body of a refused request was another request",
        ("a request in the body of a refused one",),
    ),
    Advisory(
        "CVE-2024-45410",
        "Traefik",
        "`Connection` took away headers that Traefik had set",
        ("`Connection` names `x-wemasy-token`",),
    ),
    Advisory(
        "GHSA-92mv-8f8w-wq52",
        "Traefik",
        "the same, with names in lower case",
        (
            "`connection` names `x-wemasy-token` in lower case",
            "`Connection` names `authorization`",
        ),
    ),
    Advisory(
        "CVE-2025-32431, GHSA-vrch-868g-9jx5",
        "Traefik",
        "`/../`, also encoded, chose another router than the API's path",
        ("`/api/../pages/x`", "`/api/%2e%2e/pages/x`"),
    ),
    Advisory(
        "CVE-2025-66490",
        "Traefik",
        "characters that are reserved in paths, encoded, did so",
        (
            "`/pages%2fx`",
            "`/api/..%5cpages/x`",
            "`/api/x%00`",
            "`/pages%3fx`",
            "`/pages%23/x`",
        ),
    ),
    Advisory(
        "CVE-2026-33433",
        "Traefik",
        "an identity in another case stood beside the one that was set",
        ("in odd case", "all of `x-wemasy-*`"),
    ),
    Advisory(
        "CVE-2026-35051",
        "Traefik, ForwardAuth",
        "a client's `X-Forwarded-Prefix` reached the server that decides",
        _FORWARDED[1:],
    ),
    Advisory(
        "CVE-2026-39858",
        "Traefik, ForwardAuth",
        "so did `X_Forwarded_Proto`, and its like",
        _FORWARDED[1:],
    ),
    Advisory(
        "CVE-2026-48020",
        "Traefik",
        "dots in a public route's path led to another route",
        ("`/healthz/../pages/x`", "`/api%2e/pages/x`"),
    ),
    Advisory(
        "CVE-2026-54763",
        "Traefik, ForwardAuth",
        "an identity with underscores got through",
        _UNDERSCORES,
    ),
    Advisory(
        "CVE-2026-71324",
        "Traefik",
        "the body of `CONNECT` was another request for the API",
        _CONNECTS[2:],
    ),
    Advisory(
        "CVE-2026-88004",
        "Traefik",
        "an identity in trailers got through",
        (
            "an identity in trailers",
            "an identity in trailers, with an underscore and dots",
            "HTTP/2: an identity in trailers",
        ),
    ),
    Advisory(
        "CVE-2026-88008",
        "Traefik",
        "after an upgrade to HTTP/2 nothing more was checked",
        ("upgrade to HTTP/2", "upgrade to another protocol"),
    ),
    Advisory(
        "CVE-2026-88011",
        "Traefik, ForwardAuth",
        "an identity with dots got through",
        _DOTS,
    ),
    Advisory(
        "GHSA-7r4p-vjf4-gxv4",
        "Caddy, `forward_auth`",
        "what the server did not set, the client could",
        ("scopes, and the token has none", "empty"),
    ),
    Advisory(
        "GHSA-f59h-q822-g45g",
        "Caddy, `forward_auth`",
        "an identity with underscores got through",
        _UNDERSCORES,
    ),
    Advisory(
        "CVE-2026-27587",
        "Caddy",
        "a path in another case escaped its route",
        ("`/Pages/x`",),
    ),
    Advisory(
        "CVE-2025-64484",
        "OAuth2 Proxy",
        "headers with underscores got through",
        _UNDERSCORES,
    ),
    Advisory(
        "CVE-2026-40575",
        "OAuth2 Proxy",
        "the path was taken from `X-Forwarded-Uri`",
        _FORWARDED,
    ),
    Advisory(
        "CVE-2026-2833",
        "Pingora",
        "what came behind an upgrade not yet granted was another request",
        _BEHIND_UPGRADES,
    ),
]

# Why no request tests it.
UNTESTED = {
    "CVE-2023-27493 (Envoy)": "values from the request went into headers as "
    "they were. Ours come from `tokend`, which allows no such characters",
    "CVE-2024-23324 (Envoy, `ext_authz`)": "the PROXY protocol is not used. A "
    "call that fails lets nobody pass: `failure_mode_allow` is off",
    "CVE-2026-50572 (Envoy, `ext_authz`)": "about `ext_authz` over HTTP; ours "
    "is over gRPC",
    "CVE-2026-42533 (NGINX)": "memory is overwritten where `map` has regular "
    "expressions, as in our file. Keep the package up to date",
    "CVE-2026-27588 (Caddy)": "about lists of more than 100 hosts; ours has "
    "none",
}


def result(gateway: str, request: str) -> str:
    """What becomes of the request of that name, in a gateway of that name."""
    if request in _ENVOYS:
        return _ENVOYS[request] if gateway.startswith("envoy") else "–"
    if request in _PROBES:
        return _PROBES[request].result(gateway)
    return outcome_of(gateway, _CASES[request]).says
