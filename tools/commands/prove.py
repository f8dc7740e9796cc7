"""`stopmarker prove`: every inequivalent schedule within bounds, or the shortest counterexample."""

from __future__ import annotations

import math
import shlex
import time
from contextlib import closing
from functools import partial
from pathlib import Path

from actors.runtime.primitives.sharing import names_of, unknown_of
from tools.experiments.experiment import open_experiment, parse_params
from tools.experiments.terms import Terms
from tools.explore.search import Report
from tools.findings.data_races import data_races, race_documents
from tools.findings.findings import Findings
from tools.own_files.trust import check
from tools.searches import checkpoint as checkpoints
from tools.searches.by_states import said_of
from tools.searches.hunt import parse_budget, shrinking_until
from tools.searches.proof import Proof
from tools.show.rows import wrap
from tools.terminal.counting import all_of, counted
from tools.terminal.display import progress
from tools.terminal.exits import Exit, Refusal
from tools.terminal.interrupt import stop_request
from tools.terminal.output import Output
from tools.traces.determined import determined
from tools.traces.store import check_writable
from tools.traces.verdicts import EXITS, besides, bounds, errors, memory_of, time_outs

NO_PROPERTY = "no deadlock, livelock or error; no property is stated"
_EXITS = {
    **EXITS,
    "holds": Exit.NOTHING_VIOLATED,
    "holds up to the bound": Exit.NOTHING_VIOLATED,  # that bound was asked for
}


def main(
    out: Output,
    *,
    scenario: str | None,
    param: tuple[str, ...],
    bound: int | None,
    budget: str,
    jobs: int,
    keep_going: bool,
    races: str,
    checkpoint: str | None,
    resume_file: str | None,
    trust: bool,
    output: str,
) -> Exit:
    """Prove, and say how far it got."""
    begun, seconds = time.monotonic(), parse_budget(budget)
    proof = _proof(scenario, param, bound, keep_going, races, checkpoint, resume_file, trust)
    folder = Path(output)
    check_writable(folder)
    display = progress(partial(_sentence, proof))
    with stop_request() as stop, closing(display), determined(proof.terms.experiment()):
        proof.run(seconds, jobs, display.show, stop)
        display.end(proof.report)
    # A checkpoint does not tell which parameters were given: none is changed.
    findings = Findings(proof.terms, folder, given=dict(proof.terms.params) if resume_file else parse_params(param))
    with stop_request() as stop:
        findings.keep(proof.violations, stop, shrinking_until(begun + seconds))
    verdict = proof.verdict
    out.document("proof", _document(proof, verdict, findings))
    out.lines([*findings.lines(), *data_races(proof.report, proof.terms.races), *_summary(proof, verdict)])
    if proof.interrupted or findings.stopped:
        seen = proof.states and counted(len(proof.states.graph.states), "state")
        raise KeyboardInterrupt(seen or counted(proof.report.schedules, "inequivalent schedule"))
    for failure in (findings.failure, proof.failure):
        if failure is not None:
            raise failure
    return _EXITS.get(verdict, Exit.INCONCLUSIVE)


def _proof(
    scenario: str | None,
    param: tuple[str, ...],
    bound: int | None,
    keep_going: bool,
    races: str,
    checkpoint: str | None,
    resume_file: str | None,
    trust: bool,
) -> Proof:
    if resume_file is not None:
        if scenario is not None or param or bound is not None or keep_going or checkpoint is not None:
            raise Refusal(
                "prove --resume: the checkpoint says what is proved, so no scenario, parameter or bound goes with it"
            )
        path = Path(resume_file)
        made = checkpoints.read(path)
        check(made.terms.scenario, trust, resume_file)
        checkpoints.refuse_another_world(path, made)
        return Proof(made.terms, made.share, made.report, path=path)
    if scenario is None:
        raise Refusal("prove: which scenario? (see `stopmarker list`, or give --resume FILE)")
    experiment = open_experiment(scenario, parse_params(param))
    terms = Terms(experiment.name, tuple(experiment.params.items()), bound, keep_going, races=races)
    written = None if checkpoint is None else Path(checkpoint)
    if written is not None and written.exists():
        raise Refusal(f"prove --checkpoint {written}: it exists already; continue it with --resume, or name another")
    return Proof(terms, path=written)


def _summary(proof: Proof, verdict: str) -> list[str]:
    report = proof.report
    if proof.states is not None and verdict != "error":
        return [*wrap(said_of(proof.states, report), "    "), *wrap(bounds(proof.terms), "    ")]
    took, broken = f"{counted(report.steps, 'step')}, {report.seconds:.1f} s", errors(proof.violations)
    ran, whole = (f"{count(report.schedules, 'inequivalent schedule')}, {took}" for count in (counted, all_of))
    match verdict:
        case "holds up to the bound":
            text = (
                f"HOLDS UP TO {proof.terms.bound:,} STEPS: {whole}, of which the bound cuts {report.bounded:,}. Every "
                f"run of at most so many steps was seen; nothing is said of what comes later.{_reached(proof)}"
            )
        case "holds":
            text = f"HOLDS: {whole}.{_reached(proof)}"
        case "vacuous" if not report.steps:
            text = f"VACUOUS: no actor takes a step in {whole}: nothing is shown."
        case "vacuous":
            missed = ", ".join(report.vacuous)
            text = f"VACUOUS: no schedule reaches {missed!r} in {whole}: nothing is shown about this variant."
        case "violated":
            number = report.failing - _at_bound(proof) - broken
            text = f"VIOLATED: {number:,} of {whole if report.complete else ran}.{besides(broken)}"
        case "error":
            text = f"ERROR: {broken:,} of {whole if report.complete else ran}: the model itself is wrong."
        case _:
            text = f"NOT FOUND, and not proved: {_why(proof)} after {ran}.{_left(proof)}"
    return [*wrap(text + _shared(proof), "    "), *wrap(bounds(proof.terms), "    "), *_continuation(proof)]


