"""Tokens to measure with."""

import contextlib
import random
import re

from harness.token_text import forge


def create_token(server, credentials=None) -> tuple[str, str]:
    """The secret and the name of a new one."""
    with server.client(credentials) as client:
        created = client.create("bench", "bench", scopes=["pages:read"])
    return created.secret, created.token.name


def create_revoked_token(server) -> str:
    secret, name = create_token(server)
    with server.client() as client:
        client.revoke(name)
    return secret


def unissued_secrets(seed: int):
    """Well-formed secrets that no server gave out, without end."""
    source = random.Random(seed)
    while True:
        yield forge(source)


def mistyped(secret: str) -> str:
    """It, with a checksum that is wrong."""
    return secret[:-1] + ("B" if secret[-1] == "A" else "A")


def _verdicts(server) -> dict:
    rows = re.findall(
        r'^tokend_verdicts_total\{verdict="(\w+)"\} (\S+)$',
        server.metrics(),
        re.MULTILINE,
    )
    return {verdict: int(float(count)) for verdict, count in rows}


@contextlib.contextmanager
def expect_verdicts(server, wanted: dict):
    """Load generators take every answer for a good one. In the block the server
    must give so many of each verdict, by its own count."""
    before = _verdicts(server)
    yield
    given = {
        verdict: count - before[verdict]
        for verdict, count in _verdicts(server).items()
        if count != before[verdict]
    }
    if given != wanted:
        raise RuntimeError(f"verdicts: {given}, want {wanted}")
