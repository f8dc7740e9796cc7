"""The ladder: one lane an actor, time downwards, at most 72 ASCII columns, so that it can be pasted into a mail."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

from tools.traces.trace import Trace

from .rows import WIDTH, Row, footer, header, lanes, rows, wrap

MOST_LANES = 5
OTHERS = "others"
_FIRST, _FIRST_OF_MANY = 10, 6
_LAST = 58
_WIDEST = 24
_PREEMPT = "<== preempt"
_VIOLATES = "[*]"


def ladder(trace: Trace, every: bool = False) -> list[str]:
    """The lines of the drawing."""
    drawn = rows(trace, every)
    names, drawn, folded = _fold(lanes(trace, drawn), drawn)
    canvas = Canvas(names)
    lines = [*header(trace, drawn), "", *canvas.heading()]
    for row in drawn:
        lines += canvas.row(row)
    lines.append("")
    if folded:
        lines += [*wrap(f"Lane {OTHERS}: {', '.join(folded)}.", "    "), ""]
    return [*lines, *footer(trace)]


def _fold(names: list[str], drawn: list[Row]) -> tuple[list[str], list[Row], list[str]]:
    """At most MOST_LANES lanes: the busiest stay, and the one that violates; the rest share one."""
    if len(names) <= MOST_LANES:
        return names, drawn, []
    busy = Counter(name for row in drawn for name in (row.lane, row.target) if name)
    guilty = {row.lane for row in drawn if row.violates}
    ranked = sorted(names, key=lambda name: (name not in guilty, -busy[name], names.index(name)))
    kept = set(ranked[: MOST_LANES - 1])
    folded = [name for name in names if name not in kept]

    def moved(row: Row) -> Row:
        lane = row.lane if row.lane in kept else OTHERS
        target = row.target if row.target in kept or row.target is None else OTHERS
        label = row.label if row.lane in kept else f"{row.lane}: {row.label}"
        return replace(row, lane=lane, target=None if target == lane else target, label=label)

    return [name for name in names if name in kept] + [OTHERS], [moved(row) for row in drawn], folded


class Canvas:
    """Lanes at fixed columns, and how a row is drawn over them."""

    def __init__(self, names: list[str]) -> None:
        self.names = names
        first = _FIRST if len(names) < MOST_LANES else _FIRST_OF_MANY
        step = min(_WIDEST, (_LAST - first) // max(len(names) - 1, 1))
        self.at = {name: first + step * number for number, name in enumerate(names)}
        self.step = step

    def heading(self) -> list[str]:
        """The names over their lanes, in two lines where one is too narrow."""
        parts = {name: [name] for name in self.names}
        for name in self.names:
            if len(name) >= self.step and "_" in name:
                head, _, tail = name.rpartition("_")
                parts[name] = [head + "_", tail]
        height = max((len(part) for part in parts.values()), default=0)
        lines = []
        for level in range(height):
            line = ""
            for name in self.names:
                part = parts[name][level][: self.step - 1] if level < len(parts[name]) else ""
                start = max(self.at[name] - len(part) // 2, len(line) + 1)
                line = line.ljust(start) + part
            lines.append(line.rstrip())
        return [*lines, self._blank()] if self.names else []

    def row(self, row: Row) -> list[str]:
        """The lines of one row: usually one, more where a label needs room."""
        target = row.target
        number = str(row.step) if row.first else ""
        lines = self._local(row) if target is None else self._arrow(row, self.at[row.lane], self.at[target])
        lines[0] = number.rjust(3) + lines[0][3:] if len(number) <= 3 else number + lines[0][len(number) :]
        if row.preempts:
            first, *more = lines
            lines = [*self._marked(first, _PREEMPT)[::-1], *more]
        if row.violates:
            lines = [*lines[:-1], *self._marked(lines[-1], _VIOLATES)]
        return lines

    def _blank(self) -> str:
        columns = self.at.values()
        return "".join("|" if column in columns else " " for column in range(max(columns) + 1))

    def _over(self, text: str, start: int) -> str:
        """The lanes with `text` written over them."""
        line = self._blank().ljust(WIDTH)
        return (line[:start] + text + line[start + len(text) :]).rstrip()

    def _local(self, row: Row) -> list[str]:
        """`* label` right of the lane; left of it where only there is room; else wrapped on the roomier side."""
        at = self.at[row.lane]
        mark = len(_VIOLATES) + 1 if row.violates else len(_PREEMPT) + 1 if row.preempts else 0
        right, left = WIDTH - at - 2 - mark, at - 6
        if len(row.label) <= right:
            return [self._over(f"* {row.label}", at)]
        if len(row.label) <= left:
            return [self._over(f"{row.label} *", at - 1 - len(row.label))]
        if right >= left:
            pieces = wrap(row.label, "", right)
            return [self._over(f"{'*' if not n else '|'} {piece}", at) for n, piece in enumerate(pieces)]
        pieces = wrap(row.label, "", left)
        return [self._over(f"{piece} {'*' if not n else '|'}", at - 1 - len(piece)) for n, piece in enumerate(pieces)]

    def _arrow(self, row: Row, source: int, target: int) -> list[str]:
        low, high = min(source, target), max(source, target)
        room = high - low - 2
        inside = len(row.label) <= room
        body = (row.label if inside else "").center(room, "-")
        arrow = self._over(f"{body}>" if source < target else f"<{body}", low + 1)
        if inside:
            return [arrow]
        # A label longer than its arrow stands above it, where the eye begins.
        pieces = wrap(row.label, "", WIDTH - _FIRST - 2)
        return [*[self._over(piece, min(low + 2, WIDTH - len(piece))) for piece in pieces], arrow]

    def _marked(self, line: str, mark: str) -> list[str]:
        """`mark` at the right edge of a line; if there is no room, a second line that has the lanes and the mark."""
        if len(line) + 1 + len(mark) <= WIDTH:
            return [line.ljust(WIDTH - len(mark)) + mark]
        return [line, self._blank().ljust(WIDTH - len(mark)) + mark]
