"""`stopmarker run`: one run under the plain order, a seed, recorded choices, Trio or OS threads; its ladder."""

from __future__ import annotations

from actors.runtime.runs.schedule import Recipe, TokenError
from actors.runtime.runs.scheduler import Fifo, RandomWalk, ScheduleMismatch, Scheduler
from actors.runtime.runs.scheduler import Replay as ReplayScheduler
from tools.experiments.experiment import Experiment, find_scenario, open_experiment, parse_params
from tools.experiments.terms import Terms
from tools.show.ladder import ladder
from tools.show.rows import wrap
from tools.terminal.exits import Diverged, Exit, Refusal
from tools.terminal.output import Output
from tools.traces.determined import determined
from tools.traces.report import run_document, verdict, word
from tools.traces.trace import record
from tools.traces.verdicts import VACUOUS, bounds


def main(
    out: Output,
    *,
    scenario: str,
    param: tuple[str, ...],
    seed: int | None,
    schedule: str | None,
    live: bool,
    threads: bool,
    audit: bool,
) -> Exit:
    """Run once and show it."""
    if schedule is not None and (seed is not None or live):
        raise Refusal("--schedule decides everything: use it without --seed and --live")
    if threads and not live:
        raise Refusal("--threads says how a live run is made: use it with --live")
    experiment, scheduler = _prepare(scenario, parse_params(param), seed, schedule, audit)
    try:
        with determined(experiment):
            execution = experiment.run_live(scheduler, threads) if live else experiment.run_once(scheduler)
    except ScheduleMismatch as mismatch:
        raise Diverged(str(mismatch)) from None
    trace = record(experiment.recipe(execution.schedule), execution)
    terms = Terms(experiment.name, tuple(experiment.params.items()), audit=audit)
    out.lines([*ladder(trace), *wrap(bounds(terms), "    ")])
    if word(trace) == VACUOUS:
        out.lines(["VACUOUS: no actor takes a step: nothing is shown."])
    out.document("run", run_document(trace))
    return verdict(trace)


def _prepare(
    name: str, given: dict[str, str], seed: int | None, schedule: str | None, audit: bool
) -> tuple[Experiment, Scheduler]:
    if schedule is None:
        return open_experiment(name, given, audit), Fifo() if seed is None else RandomWalk(seed)
    try:
        recipe = Recipe.parse(schedule)
    except TokenError as problem:
        raise Refusal(str(problem)) from None
    full_name, _ = find_scenario(name)
    if recipe.scenario != full_name:
        raise Refusal(f"run {name} with a schedule of {recipe.scenario}: a schedule fits its own scenario only")
    # Parameters given here count: the same order of steps, tried on another variant.
    return open_experiment(name, {**dict(recipe.params), **given}, audit), ReplayScheduler(recipe.schedule)
