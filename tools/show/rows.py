"""What every renderer draws: the steps of a trace as rows, who acts in them, and where the plain order was left."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable
from dataclasses import dataclass

from actors.runtime.primitives.events import Outcome
from tools.terminal.counting import counted
from tools.traces.trace import Trace, TraceEvent

from .waits import waits

WIDTH = 72
LAST = 40
"""Rows that are drawn of a run of which nothing is known but that it reached its step bound."""
_ASCII = {"→": "->", "←": "<-", "↔": "<->", "…": "...", "–": "-", "—": "--", "×": "x", "µ": "u", "≤": "<=", "≥": ">="}


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One line of a drawing: an event, or a step that has none (`target` is then None)."""

    step: int
    lane: str
    target: str | None
    label: str
    first: bool
    preempts: bool
    violates: bool


def rows(trace: Trace, every: bool) -> list[Row]:
    """The rows to draw: of the steps that have events, or of `every` one; a finding's own step is always there."""
    events: dict[int, list[TraceEvent]] = {}
    for event in trace.events:
        events.setdefault(event.step, []).append(event)
    wanted, every = every, every or not events
    bad = trace.finding.step if trace.finding else -1
    left = set(preemptions(trace))
    drawn: list[Row] = []
    preempted = False
    for number, step in enumerate(trace.steps):
        preempted = preempted or number in left
        here = events.get(number, [])
        if not here and not every and number != bad:
            continue
        marks = [(lane(trace, event.actor), _target(event), plain(event.label)) for event in here]
        marks = marks or [(lane(trace, step.actor), None, plain(step.what))]
        for place, (where, target, label) in enumerate(marks):
            drawn.append(
                Row(
                    step=number,
                    lane=where,
                    target=None if target == where else target,
                    label=label,
                    first=place == 0,
                    preempts=preempted and place == 0,
                    violates=number == bad and place == len(marks) - 1,
                )
            )
        preempted = False
    is_cut = trace.finding is not None and trace.finding.outcome == Outcome.BOUND
    return drawn[-LAST:] if is_cut and not wanted else drawn


def preemptions(trace: Trace) -> list[int]:
    """The steps before which the previous actor could have gone on."""
    steps = trace.steps
    return [
        number
        for number in range(1, len(steps))
        if steps[number].actor != steps[number - 1].actor and steps[number - 1].actor in steps[number].offered
    ]


def lane(trace: Trace, actor: int) -> str:
    """The lane of an actor: its name up to the first dot, so that the parts of one device share a lane."""
    return _lane_name(trace.actors[actor]) if actor < len(trace.actors) else "?"


def lanes(trace: Trace, drawn: Iterable[Row]) -> list[str]:
    """The lanes that the rows use, in the order of the actors; a target that is no actor comes last."""
    used = {row.lane for row in drawn} | {row.target for row in drawn if row.target}
    known = dict.fromkeys(lane(trace, actor) for actor in range(len(trace.actors)))
    strangers = dict.fromkeys(row.target for row in drawn if row.target and row.target not in known)
    return [name for name in [*known, *strangers] if name in used]


def plain(text: str) -> str:
    """Text as printable ASCII on one line: what can be pasted into a mail and cannot move a terminal's cursor."""
    for letter, ascii_text in _ASCII.items():
        text = text.replace(letter, ascii_text)
    return "".join(c if " " <= c <= "~" else "?" for c in " ".join(text.split()))


def title(trace: Trace) -> str:
    """Which experiment a run is of."""
    params = ", ".join(f"{plain(name)}={plain(str(value))}" for name, value in trace.params)
    return f"stopmarker {plain(trace.scenario)}" + (f" ({params})" if params else "")


def header(trace: Trace, drawn: list[Row]) -> list[str]:
    """Which run this is, and how much of it is drawn."""
    heading = title(trace)
    shown = f"{len({row.step for row in drawn})} of {len(trace.steps)} steps shown"
    preempted = counted(len(preemptions(trace)), "preemption")
    if len(heading) + 2 + len(shown) <= WIDTH:
        return [heading + shown.rjust(WIDTH - len(heading)), preempted]
    return [*wrap(heading, "    "), preempted + shown.rjust(WIDTH - len(preempted))]


def footer(trace: Trace) -> list[str]:
    """What was found, and the command that makes this run again."""
    return [*finding_lines(trace), *replay_lines(trace.recipe.token())]


def finding_lines(trace: Trace) -> list[str]:
    """What was found."""
    finding = trace.finding
    if finding is None:
        return ["No violation in this run."]
    word = "VIOLATION" if finding.outcome == "violated" else finding.outcome.upper()
    waiting = waits(finding)
    if len(waiting) > 1:
        head = f"[*] {word} {plain(finding.oracle)} (step {finding.step}):"
        return [head, *[line for text in waiting for line in wrap(f"    {plain(text)}", "      ")]]
    return wrap(f"[*] {word} {plain(finding.oracle)}: {plain(finding.message)} (step {finding.step})", "    ")


def replay_lines(token: str) -> list[str]:
    """The replay command, wrapped with backslashes so that a shell takes it back as it stands."""
    start, rest = "Replay: stopmarker replay ", " " * 8
    lines = [start + token[: WIDTH - len(start) - 2]]
    token = token[WIDTH - len(start) - 2 :]
    while token:
        lines[-1] += " \\"
        lines.append(rest + token[: WIDTH - len(rest) - 2])
        token = token[WIDTH - len(rest) - 2 :]
    return lines


def wrap(text: str, indent: str, width: int = WIDTH) -> list[str]:
    """`text` in lines of `width`; later lines start with `indent`."""
    return textwrap.wrap(text, width, subsequent_indent=indent, break_on_hyphens=False) or [""]


def _target(event: TraceEvent) -> str | None:
    return None if event.target is None else _lane_name(event.target)


def _lane_name(name: str) -> str:
    return plain(name).partition(".")[0] or "?"
