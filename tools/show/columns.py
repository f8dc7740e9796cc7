"""CPU0 | CPU1 | HW columns, as kernel reviewers draw a race by hand in a commit message."""

from __future__ import annotations

from tools.trace import Trace

from .rows import WIDTH, Row, footer, header, lanes, rows, wrap

HARDWARE = ("device", "smmu", "vtd")
_MOST_CPUS = 3
_NUMBER = 5
_GAP = 2


def columns(trace: Trace, every: bool = False) -> list[str]:
    """The lines of the drawing; time runs downwards, each software actor has a CPU of its own."""
    drawn = rows(trace, every)
    names = lanes(trace, drawn)
    software = [name for name in names if name not in HARDWARE]
    hardware = [name for name in names if name in HARDWARE]
    groups = [[name] for name in software[:_MOST_CPUS]]
    if len(software) > _MOST_CPUS:
        groups[-1] += software[_MOST_CPUS:]
    titles = [f"CPU{number}" for number in range(len(groups))]
    if hardware:
        groups.append(hardware)
        titles.append("HW")
    width = (WIDTH - _NUMBER + _GAP) // max(len(groups), 1) - _GAP
    lines = [*header(trace, drawn), ""]
    lines += _beside([[title] for title in titles], width)
    lines += _beside([wrap(", ".join(group), "", width) for group in groups], width)
    lines += _beside([["-" * width] for _ in groups], width)
    for row in drawn:
        lines += _row(row, groups, width)
    return [*lines, "", *footer(trace)]


def _row(row: Row, groups: list[list[str]], width: int) -> list[str]:
    cells: list[list[str]] = [[] for _ in groups]
    place = next(number for number, group in enumerate(groups) if row.lane in group)
    text = row.label if row.target is None else f"{row.label} -> {row.target}"
    if len(groups[place]) > 1:
        text = f"{row.lane}: {text}"
    if row.violates:
        text += " [*]"
    cells[place] = wrap(text, "  ", width)
    number = str(row.step) if row.first else ""
    lines = _beside(cells, width)
    lines[0] = number.rjust(3) + lines[0][3:]
    return lines


def _beside(cells: list[list[str]], width: int) -> list[str]:
    """Cells of text next to each other."""
    lines = []
    for level in range(max((len(cell) for cell in cells), default=0)):
        parts = [(cell[level] if level < len(cell) else "").ljust(width) for cell in cells]
        lines.append((" " * _NUMBER + (" " * _GAP).join(parts)).rstrip())
    return lines
