"""`stopmarker prove`: every inequivalent schedule within bounds, or the shortest counterexample."""

from __future__ import annotations

import math
import shlex
from contextlib import closing
from functools import partial
from pathlib import Path

import click

from tools.exits import Exit, Refusal
from tools.experiment import open_experiment, parse_params
from tools.explore.search import Report
from tools.hunt import parse_budget
from tools.interrupt import stop_request
from tools.output import Output
from tools.progress import progress
from tools.proof import Proof, Terms, resume
from tools.report import run_document
from tools.show.ladder import ladder
from tools.shrinking import shortest
from tools.store import check_writable, save

DEFAULT_BUDGET = "10m"


def main(
    out: Output,
    *,
    scenario: str | None,
    param: tuple[str, ...],
    bound: int | None,
    budget: str,
    jobs: int,
    keep_going: bool,
    checkpoint: str | None,
    resume_file: str | None,
    output: str,
) -> Exit:
    """Prove, and say how far it got."""
    proof = _proof(scenario, param, bound, keep_going, checkpoint, resume_file)
    folder = Path(output)
    check_writable(folder)
    seconds = parse_budget(budget)
    with stop_request() as stop, closing(progress(partial(_sentence, proof))) as display:
        proof.run(proof.report.seconds + seconds, jobs, display.show, stop)
    report = proof.report
    verdict, code = _verdict(proof)
    lines, found = _counterexample(proof, folder)
    out.document("proof", _document(proof, verdict, found))
    out.lines(lines)
    click.echo(_sentence(proof, report), err=True)
    out.lines(_summary(proof, verdict))
    if proof.interrupted:
        raise KeyboardInterrupt(f"{report.schedules:,} inequivalent schedules{_continuation(proof)}")
    return code


def _proof(
    scenario: str | None,
    param: tuple[str, ...],
    bound: int | None,
    keep_going: bool,
    checkpoint: str | None,
    resume_file: str | None,
) -> Proof:
    if resume_file is not None:
        if scenario is not None or param or bound is not None or keep_going or checkpoint is not None:
            raise Refusal(
                "prove --resume: the checkpoint says what is proved, so no scenario, parameter or bound goes with it"
            )
        return resume(Path(resume_file))
    if scenario is None:
        raise Refusal("prove: which scenario? (see `stopmarker list`, or give --resume FILE)")
    experiment = open_experiment(scenario, parse_params(param))
    terms = Terms(experiment.name, tuple(experiment.params.items()), bound, keep_going)
    path = None if checkpoint is None else Path(checkpoint)
    if path is not None:
        check_writable(path.parent)
        if path.exists():
            raise Refusal(f"prove --checkpoint {path}: it exists already; continue it with --resume, or name another")
    return Proof(terms, checkpoint=path)


def _verdict(proof: Proof) -> tuple[str, Exit]:
    report = proof.report
    if report.found:
        return "violated", Exit.VIOLATED
    if not report.complete:
        return "not found", Exit.INCONCLUSIVE
    if report.vacuous or not report.witnesses:
        return ("vacuous", Exit.INCONCLUSIVE) if report.vacuous else ("holds", Exit.NOTHING_VIOLATED)
    return "holds", Exit.NOTHING_VIOLATED


def _counterexample(proof: Proof, folder: Path) -> tuple[list[str], dict[str, object] | None]:
    """The first finding, shrunk, as a ladder and as data."""
    first = proof.report.first
    if first is None:
        return [], None
    trace, replays = shortest(proof.terms, first)
    path = save(trace, folder)
    lines = [*ladder(trace), "", f"Shrunk in {replays:,} replays. Trace: {path}"]
    lines.append(f"Replay: stopmarker replay {shlex.quote(str(path))}")
    return lines, {**run_document(trace), "file": str(path)}


def _bounds(proof: Proof) -> str:
    terms = proof.terms
    named = ", ".join(f"{name}={value}" for name, value in terms.params)
    steps = proof.terms.make_world()().step_bound
    return f"{terms.scenario} ({named}), at most {steps:,} steps a run"


def _summary(proof: Proof, verdict: str) -> list[str]:
    report = proof.report
    ran = f"{report.schedules:,} inequivalent schedules, {report.steps:,} steps, {report.seconds:.1f} s"
    bounds = f"Bounds: {_bounds(proof)}."
    if verdict == "holds":
        reached = "".join(f" Reached: {name}." for name in report.witnesses)
        return [f"HOLDS: all {ran}.{reached}", bounds]
    if verdict == "vacuous":
        missed = ", ".join(report.vacuous)
        return [f"VACUOUS: no schedule reaches {missed!r} in all {ran}: nothing is shown about this variant.", bounds]
    if verdict == "violated":
        whole = "all " if report.complete else ""
        return [f"VIOLATED: {report.failing:,} of {whole}{ran}.", bounds]
    why = f"{report.bounded:,} runs reached the step bound" if report.bounded else "the budget ended"
    left = "" if proof.estimate is None or report.exhausted else f" Perhaps {_estimate(proof)} in all."
    return [f"NOT FOUND, and not proved: {why} after {ran}.{left}{_continuation(proof)}", bounds]


def _continuation(proof: Proof) -> str:
    if proof.checkpoint is None or proof.share.done:
        return ""
    return f" Continue with: stopmarker prove --resume {shlex.quote(str(proof.checkpoint))}"


def _estimate(proof: Proof) -> str:
    estimate = proof.estimate
    if estimate is None or math.isinf(estimate.high):
        return "?"
    return f"{estimate.traces:,.0f} ({estimate.low:,.0f} to {estimate.high:,.0f})"


def _sentence(proof: Proof, report: Report) -> str:
    rate = (report.schedules + report.cut) / report.seconds if report.seconds else 0.0
    mean = report.steps / report.schedules if report.schedules else 0.0
    left = "" if report.exhausted else f", estimated {_estimate(proof)} in all"
    return (
        f"schedules {report.schedules:,} ({rate:,.0f}/s, {mean:.0f} steps each, {report.cut:,} cut short), "
        f"violations {report.failing:,}{left}"
    )


def _document(proof: Proof, verdict: str, found: dict[str, object] | None) -> dict[str, object]:
    report, terms = proof.report, proof.terms
    return {
        "scenario": terms.scenario,
        "params": dict(terms.params),
        "bound": terms.make_world()().step_bound,
        "verdict": verdict,
        "complete": report.complete,
        "traces": report.schedules,
        "cut": report.cut,
        "failing": report.failing,
        "steps": report.steps,
        "seconds": round(report.seconds, 3),
        "witnesses": report.witnesses,
        "finding": found,
    }
