"""Two runs side by side: what both did, what only one did, and where they part, as `diff -y` draws two texts."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from itertools import groupby, zip_longest

from tools.traces.trace import Trace

from .rows import WIDTH, lane, plain, wrap

CONTEXT = 3
"""Rows that both have, shown before and after a difference."""
FEW_STEPS = 30
"""Runs of up to so many steps are best shown whole."""
MOST_ALONE = 8
"""Rows that only one has, shown of a longer stretch."""
_NUMBER = 4
_CELL = (WIDTH - 3) // 2
TITLE = _CELL - _NUMBER
"""The longest title of a column."""


@dataclass(frozen=True, slots=True)
class _Side:
    """A step of one run: `key` finds the same step in the other, `text` is what it did there."""

    key: tuple[str, str, int]
    step: int
    text: str


@dataclass(frozen=True, slots=True)
class _Pair:
    """A line of the drawing, before it is wrapped."""

    left: _Side | None
    right: _Side | None

    @property
    def mark(self) -> str:
        """As in `diff -y`: `<` and `>` where one is alone, `|` where the same step did something else."""
        if self.left is None:
            return ">"
        if self.right is None:
            return "<"
        return " " if self.left.text == self.right.text else "|"

    @property
    def at(self) -> int:
        """The later of the two step numbers."""
        return max(side.step for side in (self.left, self.right) if side is not None)


def beside(
    left: Trace, right: Trace, titles: tuple[str, str], *, every: bool = False, until: int | None = None
) -> list[str]:
    """The lines of the drawing: the steps with events and the first that differs, or `every` one and nothing left out.

    Steps of `right` after number `until` that `left` has not are counted only.
    """
    place = first_difference(left, right)
    pairs = _pairs(_sides(left, every, place), _sides(right, every, place))
    cut = len(pairs) if place is None else _cut(pairs, place)
    tail = 0
    while until is not None and len(pairs) > cut and pairs[-1].left is None and pairs[-1].at > until:
        pairs.pop()
        tail += 1
    rule = "-" * TITLE
    lines = [_line(f"{'':{_NUMBER}}{one}", " ", f"{'':{_NUMBER}}{other}") for one, other in (titles, (rule, rule))]
    lines += _stretch(pairs[:cut], *((len(pairs), 0) if every else (0, CONTEXT)))
    if place is None:
        return [*lines, "", "No step differs."]
    lines.append(f"-- first difference: step {place} ".ljust(WIDTH, "-"))
    rest = [(mark, list(stretch)) for mark, stretch in groupby(pairs[cut:], key=lambda pair: pair.mark)]
    for number, (mark, stretch) in enumerate(rest):
        head, foot = (CONTEXT, CONTEXT) if mark == " " else (MOST_ALONE - 2, 2)
        if every:
            head = len(stretch)
        lines += _stretch(stretch, head, 0 if mark == " " and number == len(rest) - 1 else foot)
    return [*lines, _line("", ">", f"{'':{_NUMBER}}... and {tail} more")] if tail else lines


def first_difference(left: Trace, right: Trace) -> int | None:
    """The number of the first step that differs in actor, deed, outcome or events; None if there is none."""
    for number, (one, other) in enumerate(zip_longest(_deeds(left), _deeds(right))):
        if one != other:
            return number
    return None


def _cut(pairs: Sequence[_Pair], place: int) -> int:
    """Which pair is the first that differs, or that comes after the step where the runs part."""
    return next((n for n, pair in enumerate(pairs) if pair.mark != " " or pair.at >= place), len(pairs))


def _stretch(pairs: Sequence[_Pair], head: int, foot: int) -> list[str]:
    """The lines of pairs of one kind: so many at the beginning and at the end, the number of what is between."""
    left_out = len(pairs) - head - foot
    if left_out <= 1:
        return [line for pair in pairs for line in _cells(pair)]
    mark = pairs[0].mark
    more = f"{'':{_NUMBER}}... {left_out} {'the same' if mark == ' ' else 'more'}"
    between = _line("" if mark == ">" else more, mark, "" if mark == "<" else more)
    first, last = pairs[:head], pairs[head + left_out :]
    return [*[line for pair in first for line in _cells(pair)], between, *[x for pair in last for x in _cells(pair)]]


def _cells(pair: _Pair) -> list[str]:
    """The lines of one pair."""
    rows = zip_longest(_cell(pair.left), _cell(pair.right), fillvalue="")
    return [_line(one, pair.mark if not level else " ", other) for level, (one, other) in enumerate(rows)]


def _cell(side: _Side | None) -> list[str]:
    if side is None:
        return []
    first, *more = wrap(side.text, "  ", _CELL - _NUMBER)
    return [f"{side.step:>{_NUMBER - 1}} {first}", *[f"{'':{_NUMBER}}{text}" for text in more]]


def _line(left: str, mark: str, right: str) -> str:
    return f"{left:{_CELL}} {mark} {right}".rstrip()


def _pairs(left: list[_Side], right: list[_Side]) -> list[_Pair]:
    """Each step beside the same step of the other run, as far as their order allows."""
    matcher = SequenceMatcher(None, [side.key for side in left], [side.key for side in right], autojunk=False)
    pairs: list[_Pair] = []
    for kind, one, one_end, other, other_end in matcher.get_opcodes():
        if kind == "equal":
            pairs += [_Pair(a, b) for a, b in zip(left[one:one_end], right[other:other_end], strict=True)]
        else:
            pairs += [_Pair(side, None) for side in left[one:one_end]]
            pairs += [_Pair(None, side) for side in right[other:other_end]]
    return pairs


def _sides(trace: Trace, every: bool, place: int | None) -> list[_Side]:
    texts: dict[int, list[str]] = {}
    for event in trace.events:
        arrow = f" -> {plain(event.target)}" if event.target else ""
        texts.setdefault(event.step, []).append(plain(event.label) + arrow)
    bad = trace.finding.step if trace.finding else -1
    counts: dict[tuple[int, str], int] = {}
    sides = []
    for number, step in enumerate(trace.steps):
        count = counts[step.actor, step.what] = counts.get((step.actor, step.what), 0) + 1
        if not (every or number in texts or number in (bad, place)):
            continue
        what = "; ".join(texts.get(number, []))
        if every or not what:
            what = f"{_deed(trace, number)} [{what}]" if what else _deed(trace, number)
        name = plain(trace.actors[step.actor])
        end = " [*]" if number == bad else ""
        sides.append(_Side((name, step.what, count), number, f"{lane(trace, step.actor)}: {what}{end}"))
    return sides


def _deed(trace: Trace, number: int) -> str:
    step = trace.steps[number]
    return plain(step.what) + (f" = {step.outcome} of {step.options}" if step.options > 1 else "")


def _deeds(trace: Trace) -> list[tuple[str, str, Collection[str]]]:
    """For each step who did what, and what happened."""
    labels: dict[int, list[str]] = {}
    for event in trace.events:
        labels.setdefault(event.step, []).append(event.label)
    return [
        (trace.actors[step.actor], _deed(trace, number), tuple(labels.get(number, ())))
        for number, step in enumerate(trace.steps)
    ]
