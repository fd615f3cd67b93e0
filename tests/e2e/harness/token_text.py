"""The text of tokens, by docs/token-format.md."""

import random
import string
import zlib

DIGITS = string.digits + string.ascii_uppercase + string.ascii_lowercase


def with_checksum(body: str) -> str:
    rest, checksum = zlib.crc32(body.encode()), ""
    for _ in range(6):
        rest, digit = divmod(rest, len(DIGITS))
        checksum = DIGITS[digit] + checksum
    return body + checksum


def forge(source: random.Random) -> str:
    """A well-formed token that nobody issued."""
    return with_checksum("wmsy_" + "".join(source.choices(DIGITS, k=30)))
