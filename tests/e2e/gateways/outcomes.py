"""What can become of a request, and whether it has."""

import dataclasses
import re

REALM = 'Bearer realm="wemasy"'
IDENTITY = ("x-wemasy-project", "x-wemasy-token", "x-wemasy-scopes")
CREDENTIALS = ("authorization", "x-api-key")


@dataclasses.dataclass(frozen=True)
class Outcome:
    """`says` is what the document calls it."""

    says: str
    status: int
    # Nothing for a refusal that is the gateway's own.
    body: str = ""
    challenge: str = ""
    retry_after: str = ""
    reaches_api: bool = False
    # Which of IDENTITY the API sees. Of what is empty there is no header.
    identity: tuple = IDENTITY
    is_empty_sent: bool = False
    # Headers that look like ours and reach the API all the same.
    foreign: frozenset = frozenset()


def _refusal(says, status, error, text, **more) -> Outcome:
    challenge = REALM + (f', error="{error}"' if error else "")
    return Outcome(says, status, f'{{"error":"{text}"}}\n', challenge, **more)


_VALID = "a valid API token is required"
PASSES = Outcome("passes", 200, reaches_api=True)
NAMELESS = dataclasses.replace(
    PASSES, says="passes, without an identity", identity=()
)
UPGRADED = dataclasses.replace(PASSES, says="is upgraded", status=101)
NO_TOKEN = _refusal("401", 401, "", _VALID)
INVALID = _refusal("401 `invalid_token`", 401, "invalid_token", _VALID)
TWO_TOKENS = _refusal(
    "400 `invalid_request`",
    400,
    "invalid_request",
    "more than one credential",
)
OTHER_PROJECT = _refusal(
    "403 `insufficient_scope`",
    403,
    "insufficient_scope",
    "the API token may not do this",
)
MISSING_SCOPE = dataclasses.replace(
    OTHER_PROJECT,
    says="403 `insufficient_scope`, with the scopes",
    challenge=OTHER_PROJECT.challenge + ', scope="pages:read pages:write"',
)
TRY_AGAIN = Outcome(
    "503, try again",
    503,
    '{"error":"try again in a moment"}\n',
    retry_after="1",
)
MISCONFIGURED = Outcome(
    "500", 500, '{"error":"the gateway is misconfigured"}\n'
)
# By the gateway, which asks no server.
BAD_REQUEST = Outcome("400 of the gateway", 400)
NOT_FOUND = Outcome("404 of the gateway", 404)
TOO_LARGE = Outcome("431 of the gateway", 431)


def _looks_like_ours(name: str) -> bool:
    return bool(re.match("x[-_.]wemasy[-_.]", name, re.IGNORECASE))


def check_response(outcome: Outcome, response, method="GET"):
    shown = f"{response.start} {response.headers} {response.body}"
    assert response.status == outcome.status, shown
    challenges = [outcome.challenge] if outcome.challenge else []
    assert response.all("www-authenticate") == challenges, shown
    assert response.get("retry-after") == (outcome.retry_after or None), shown
    if outcome.body:
        if method != "HEAD":
            assert response.body.decode() == outcome.body, shown
        assert response.get("content-type") == "application/json", shown
        assert response.get("cache-control") == "no-store", shown
    # The API's answer has none of these, and nobody is told who it was.
    assert not [n for n, _ in response.headers if _looks_like_ours(n)], shown


def check_api(outcome: Outcome, seen: list, token):
    """Whether the API saw the request, as of the token's bearer."""
    if not outcome.reaches_api:
        assert not seen, seen
        return
    assert len(seen) == 1, seen
    request = seen[0]
    wanted = {
        "x-wemasy-project": token.project,
        "x-wemasy-token": token.name,
        "x-wemasy-scopes": token.scopes,
    }
    for name in IDENTITY:
        values = [wanted[name]] if name in outcome.identity else []
        if values == [""] and not outcome.is_empty_sent:
            values = []
        assert request.all(name) == values, (name, request.headers)
    for name in CREDENTIALS:
        assert request.all(name) == [], (name, request.headers)
    foreign = {
        name.lower()
        for name, _ in request.headers + request.trailers
        if _looks_like_ours(name) and name.lower() not in IDENTITY
    }
    assert foreign == outcome.foreign, request.headers
    trailers = {name.lower() for name, _ in request.trailers}
    assert not trailers & {*IDENTITY, *CREDENTIALS}, request.trailers
