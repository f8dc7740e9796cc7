"""`stopmarker explain`: why a recorded run fails, found out by experiments: which steps must come before which."""

from __future__ import annotations

from contextlib import closing

from actors.runtime.primitives.events import Outcome
from tools.commands.explain_circle import circle_document, told_circle
from tools.commands.replay import recording
from tools.experiments.experiment import Experiment, reopen
from tools.experiments.terms import Terms
from tools.explore.search import FoundSignature, Report
from tools.findings.circles import explain_circle
from tools.findings.explaining import Constraint, Explained, Place, explained
from tools.searches.hunt import parse_budget
from tools.show.beside import FEW_STEPS, beside
from tools.show.reasons import does, must, never
from tools.show.rows import finding_lines, plain, replay_lines, title, wrap
from tools.terminal.counting import all_of, counted
from tools.terminal.display import progress
from tools.terminal.exits import Exit, Refusal
from tools.terminal.interrupt import Stopped, stop_request
from tools.terminal.output import Output
from tools.traces.determined import determined
from tools.traces.report import run_document
from tools.traces.trace import Trace
from tools.traces.verdicts import bounds, memory_of


def main(
    out: Output, *, what: tuple[str, ...], budget: str, scenario: str | None, trust: bool, memory: str | None
) -> Exit:
    """Replay, shrink, explain, and say it in sentences."""
    seconds = parse_budget(budget)
    then = recording(what, scenario, trust)
    if memory is not None and memory != (recorded := memory_of(then.recipe.params)):
        raise Refusal(f"explain --memory {memory}: the run was recorded under {recorded}, and its choices mean that")
    trace = then.replayed()
    found = _found(trace)
    if found.finding.outcome is Outcome.LIVELOCK:
        return _circle(out, reopen(then.recipe), found)
    experiments = 0

    def on_progress(report: Report) -> None:
        nonlocal experiments
        experiments = report.schedules
        display.show(report)

    with stop_request() as stop, closing(progress(_sentence)) as display:
        try:
            experiment = reopen(then.recipe)
            with determined(experiment, then.recipe.schedule):
                result = explained(experiment, found, seconds, on_progress, stop)
        except Stopped:
            raise KeyboardInterrupt(f"{experiments:,} experiments; nothing is decided") from None
    out.lines(_told(result))
    out.document("explanation", _document(result))
    return Exit.NOTHING_VIOLATED if result.explanation.decided else Exit.INCONCLUSIVE


def _found(trace: Trace) -> FoundSignature:
    if trace.finding is None:
        raise Refusal("explain: this run does not fail, so there is nothing to explain")
    if trace.finding.outcome is Outcome.BOUND:
        raise Refusal("explain: this run ends at the step bound; what it would have come to is not known")
    return FoundSignature(trace.finding, trace.schedule, 1)


def _circle(out: Output, experiment: Experiment, found: FoundSignature) -> Exit:
    """A livelock is no matter of one order: told is what goes round, and which other orders end."""
    with stop_request() as stop, closing(progress(_sentence)) as display:
        try:
            with determined(experiment, found.schedule):
                circle = explain_circle(experiment, found, display.show, stop)
        except Stopped:
            raise KeyboardInterrupt("nothing is explained") from None
    out.lines(told_circle(circle))
    out.document("explanation", circle_document(circle))
    return Exit.NOTHING_VIOLATED


def _sentence(report: Report) -> str:
    rate = report.schedules / report.seconds if report.seconds else 0.0
    return f"experiments {report.schedules:,} ({rate:,.0f}/s), {report.failing:,} fail"


def _told(result: Explained) -> list[str]:
    explanation = result.explanation
    lines = [*wrap(title(result.trace), "    "), "", *finding_lines(result.trace), ""]
    lines += [*_because(result), ""]
    if result.along:
        lines += ["What comes with it in every schedule that fails:"]
        lines += [line for one in result.along for line in wrap(f"  - {_sentence_of(one)}", "    ")]
        lines.append("")
    lines += [*_fix(result), *_nearest(result)]
    runs = explanation.failing_runs + explanation.passing_runs
    others = f" ({explanation.other_runs:,} in another way)" if explanation.other_runs else ""
    counts = f"{explanation.failing_runs:,} fail{others}, {explanation.passing_runs:,} pass"
    scope = all_of(runs, "inequivalent schedule") if explanation.decided else counted(runs, "schedule")
    lines += wrap(f"Tried: {scope}; {counts} ({result.seconds:.1f} s). Shrunk in {result.replays:,} replays.", "    ")
    recipe = result.trace.recipe
    lines += wrap(bounds(Terms(recipe.scenario, recipe.params)), "    ")
    if not explanation.decided:
        lines += wrap(f"OPEN: {explanation.open}. A larger --budget may decide it.", "    ")
    return lines


