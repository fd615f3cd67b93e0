"""The tables of documents, from what the tests expect.

Run as `python -m gateways.tables` in tests/e2e, it writes them there.
"""

import pathlib
import re

from .advisories import ADVISORIES, UNTESTED, result
from .cases import TABLE
from .deviations import DEVIATIONS
from .streams import KINDS, ends_by_age

_DOCS = pathlib.Path(__file__).resolve().parents[3] / "docs"
DOCUMENT = _DOCS / "gateways.md"
ADVISORIES_DOCUMENT = _DOCS / "gateways-advisories.md"
NAMES = {
    "envoy": "Envoy",
    "nginx": "NGINX",
    "traefik": "Traefik",
    "caddy": "Caddy",
}


def _table(*rows) -> str:
    """The first row is the head."""
    lines = ["| " + " | ".join(row) + " |" for row in rows]
    lines.insert(1, "|" + "---|" * len(rows[0]))
    return "\n".join(lines) + "\n"


def _known_as(gateway: str) -> str:
    return NAMES[gateway.partition("-")[0]]


def outcomes() -> str:
    parts = []
    for group, members in TABLE.items():
        rows = [(case.name, case.outcome.says) for case in members]
        parts.append(f"**{group}**\n\n" + _table(("request", "outcome"), *rows))
    return "\n".join(parts)


def deviations() -> str:
    """Requests of one gateway with one outcome, for one reason, share a row."""
    rows = {}
    for (gateway, name), deviation in DEVIATIONS.items():
        key = _known_as(gateway), deviation.outcome.says, deviation.reason
        # Both of Envoy's versions may do it.
        if name not in rows.setdefault(key, []):
            rows[key].append(name)
    return _table(
        ("gateway", "request", "outcome", "for it"),
        *(
            (gateway, ", ".join(names), says, reason)
            for (gateway, says, reason), names in rows.items()
        ),
    )


def streams() -> str:
    return _table(
        ("", *NAMES.values()),
        *(
            (
                text,
                *(
                    "ends" if ends_by_age(gateway, kind) else "goes on"
                    for gateway in NAMES
                ),
            )
            for kind, text in KINDS.items()
        ),
    )


def _of_envoy(request: str) -> str:
    """Of both versions, if there is a difference."""
    old, new = (result(name, request) for name in ("envoy-old", "envoy-new"))
    return old if old == new else f"{old}; 1.40.0: {new}"


def advisories() -> str:
    """A row for each request, and the advisory in the first of its rows."""
    rows = []
    for advisory in ADVISORIES:
        what = (advisory.name, advisory.of, advisory.says)
        for request in advisory.requests:
            others = (result(name, request) for name in list(NAMES)[1:])
            rows.append((*what, request, _of_envoy(request), *others))
            what = ("", "", "")
    head = ("advisory", "of", "what could be done", "our request")
    return _table((*head, *NAMES.values()), *rows)


def untested() -> str:
    return _table(("advisory", "why no request tests it"), *UNTESTED.items())


DOCUMENTS = {
    DOCUMENT: {
        "outcomes": outcomes,
        "deviations": deviations,
        "streams": streams,
    },
    ADVISORIES_DOCUMENT: {"advisories": advisories, "untested": untested},
}


def with_tables(text: str, blocks: dict) -> str:
    """A document's text with its tables as they should be."""
    for name, render in blocks.items():
        begin, end = f"<!-- {name} -->\n", f"<!-- end of {name} -->\n"
        assert begin in text and end in text, f"no place for {name}"
        text = re.sub(
            f"(?<={begin}).*?(?={end})",
            lambda _, render=render: "\n" + render() + "\n",
            text,
            flags=re.S,
        )
    return text


if __name__ == "__main__":
    for document, blocks in DOCUMENTS.items():
        text = with_tables(document.read_text(encoding="utf-8"), blocks)
        document.write_text(text, encoding="utf-8")
