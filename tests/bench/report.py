"""The figures as a Markdown table and as JSON, with what was promised."""

import dataclasses
import json
import pathlib


@dataclasses.dataclass(frozen=True)
class Bound:
    limit: float
    is_least: bool = False

    def holds(self, value: float) -> bool:
        return value >= self.limit if self.is_least else value <= self.limit

    def __str__(self):
        return f"{'≥' if self.is_least else '≤'} {self.limit:g}"


def at_most(limit: float) -> Bound:
    return Bound(limit)


def at_least(limit: float) -> Bound:
    return Bound(limit, is_least=True)


BOUNDS = {
    "validate_throughput_vs_empty": at_least(0.97),
    "validate_cpu_vs_empty": at_most(1.03),
    "validate_mtls_throughput_vs_empty": at_least(0.97),
    "validate_mtls_cpu_vs_empty": at_most(1.03),
    "empty_cpu_vs_naive": at_most(0.95),
    "validator_ns": at_most(500),
    "validator_ns_10m": at_most(1000),
    "usage_mark_ns": at_most(20),
    "cached_validate_ns": at_most(300),
    "p99_vs_empty_half_load": at_most(1.1),
    "idle_first_call_max_us": at_most(1000),
    "p99_with_revokes_vs_without": at_most(1.5),
    "index_bytes_per_token": at_most(150),
    "load_10m_seconds": at_most(20),
    "validate_throughput_10m_vs_10k": at_least(0.95),
    "revoke_extra_p50_ms": at_most(10),
    "revoke_extra_p99_ms": at_most(50),
    "watched_revoke_extra_p50_ms": at_most(10),
    "watched_revoke_extra_p99_ms": at_most(50),
    "list_100k_vs_10": at_most(1.5),
}


@dataclasses.dataclass(frozen=True)
class Row:
    """A figure, with the extremes of its rounds if they are known."""

    name: str
    value: float
    least: float | None
    most: float | None

    @property
    def bound(self) -> Bound | None:
        return BOUNDS.get(self.name)

    @property
    def holds(self) -> bool:
        return self.bound is None or self.bound.holds(self.value)


def rows(figures: dict) -> list[Row]:
    """Folds NAME_min and NAME_max into NAME."""
    folded = {
        f"{name}_{end}"
        for name in figures
        for end in ("min", "max")
        if f"{name}_{end}" in figures
    }
    return [
        Row(name, value, figures.get(f"{name}_min"), figures.get(f"{name}_max"))
        for name, value in figures.items()
        if name not in folded
    ]


def markdown(figures: dict) -> str:
    def number(value) -> str:
        return "" if value is None else f"{value:,.3f}"

    head = ("figure", "value", "min", "max", "bound", "held")
    table = [head]
    for row in rows(figures):
        verdict = "" if row.bound is None else "yes" if row.holds else "NO"
        table.append(
            (
                row.name,
                number(row.value),
                number(row.least),
                number(row.most),
                str(row.bound or ""),
                verdict,
            )
        )
    widths = [max(map(len, column)) for column in zip(*table)]
    lines = []
    for cells in table:
        # Names to the left, numbers to the right.
        padded = [cells[0].ljust(widths[0])]
        padded += [c.rjust(w) for c, w in zip(cells[1:], widths[1:])]
        lines.append("| " + " | ".join(padded) + " |")
    rule = ["-" * (widths[0] + 2)] + ["-" * (w + 1) + ":" for w in widths[1:]]
    lines.insert(1, "|" + "|".join(rule) + "|")
    return "\n".join(lines)


def write_json(figures: dict, file: str):
    pathlib.Path(file).write_text(
        json.dumps(figures, indent=2) + "\n", encoding="utf-8"
    )
