"""The table: what a client sends, and what must become of it everywhere."""

from . import outcomes as out
from .case import VALID, Case
from .cases_of_headers import CREDENTIALS, SPOOFED, VERDICTS
from .cases_of_the_wire import HTTP2, PATHS, PROTOCOL

GROUPS = {
    "Credentials": CREDENTIALS,
    "Verdicts": VERDICTS,
    "Headers that claim an identity": SPOOFED,
    "Paths, with a token that `/api/` takes and `/pages/` does not": PATHS,
    "Protocol": PROTOCOL,
    "HTTP/2": HTTP2,
}

# These are not sent just so: see test_revocation.py and test_outages.py.
REVOKED_NOW = Case("a token revoked a moment ago", out.INVALID)
NO_SERVER = Case(
    "no server is there", out.TRY_AGAIN, (("x-api-key", "{valid}"),)
)
SILENT = Case("the servers do not answer", out.TRY_AGAIN, (VALID,))
NO_LEASE = Case("the servers have no lease", out.TRY_AGAIN, (VALID,))
UNKNOWN_KEY = Case(
    "the route demands what there is not",
    out.MISCONFIGURED,
    (VALID,),
    "/pages/x",
)
BAD_SCOPE = Case(
    "the route names a scope that cannot be one",
    out.MISCONFIGURED,
    (VALID,),
    "/pages/x",
)
TABLE = {
    **GROUPS,
    "Changes and outages": [
        REVOKED_NOW,
        NO_SERVER,
        SILENT,
        NO_LEASE,
        UNKNOWN_KEY,
        BAD_SCOPE,
    ],
}
