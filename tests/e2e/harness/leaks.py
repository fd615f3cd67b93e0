"""Finds secrets and their digests, in every encoding that might hide one."""

import base64
import hashlib

# Every needle has at least 31 bytes, so that wherever it lies in a text, it
# covers one whole block of the text. Looking at the blocks alone is enough.
_BLOCK = 16


def _base64_forms(content: bytes) -> list[bytes]:
    """What of `content` shows in base64 of a text that it is a part of."""
    forms = []
    for shift in range(3):
        padded = base64.b64encode(bytes(shift) + content)
        # The first characters mix with what is before, the last with what
        # comes after.
        form = padded[0 if shift == 0 else 4 :].rstrip(b"=")[:-1]
        forms.append(form)
        forms.append(form.translate(bytes.maketrans(b"+/", b"-_")))
    return forms


def encodings(content: bytes) -> dict[str, list[bytes]]:
    """The forms that are looked for, by the name of the encoding."""
    return {
        "raw": [content],
        "hex": [content.hex().encode(), content.hex().upper().encode()],
        "base64": _base64_forms(content),
    }


def digest(secret: str) -> bytes:
    return hashlib.sha256(secret.encode()).digest()


class Searcher:
    """Looks for some secrets, or for their digests."""

    def __init__(self, contents: list[bytes]):
        self._names: dict[bytes, str] = {}
        self._blocks: set[bytes] = set()
        for content in contents:
            for name, forms in encodings(content).items():
                for form in forms:
                    assert len(form) >= 2 * _BLOCK - 1
                    self._names[form] = name
                    for i in range(len(form) - _BLOCK + 1):
                        self._blocks.add(form[i : i + _BLOCK])
        self._longest = max(map(len, self._names), default=0)

    @classmethod
    def for_secrets(cls, secrets) -> "Searcher":
        return cls([secret.encode() for secret in secrets])

    @classmethod
    def for_digests(cls, secrets) -> "Searcher":
        return cls([digest(secret) for secret in secrets])

    def find(self, text: bytes) -> list[str]:
        """What was found: encoding and offset, never the secret itself."""
        found = []
        for start in range(0, len(text) - _BLOCK + 1, _BLOCK):
            if text[start : start + _BLOCK] not in self._blocks:
                continue
            around = text[max(0, start - self._longest) : start + self._longest]
            found.extend(
                f"{name} near byte {start}"
                for form, name in self._names.items()
                if form in around
            )
        return sorted(set(found))
