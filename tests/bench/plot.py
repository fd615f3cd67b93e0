"""The ratios as bars, in an SVG.

Its colours can be read on white and on black, and it has no background, since
whoever shows it may have either.
"""

import pathlib
from xml.sax.saxutils import escape

from report import Row, rows

TEXT = "#6e7781"
GRID = "#8c959f"
BAR = "#3b82d0"
BROKEN = "#d1453b"
BOUND = "#bf8700"

ROW = 22
TOP = 46
LABELS = 350
WIDTH = 560
VALUES = 150
# What is longer ends here, and its value tells.
LONGEST = 2.0


def write_svg(figures: dict, file: str):
    ratios = [row for row in rows(figures) if "_vs_" in row.name]
    height = TOP + ROW * len(ratios) + 12
    width = LABELS + WIDTH + VALUES
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}"'
        f' height="{height}" viewBox="0 0 {width} {height}" role="img"'
        ' font-family="sans-serif" font-size="12">',
        "<title>Ratios of one run of the benchmarks</title>",
        _text(
            LABELS,
            14,
            "Ratios within a round: median, least and most, cut at 2."
            " The tick is the bound.",
        ),
        *_grid(height),
    ]
    for index, row in enumerate(ratios):
        parts += _bar(row, TOP + ROW * index)
    parts.append("</svg>\n")
    pathlib.Path(file).write_text("\n".join(parts), encoding="utf-8")


def _x(ratio: float) -> float:
    return LABELS + WIDTH * min(max(ratio, 0), LONGEST) / LONGEST


def _text(x: float, y: float, text: str, anchor="start", colour=TEXT) -> str:
    return (
        f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}"'
        f' fill="{colour}">{escape(text)}</text>'
    )


def _line(x1, y1, x2, y2, colour: str, width=1.0) -> str:
    return (
        f'<line x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}"'
        f' stroke="{colour}" stroke-width="{width}"/>'
    )


def _grid(height: int) -> list[str]:
    parts = []
    for ratio in (0, 0.5, 1, 1.5, 2):
        x = _x(ratio)
        parts.append(_text(x, TOP - 10, f"{ratio:g}", "middle"))
        width = 1.5 if ratio == 1 else 0.5
        parts.append(_line(x, TOP - 5, x, height - 8, GRID, width))
    return parts


def _bar(row: Row, top: float) -> list[str]:
    middle = top + ROW / 2
    colour = BAR if row.holds else BROKEN
    parts = [
        _text(LABELS - 8, middle + 4, row.name, "end"),
        f'<rect x="{LABELS}" y="{top + 5:.1f}" height="{ROW - 10}"'
        f' width="{_x(row.value) - LABELS:.1f}" fill="{colour}"'
        ' fill-opacity="0.6"/>',
    ]
    if row.least is not None and row.most is not None:
        left, right = _x(row.least), _x(row.most)
        parts.append(_line(left, middle, right, middle, TEXT, 1.5))
        for end in (left, right):
            parts.append(_line(end, middle - 4, end, middle + 4, TEXT, 1.5))
    label = f"{row.value:.3f}"
    if row.bound:
        x = _x(row.bound.limit)
        parts.append(_line(x, top + 1, x, top + ROW - 1, BOUND, 2.5))
        label += f"  ({row.bound})"
    parts.append(_text(LABELS + WIDTH + 10, middle + 4, label, colour=colour))
    return parts
