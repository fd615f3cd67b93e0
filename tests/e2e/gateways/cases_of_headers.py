"""Cases: the credential, what is thought of it, who a client claims to be."""

from . import outcomes as out
from .case import EVIL, LIES, NARROW, VALID, Case, bearer

# A well-formed one that was never issued.
FORGED = "wmsy_kwoEaQxqGV4S3oUccpFeOf5Vafi37041P62J"

CREDENTIALS = [
    Case("no token", out.NO_TOKEN),
    Case("`OPTIONS` without a token", out.NO_TOKEN, method="OPTIONS"),
    Case(
        "another scheme",
        out.NO_TOKEN,
        (("Authorization", "Basic dXNlcjpwYXNz"),),
    ),
    Case("a token in the query", out.NO_TOKEN, target="/api/x?token={valid}"),
    Case("a valid token", out.PASSES, (VALID,)),
    Case("`HEAD` with a valid token", out.PASSES, (VALID,), method="HEAD"),
    Case(
        "scheme in lower case",
        out.PASSES,
        (("authorization", "bearer {valid}"),),
    ),
    Case(
        "scheme in upper case",
        out.PASSES,
        (("AUTHORIZATION", "BEARER {valid}"),),
    ),
    Case(
        "two spaces after the scheme",
        out.PASSES,
        (("Authorization", "Bearer  {valid}"),),
    ),
    Case("`x-api-key` alone", out.PASSES, (("X-Api-Key", "{valid}"),)),
    Case(
        "`x-api-key`, and `Authorization` of another scheme",
        out.PASSES,
        (("x-api-key", "{valid}"), ("Authorization", "Basic dXNlcjpwYXNz")),
    ),
    Case(
        "`Authorization` twice", out.TWO_TOKENS, bearer("{valid}", "{narrow}")
    ),
    Case("the same token twice", out.TWO_TOKENS, bearer("{valid}", "{valid}")),
    Case(
        "two tokens joined by a comma",
        out.TWO_TOKENS,
        bearer("{valid},Bearer {narrow}"),
    ),
    Case(
        "a valid token after another scheme",
        out.TWO_TOKENS,
        (("Authorization", "Basic dXNlcjpwYXNz, Bearer {valid}"),),
    ),
    Case(
        "`Authorization` and `x-api-key`",
        out.TWO_TOKENS,
        (VALID, ("x-api-key", "{valid}")),
    ),
    Case(
        "`x-api-key` twice",
        out.TWO_TOKENS,
        (("x-api-key", "{valid}"), ("X-Api-Key", "{valid}")),
    ),
    Case(
        "the scheme without a token",
        out.TWO_TOKENS,
        (("Authorization", "Bearer"),),
    ),
]

VERDICTS = [
    Case("not a token", out.INVALID, bearer("not-a-token")),
    Case("a token with a prefix", out.INVALID, bearer("secret-token:{valid}")),
    Case(
        "bytes that are no text",
        out.INVALID,
        (("Authorization", b"Bearer wmsy_\xff\xfe\x80"),),
    ),
    Case("an unknown token", out.INVALID, bearer(FORGED)),
    Case("a revoked token", out.INVALID, bearer("{revoked}")),
    Case("an expired token", out.INVALID, bearer("{expired}")),
    Case("a token of the route's project", out.PASSES, (VALID,), "/demo/x"),
    Case(
        "a token of another project",
        out.OTHER_PROJECT,
        bearer("{other}"),
        "/demo/x",
    ),
    Case("a token with the route's scopes", out.PASSES, (VALID,), "/pages/x"),
    Case("a scope is missing", out.MISSING_SCOPE, (NARROW,), "/pages/x"),
    Case(
        "a token with 4 kB of scopes",
        out.PASSES,
        bearer("{scoped}"),
        token="scoped",
    ),
    Case("a token without scopes", out.PASSES, bearer("{bare}"), token="bare"),
    Case(
        "a revoked token without the scopes",
        out.INVALID,
        bearer("{revoked}"),
        "/pages/x",
    ),
]

