"""`stopmarker which`: the shipped combinations whose runs leave what a log, or a word, says."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from scenarios import catalogue
from scenarios.scenario import Expected
from tools.commands.decode import STDIN, read_log
from tools.logs.decoding import decode
from tools.logs.leavings import of_record
from tools.terminal.exits import Exit, Refusal
from tools.terminal.interrupt import stop_request
from tools.terminal.output import Output


@dataclass(frozen=True, slots=True, kw_only=True)
class Leaving:
    """A shipped combination that leaves something in a log."""

    scenario: str
    row: Expected

    @property
    def command(self) -> str:
        """What shows how it comes to that."""
        given = "".join(f" -p {name}={value}" for name, value in self.row.params.items())
        return f"stopmarker prove {self.scenario}{given}"


def main(out: Output, *, what: Sequence[str]) -> Exit:
    """Say who leaves it, those that few leave first; NOTHING_SELECTED if nobody does."""
    known = _known()
    seen = _seen(what, known)
    told = sorted((name for name in seen if name in known), key=lambda name: (len(known[name]), name))
    for name in told:
        out.lines([f"{name}{seen[name]}", *(f"    {each.command}" for each in known[name])])
    other = sorted(name for name in seen if name not in known)
    if other:
        out.lines([f"No scenario leaves {', '.join(other)}."])
    if not seen:
        out.lines(["The log holds no record that a run of the model could leave."])
    out.document("leavings", {"found": {name: [_row(each) for each in known[name]] for name in told}, "other": other})
    return Exit.NOTHING_VIOLATED if told else Exit.NOTHING_SELECTED


def _known() -> dict[str, list[Leaving]]:
    """Each name with the combinations that leave it, in the order of the catalogue."""
    found: dict[str, list[Leaving]] = {}
    for scenario in catalogue.MODULES:
        for row in catalogue.load(scenario).expected:
            for name in row.leaves:
                found.setdefault(name, []).append(Leaving(scenario=scenario, row=row))
    return found


def _seen(what: Sequence[str], known: Mapping[str, Sequence[Leaving]]) -> dict[str, str]:
    """What is asked for, with where it stands: names, or the records of a log."""
    text = " ".join(what)
    named = [name for name in known if name.lower() == text.lower()]
    if named:
        return dict.fromkeys(named, "")
    if len(what) != 1 or (what[0] != STDIN and not Path(what[0]).exists()):
        raise Refusal(f"which {text!r}: it is neither a log nor what a scenario leaves ({', '.join(sorted(known))})")
    with stop_request() as stop:
        log = decode(read_log(what[0], stop.check), stop.check)
    lines: dict[str, list[int]] = {}
    for record in log.records:
        if name := of_record(record):
            lines.setdefault(name, []).append(record.lines[0])
    return {name: _where(numbers) for name, numbers in lines.items()}


def _where(numbers: Sequence[int]) -> str:
    return f" (line {numbers[0]})" if len(numbers) == 1 else f" ({len(numbers):,} times, first in line {numbers[0]})"


def _row(each: Leaving) -> dict[str, object]:
    return {
        "scenario": each.scenario,
        "params": dict(each.row.params),
        "oracle": each.row.oracle,
        "command": each.command,
    }
