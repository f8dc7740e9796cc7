"""`stopmarker matrix`: prove every combination, and put what it comes to beside what was expected."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import closing
from functools import partial
from itertools import groupby

from actors.runtime.primitives.events import Outcome
from scenarios import catalogue
from scenarios.scenario import Expected
from tools.explore.search import Report
from tools.searches.hunt import parse_budget
from tools.searches.stated import MatrixRow, rows_of
from tools.show.rows import plain, wrap
from tools.terminal.counting import counted
from tools.terminal.display import progress
from tools.terminal.exits import Exit, Refusal
from tools.terminal.interrupt import StopRequest, stop_request
from tools.terminal.output import Output
from tools.traces.verdicts import ERROR, errors, memory, memory_of, time_outs

_NUMBERS = ("schedules", 11), ("failing", 9), ("steps", 13), ("seconds", 9)


def main(
    out: Output,
    *,
    scenarios: tuple[str, ...],
    param: tuple[str, ...],
    eras: bool,
    bound: int | None,
    budget: str,
    jobs: int,
    keep_going: bool,
) -> Exit:
    """Prove row after row; the first that surprises does not end it."""
    seconds = parse_budget(budget)
    if eras and (scenarios or param):
        raise Refusal("matrix --eras: it names its scenarios itself, so no scenario and no parameter goes with it")
    rows = rows_of(catalogue.ERAS if eras else scenarios, param, bound, keep_going)
    done: list[MatrixRow] = []
    with stop_request() as stop:
        for row in rows:
            stop.check()
            row.proof.terms.make_world()()  # what is wrong with one is said before the first is proved
        try:
            for scenario, group in groupby(rows, lambda row: row.proof.terms.scenario):
                _prove_all(out, scenario, list(group), done, len(rows), partial(_prove, seconds, jobs, stop))
        finally:
            out.document("matrix", _document(done, len(rows)))
            out.lines(["", *wrap(_summary(done, len(rows)), "    ")])
    return _code(done)


def _prove_all(
    out: Output,
    scenario: str,
    rows: Sequence[MatrixRow],
    done: list[MatrixRow],
    all_rows: int,
    prove: Callable[[MatrixRow, str], None],
) -> None:
    """The rows of one scenario, each printed when it is over."""
    names = max(len(_given(row)) for row in rows)
    verdicts = max([len("violated: "), *(len(_expectation(row)) for row in rows)])
    heads = "".join(name.rjust(width) for name, width in _NUMBERS)
    out.lines([*([""] if done else []), scenario, f"  {''.ljust(names)}  {'verdict'.ljust(verdicts)}{heads}"])
    for row in rows:
        prove(row, f"row {len(done) + 1} of {all_rows}, {scenario} {_given(row)}")
        if row.proof.interrupted:
            raise KeyboardInterrupt(f"{len(done)} of {all_rows} rows")
        done.append(row)
        out.lines([f"  {_given(row).ljust(names)}  {_result(row).ljust(verdicts)}{_numbers(row)}  {_note(row)}"])
        out.lines(_complaints(row))


def _prove(seconds: float, jobs: int, stop: StopRequest, row: MatrixRow, where: str) -> None:
    def sentence(report: Report) -> str:
        return f"{where}: schedules {report.schedules:,}, failing {report.failing:,}"

    with closing(progress(sentence)) as display:
        row.proof.run(seconds, jobs, display.show, stop)


def _complaints(row: MatrixRow) -> list[str]:
    """What is wrong with the model, and where: it is not found by looking at a schedule."""
    broken = [one.finding for one in row.proof.violations if one.finding.outcome is Outcome.ERROR]
    return [line for one in broken for line in wrap(f"      {plain(one.message)}", "        ")]


def _given(row: MatrixRow) -> str:
    return ", ".join(f"{name}={value}" for name, value in row.given) or "(defaults)"


def _result(row: MatrixRow) -> str:
    """The verdict, and the property that was expected to break, or the first that did."""
    oracles = row.oracles
    if not oracles:
        return row.verdict
    awaited = row.proof.awaited
    return f"{row.verdict}: {awaited if awaited in oracles else oracles[0]}"


def _expectation(row: MatrixRow) -> str:
    expected = row.expected
    if expected is None:
        return ""
    between = " " if expected.searched else ": "
    return f"{expected.verdict}{between}{expected.details}" if expected.details else expected.verdict


def _numbers(row: MatrixRow) -> str:
    report = row.proof.report
    cells = f"{report.schedules:,}", f"{report.failing:,}", f"{report.steps:,}", f"{report.seconds:.1f}"
    return "".join(cell.rjust(width) for cell, (_, width) in zip(cells, _NUMBERS, strict=True))


def _note(row: MatrixRow) -> str:
    match row.agrees:
        case True:
            return "as expected"
        case False:
            return f"NOT AS EXPECTED: {_expectation(row)}"
        case None if row.expected is None:
            return "nothing is expected of it"
        case _:
            bounded = row.proof.report.bounded
            why = f"{counted(bounded, 'run')} reached the step bound" if bounded else "the budget ended"
            return f"{why}; expected: {_expectation(row)}"


def _summary(done: Sequence[MatrixRow], rows: int) -> str:
    as_expected = sum(row.agrees is True for row in done)
    stated = [row for row in done if row.expected is not None]
    surprising = sum(row.surprises for row in stated)
    rows_done = counted(len(done), "row") + (f" of {rows}" if len(done) < rows else "")
    within = memory(*(row.proof.terms.params for row in done))
    when = "; ".join(dict.fromkeys(time_outs(row.proof.terms.make_world()()) for row in done))
    within += f", time-outs {when}" if when else ""
    rest = len(stated) - as_expected - surprising
    said = f"{rows_done}: {as_expected} as expected, {surprising} not, {rest} not compared"
    if len(stated) < len(done):
        said += f", {len(done) - len(stated)} of which nothing is expected (`expected=` of @scenario says what is)"
    return f"{said}. Bounds: {within}."


def _code(done: Sequence[MatrixRow]) -> Exit:
    found = {row.verdict for row in done if row.surprises}
    if found:
        return Exit.ERROR if found == {ERROR} else Exit.VIOLATED
    unsure = any(row.agrees is None and row.verdict != "holds" for row in done)
    return Exit.INCONCLUSIVE if unsure else Exit.NOTHING_VIOLATED


def _document(done: Sequence[MatrixRow], rows: int) -> dict[str, object]:
    return {
        "rows": [_row_document(row) for row in done],
        "as_expected": sum(row.agrees is True for row in done),
        "not_as_expected": sum(row.surprises for row in done),
        "complete": len(done) == rows,
        "memory": memory_of(*(row.proof.terms.params for row in done)),
    }


def _expected(one: Expected) -> dict[str, object]:
    return {"verdict": one.verdict, "oracle": one.oracle, "searched": one.searched}


def _row_document(row: MatrixRow) -> dict[str, object]:
    report, expected, world = row.proof.report, row.expected, row.proof.terms.make_world()()
    return {
        "scenario": row.proof.terms.scenario,
        "params": dict(row.proof.terms.params),
        "given": dict(row.given),
        "verdict": row.verdict,
        "bound": world.step_bound,
        "memory": memory_of(row.proof.terms.params),
        "time_outs": time_outs(world),
        "oracles": row.oracles,
        "errors": errors(row.proof.violations),
        "expected": None if expected is None else _expected(expected),
        "agrees": row.agrees,
        "complete": report.complete,
        "traces": report.schedules,
        "failing": report.failing,
        "cut": report.cut,
        "at_step_bound": report.bounded,
        "steps": report.steps,
        "seconds": round(report.seconds, 3),
        "unreached": report.vacuous,
    }