def _because(result: Explained) -> list[str]:
    """The constraints, numbered, each with its places and what the race is about."""
    decided = result.explanation.decided
    if not result.constraints:
        if result.passing is None:
            which = "schedule" if decided else "schedule that was tried"
            return [f"Every {which} fails: no order of steps is to blame."]
        return ["No order of racing steps tells failing from passing runs: look at the outcomes that were drawn."]
    exact = result.explanation.exact
    scope = "exactly those schedules" if exact else "every schedule"
    scope = scope if decided else "those schedules, as far as was tried,"
    lines = [f"It fails in {scope} in which"]
    for number, one in enumerate(result.constraints, 1):
        joint = "and " if number > 1 else ""
        lines += wrap(f"{number:>3}. {joint}{_sentence_of(one)}", "     ")
        for place in (one.first, one.second):
            lines += wrap(f"       {_where(place)}", "         ")
        lines += wrap(f"       race for {', '.join(one.races)}", "         ")
        lines += wrap(f"       {_otherwise(one)}", "         ")
    if decided and not exact:
        lines.append("Some other schedules fail in this way too, for another reason.")
    return lines


def _otherwise(one: Constraint) -> str:
    """How a schedule passes that keeps all other constraints."""
    if one.reason is None or one.reason.broken is None:
        return "(no schedule was met that breaks only this one)"
    if one.reason.absent:
        return f"passes where only this differs: {never(one.reason.absent[0])}"
    return f"passes where only this differs: {does(one.second.point)} first"


def _sentence_of(one: Constraint) -> str:
    late = " (which it waits for, in vain)" if one.second.never else ""
    return f"{does(one.first.point)} *before* {does(one.second.point)}{late}"


def _where(place: Place) -> str:
    """`fault_worker: step 76, pasid.py:65: look up #0: P1 = mm B (bind2)`."""
    at = "never comes" if place.never else "after the failure" if place.number is None else f"step {place.number}"
    happened = f": {'; '.join(map(plain, place.labels))}" if place.labels else ""
    return f"{plain(place.point.actor)}: {at}{f', {place.point.line}' if place.point.line else ''}{happened}"


def _fix(result: Explained) -> list[str]:
    """Which order would have to be enforced."""
    if not result.constraints:
        return []
    ways = [_way(one) for one in result.constraints]
    if len(ways) == 1:
        return [*wrap(f"To exclude it: {ways[0]}, in every schedule.", "    "), ""]
    lines = ["To exclude it, see to one of these in every schedule:"]
    return [*lines, *[line for way in ways for line in wrap(f"  - {way}", "    ")], ""]


def _way(one: Constraint) -> str:
    """The other order; or what was seen instead, if no schedule with the other order passes."""
    if one.reason is not None and one.reason.absent:
        return never(one.reason.absent[0])
    return f"{must(one.second.point)} before {does(one.first.point)}"


def _nearest(result: Explained) -> list[str]:
    if result.passing is None:
        return []
    every = len(result.trace.steps) <= FEW_STEPS
    drawn = beside(result.trace, result.passing, ("fails", "passes"), every=every, until=result.last)
    return ["The nearest schedule that passes:", *drawn, *replay_lines(result.passing.recipe.token()), ""]


def _document(result: Explained) -> dict[str, object]:
    explanation, recipe = result.explanation, result.trace.recipe
    tokens = [
        None
        if one.reason is None or one.reason.broken is None
        else type(recipe)(scenario=recipe.scenario, params=recipe.params, schedule=one.reason.broken).token()
        for one in result.constraints
    ]
    return {
        **run_document(result.trace),
        "decided": explanation.decided,
        "exact": explanation.exact,
        "open": explanation.open or None,
        "constraints": [
            {**_constraint_document(one), "passing_without": token}
            for one, token in zip(result.constraints, tokens, strict=True)
        ],
        "along": [_constraint_document(one) for one in result.along],
        "failing_runs": explanation.failing_runs,
        "other_runs": explanation.other_runs,
        "passing_runs": explanation.passing_runs,
        "nearest_passing": None if result.passing is None else result.passing.recipe.token(),
        "seconds": round(result.seconds, 3),
    }


def _constraint_document(one: Constraint) -> dict[str, object]:
    return {
        "sentence": _sentence_of(one),
        "first": _place_document(one.first),
        "second": _place_document(one.second),
        "races": one.races,
    }


def _place_document(place: Place) -> dict[str, object]:
    point = place.point
    return {
        "actor": point.actor,
        "what": point.what,
        "occurrence": point.occurrence,
        "line": point.line or None,
        "step": place.number,
        "events": place.labels,
    }
