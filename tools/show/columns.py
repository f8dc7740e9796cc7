"""CPU0 | CPU1 | HW columns, as kernel reviewers draw a race by hand in a commit message.

What said that it is hardware has no CPU, and neither has the target of an arrow which does nothing itself. Only one
column has something on a line, so a text may run on to the right; the last column gets most of the room.
"""

from __future__ import annotations

from itertools import accumulate

from tools.traces.trace import Trace

from .rows import WIDTH, Row, footer, header, lane, lanes, rows, wrap

_MOST_CPUS = 3
_NUMBER = 5
_GAP = 2
_LAST = 23
"""The last column is at least so wide."""


def columns(trace: Trace, every: bool = False) -> list[str]:
    """The lines of the drawing; time runs downwards, each software actor has a CPU of its own."""
    drawn = rows(trace, every)
    names = lanes(trace, drawn)
    on_cpus = {lane(trace, number) for number in range(len(trace.actors))}
    on_cpus -= {lane(trace, number) for number in trace.hardware}
    software = [name for name in names if name in on_cpus]
    hardware = [name for name in names if name not in on_cpus]
    groups = [[name] for name in software[:_MOST_CPUS]]
    if len(software) > _MOST_CPUS:
        groups[-1] += software[_MOST_CPUS:]
    titles = [f"CPU{number}" for number in range(len(groups))]
    if hardware:
        groups.append(hardware)
        titles.append("HW")
    widths = _widths(len(groups))
    starts = list(accumulate(widths, initial=_NUMBER))
    heads = [
        [title, *wrap(", ".join(group), "", width - _GAP)]
        for title, group, width in zip(titles, groups, widths, strict=True)
    ]
    height = max((len(head) for head in heads), default=0)
    for head, width in zip(heads, widths, strict=True):
        head += [*[""] * (height - len(head)), "-" * (width - _GAP)]
    beside = zip(*heads, strict=True)
    table = ["".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip() for line in beside]
    lines = [*header(trace, drawn), "", *[(" " * _NUMBER + line).rstrip() for line in table]]
    for row in drawn:
        lines += _row(row, groups, starts)
    return [*lines, "", *footer(trace)]


def _widths(count: int) -> list[int]:
    """The width of each column, with the gap behind it."""
    whole = WIDTH - _NUMBER + _GAP
    if count < 2:
        return [whole] * count
    last = max(_LAST + _GAP, whole // count)
    return [(whole - last) // (count - 1)] * (count - 1) + [last]


def _row(row: Row, groups: list[list[str]], starts: list[int]) -> list[str]:
    place = next(number for number, group in enumerate(groups) if row.lane in group)
    text = row.label if row.target is None else f"{row.label} -> {row.target}"
    if len(groups[place]) > 1:
        text = f"{row.lane}: {text}"
    if row.violates:
        text += " [*]"
    lines = [f"{'':{starts[place]}}{piece}" for piece in wrap(text, "  ", WIDTH - starts[place])]
    number = str(row.step) if row.first else ""
    return [number.rjust(3) + lines[0][3:], *lines[1:]]
