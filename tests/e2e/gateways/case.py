"""A request, and what must become of it."""

import dataclasses
import hashlib

from . import outcomes as out

BODY = bytes(range(256)) * 400
DIGEST = hashlib.sha256(BODY).hexdigest()
VALID = ("Authorization", "Bearer {valid}")
NARROW = ("Authorization", "Bearer {narrow}")
# An identity that a client claims.
EVIL = "projects/evil"
LIES = (
    ("x-wemasy-project", EVIL),
    ("x-wemasy-token", f"{EVIL}/tokens/t0"),
    ("x-wemasy-scopes", "admin"),
)


@dataclasses.dataclass(frozen=True)
class Case:
    """`{valid}` in a header is the secret of the token of that name."""

    name: str
    outcome: out.Outcome
    headers: tuple = ()
    target: str = "/api/x"
    method: str = "GET"
    body: bytes = None
    chunked: bool = False
    trailers: tuple = ()
    http2: bool = False
    # Whose request the API is told it is.
    token: str = "valid"
    # What the API sees as the path.
    path: str = ""


def bearer(*values):
    return tuple(("Authorization", f"Bearer {value}") for value in values)
