"""`stopmarker fuzz`: schedule after schedule until something is violated or the budget ends."""

from __future__ import annotations

import math
import time
from contextlib import closing
from functools import partial
from pathlib import Path

import trio
from loguru import logger

from tools.experiments.experiment import open_experiment, parse_params
from tools.experiments.strategies import find_strategy
from tools.experiments.terms import Terms
from tools.explore.search import Budget, Report
from tools.findings.data_races import data_races, race_documents
from tools.findings.findings import Findings
from tools.searches.by_states import said_of
from tools.searches.hunt import DEFAULT_SCHEDULES, Hunt, parse_budget, shrinking_until
from tools.show.rows import wrap
from tools.terminal.counting import counted
from tools.terminal.display import progress
from tools.terminal.exits import Exit
from tools.terminal.interrupt import stop_request
from tools.terminal.output import Output
from tools.terminal.progress import sentence
from tools.traces.determined import determined
from tools.traces.store import check_writable
from tools.traces.verdicts import ERROR, EXITS, besides, bounds, errors, memory_of, time_outs, worse


def main(
    out: Output,
    *,
    scenario: str,
    param: tuple[str, ...],
    schedules: int | None,
    budget: str | None,
    seed: int,
    output: str,
    strategy: str,
    audit: bool,
    no_shrink: bool,
    keep_going: bool,
    races: str,
) -> Exit:
    """Hunt, and show the first finding."""
    begun = time.monotonic()
    search = find_strategy(strategy)(seed)
    given = parse_params(param)
    experiment = open_experiment(scenario, given, audit, races)
    limit = _limit(schedules, budget)
    folder = Path(output)
    check_writable(folder)
    terms = Terms(experiment.name, tuple(experiment.params.items()), audit=audit, races=races)
    findings = Findings(terms, folder, not no_shrink, given)
    logger.info("hunt in {} with {}, seed {}", experiment.name, experiment.params, seed)
    hunt = Hunt()
    with stop_request() as stop, closing(progress()) as display, determined(experiment):
        run = partial(hunt.run, keep_going=keep_going, on_progress=display.show, stop=stop)
        trio.run(run, experiment, search, limit)
    report = hunt.report
    with stop_request() as stop:
        findings.keep(report.found.values(), stop, shrinking_until(begun + limit.seconds))
    verdict, code = _verdict(hunt)
    out.document("fuzz", _document(terms, hunt, findings, verdict, strategy, seed))
    out.lines(findings.lines())
    if hunt.interrupted or findings.stopped:
        raise KeyboardInterrupt(sentence(report))
    display.end(report)
    out.lines(data_races(report, races))
    told = _summary(report, verdict, seed) if hunt.states is None else wrap(said_of(hunt.states, report), "    ")
    out.lines([*told, *wrap(bounds(terms), "    ")])
    if findings.failure is not None:
        raise findings.failure
    return code


def _limit(schedules: int | None, budget: str | None) -> Budget:
    if schedules is None and budget is None:
        return Budget(schedules=DEFAULT_SCHEDULES)
    return Budget(schedules=schedules, seconds=math.inf if budget is None else parse_budget(budget))


def _verdict(hunt: Hunt) -> tuple[str, Exit]:
    if (found := worse(one.finding.outcome for one in hunt.report.found.values())) is not None:
        return found, EXITS[found]
    if hunt.interrupted:
        return "interrupted", Exit.INTERRUPTED
    if hunt.report.vacuous or not hunt.report.steps:
        return "vacuous", Exit.INCONCLUSIVE
    return "not found", Exit.NOTHING_VIOLATED


def _summary(report: Report, verdict: str, seed: int) -> list[str]:
    mean = report.steps / report.schedules
    ran = f"{counted(report.schedules, 'schedule')} ({mean:.1f} steps each, seed {seed})"
    if verdict == "vacuous" and not report.steps:
        return [f"VACUOUS: no actor took a step in {ran}: nothing is shown."]
    if verdict == "vacuous":
        missed = ", ".join(report.vacuous)
        return [f"VACUOUS: no schedule reached {missed!r} in {ran}: nothing is shown about this variant."]
    if verdict == "not found":
        reached = "".join(f" Reached: {name}." for name in report.witnesses)
        if report.complete:
            return [f"Nothing violated in {ran}.{reached} Nothing is left to try: `stopmarker prove` says the bounds."]
        return [f"Nothing violated in {ran}.{reached} A search that ended, not a proof."]
    broken, distinct = errors(report.found.values()), f"{len(report.found):,} distinct"
    lines = [f"{report.failing - broken:,} of {ran} violated, {distinct}.{besides(broken)}"]
    if verdict == ERROR:
        lines = [f"ERROR: {broken:,} of {ran}, {distinct}: the model itself is wrong."]
    return lines + [f"No schedule reached {name!r}." for name in report.vacuous]


def _document(
    terms: Terms, hunt: Hunt, findings: Findings, verdict: str, strategy: str, seed: int
) -> dict[str, object]:
    report = hunt.report
    return {
        "scenario": terms.scenario,
        "params": dict(terms.params),
        "strategy": strategy,
        "seed": seed,
        "verdict": verdict,
        "complete": report.complete,
        "schedules": report.schedules,
        "states": None if hunt.states is None else len(hunt.states.graph.states),
        "steps": report.steps,
        "violations": report.failing - errors(report.found.values()),
        "errors": errors(report.found.values()),
        "memory": memory_of(terms.params),
        "time_outs": time_outs(terms.make_world()()),
        "distinct": len(report.found),
        "seconds": round(report.seconds, 3),
        "digest": f"{hunt.digest:08x}",
        "interrupted": hunt.interrupted,
        "witnesses": report.witnesses,
        "findings": findings.documents(),
        "data_races": race_documents(report, terms),
    }