SPOOFED = [
    Case("all of `x-wemasy-*`", out.PASSES, (VALID, *LIES)),
    Case(
        "in odd case",
        out.PASSES,
        (VALID, *((name.title().swapcase(), value) for name, value in LIES)),
    ),
    Case("repeated", out.PASSES, (*LIES, VALID, *LIES)),
    Case(
        "with an underscore",
        out.PASSES,
        (VALID, *((n.replace("-", "_"), v) for n, v in LIES)),
    ),
    Case(
        "half an underscore",
        out.PASSES,
        (VALID, ("X-Wemasy_Project", EVIL), ("x_wemasy-Token", EVIL)),
    ),
    Case(
        "with dots",
        out.PASSES,
        (VALID, *((n.replace("-", "."), v) for n, v in LIES)),
    ),
    Case("unknown `x-wemasy-foo`", out.PASSES, (VALID, ("X-Wemasy-Foo", "1"))),
    Case("empty", out.PASSES, (VALID, *((name, "") for name, _ in LIES))),
    Case(
        "scopes, and the token has none",
        out.PASSES,
        (*bearer("{bare}"), *LIES),
        token="bare",
    ),
    Case(
        "with a space before the colon",
        out.BAD_REQUEST,
        (VALID, ("x-wemasy-project ", EVIL)),
    ),
    Case("without a token", out.NO_TOKEN, LIES),
    Case("on a route without a token", out.NAMELESS, LIES, "/healthz"),
    Case(
        "with an underscore, on a route without a token",
        out.NAMELESS,
        tuple((name.replace("-", "_"), value) for name, value in LIES),
        "/healthz",
    ),
    Case(
        "with dots, on a route without a token",
        out.NAMELESS,
        tuple((name.replace("-", "."), value) for name, value in LIES),
        "/healthz",
    ),
    Case(
        "and tokens, on a route without a token",
        out.NAMELESS,
        (VALID, ("x-api-key", "{valid}"), *LIES),
        "/healthz",
    ),
    Case(
        "unknown, on a route without a token",
        out.NAMELESS,
        (("X-Wemasy-Foo", "1"),),
        "/healthz",
    ),
    Case(
        "`Connection` names `x-wemasy-token`",
        out.PASSES,
        (VALID, ("Connection", "keep-alive, X-Wemasy-Token, X-Wemasy-Scopes")),
    ),
    Case(
        "`connection` names `x-wemasy-token` in lower case",
        out.PASSES,
        (VALID, ("connection", "x-wemasy-token,x-wemasy-project,keep-alive")),
    ),
    Case(
        "`Connection` names `authorization`",
        out.NO_TOKEN,
        (VALID, ("Connection", "Authorization")),
    ),
    Case(
        "`X-Forwarded-Uri` and its like",
        out.MISSING_SCOPE,
        (
            NARROW,
            ("X-Forwarded-Uri", "/api/x"),
            ("X-Original-Uri", "/api/x"),
            ("X-Forwarded-Method", "OPTIONS"),
        ),
        "/pages/x",
    ),
    Case(
        "`X_Forwarded_Uri`, `X-Forwarded-Prefix` and their like",
        out.MISSING_SCOPE,
        (
            NARROW,
            ("X_Forwarded_Uri", "/api/x"),
            ("X.Forwarded.Uri", "/api/x"),
            ("X-Forwarded-Prefix", "/api"),
            ("X-Forwarded-Path", "/api/x"),
            ("X-Original-Url", "/api/x"),
            ("X-Rewrite-Url", "/api/x"),
            ("X-Http-Method-Override", "OPTIONS"),
            ("X-Envoy-Original-Path", "/api/x"),
            ("X-Envoy-Auth-Headers-To-Remove", "x-wemasy-token"),
            ("Early-Data", "1"),
        ),
        "/pages/x",
    ),
    Case(
        "spaces after the token",
        out.PASSES,
        (("Authorization", "Bearer {valid} \t "), *LIES),
    ),
]