def _shared(proof: Proof) -> str:
    """What steps share in Python, if no step declares it."""
    shared = proof.terms.experiment().shared
    unknown = unknown_of(shared)
    if unknown:
        said = f"What steps share in Python cannot be told because of {unknown}"
        return f" {said}, so each step counted as dependent on each other one."
    names = names_of(shared)
    return f" Its steps share what none declares: {', '.join(names)}; that counted as declared." if names else ""


def _reached(proof: Proof) -> str:
    """What was reached; or what a proof says less than it seems to, if it names nothing that must be."""
    if proof.report.witnesses:
        return "".join(f" Reached: {name}." for name in proof.report.witnesses)
    if _states_property(proof):
        return " It names nothing that must be reached."
    return f" That is: {NO_PROPERTY}."


def _states_property(proof: Proof) -> bool:
    return bool(proof.terms.make_world()().oracles)


def _at_bound(proof: Proof) -> int:
    """Runs of which nothing is known but that they reached the step bound."""
    violating = sum(item.count for item in proof.violations)
    return proof.report.failing - violating


def _why(proof: Proof) -> str:
    report = proof.report
    if proof.interrupted:
        return "it was interrupted"
    if not report.exhausted:
        amid = f" while the races of a run of {counted(report.halted, 'step')} were looked for" if report.halted else ""
        return f"the budget ended{amid}"
    return f"{counted(report.bounded, 'run')} reached the step bound"


def _why_not(proof: Proof) -> str:
    return _why(proof) + _left(proof) if proof.states is None else said_of(proof.states, proof.report)


def _left(proof: Proof) -> str:
    report = proof.report
    if not report.exhausted:
        return f" Perhaps {proof.estimate} in all." if proof.estimate is not None else ""
    bounded = next((item.finding for item in report.found.values()), None)
    one = "" if bounded is None else f" One was {bounded.message}."
    again = shlex.join(["stopmarker", "prove", proof.terms.scenario, *_given(proof)])
    return (
        f"{one} Orders in which others go before those that were still busy were not all tried: "
        f"`{again} --bound N` decides what every run of at most N steps comes to."
    )


def _given(proof: Proof) -> list[str]:
    return [word for name, value in proof.terms.params for word in ("-p", f"{name}={value}")]


def _continuation(proof: Proof) -> list[str]:
    if proof.path is None or proof.over or proof.failure is not None:
        return []
    return [f"Continue: stopmarker prove --resume {shlex.quote(str(proof.path))}"]


def _sentence(proof: Proof, report: Report) -> str:
    if proof.states is not None:
        return f"states {len(proof.states.graph.states):,}, runs {report.schedules + report.cut:,}"
    rate = (report.schedules + report.cut) / report.seconds if report.seconds else 0.0
    mean = report.steps / report.schedules if report.schedules else 0.0
    left = "" if report.exhausted or proof.estimate is None else f", estimated {proof.estimate} in all"
    return (
        f"schedules {report.schedules:,} ({rate:,.0f}/s, {mean:.0f} steps each, {report.cut:,} cut short), "
        f"violations {report.failing - _at_bound(proof):,}{left}"
    )


def _document(proof: Proof, verdict: str, findings: Findings) -> dict[str, object]:
    report, terms, estimate = proof.report, proof.terms, proof.estimate
    world = terms.make_world()()
    guess = None if estimate is None or math.isinf(estimate.traces) else estimate
    return {
        "scenario": terms.scenario,
        "params": dict(terms.params),
        "bound": world.step_bound,
        "memory": memory_of(terms.params),
        "time_outs": time_outs(world),
        "verdict": verdict,
        "says": NO_PROPERTY if verdict == "holds" and not (report.witnesses or _states_property(proof)) else None,
        "complete": report.complete,
        "interrupted": proof.interrupted,
        "traces": report.schedules,
        "cut": report.cut,
        "states": None if proof.states is None else len(proof.states.graph.states),
        "violations": report.failing - _at_bound(proof) - errors(proof.violations),
        "errors": errors(proof.violations),
        "at_step_bound": report.bounded,
        "why": _why_not(proof) if verdict == "not found" else None,
        "steps": report.steps,
        "seconds": round(report.seconds, 3),
        "estimate": None if guess is None else {"traces": round(guess.traces), "factor": guess.factor},
        "witnesses": report.witnesses,
        "shared": names_of(proof.terms.experiment().shared),
        "checkpoint": None if proof.path is None else str(proof.path),
        "findings": findings.documents(),
        "data_races": race_documents(proof.report, proof.terms),
    }
