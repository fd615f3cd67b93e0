"""The tables of docs/gateways.md, from what the tests expect.

Run as `python -m gateways.tables` in tests/e2e, it writes them there.
"""

import pathlib
import re

from .cases import TABLE
from .deviations import DEVIATIONS
from .streams import KINDS, ends_by_age

DOCUMENT = pathlib.Path(__file__).resolve().parents[3] / "docs" / "gateways.md"
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


BLOCKS = {"outcomes": outcomes, "deviations": deviations, "streams": streams}


def with_tables(text: str) -> str:
    """The document's text with its tables as they should be."""
    for name, render in BLOCKS.items():
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
    DOCUMENT.write_text(
        with_tables(DOCUMENT.read_text(encoding="utf-8")), encoding="utf-8"
    )
