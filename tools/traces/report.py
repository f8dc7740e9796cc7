"""What the commands have in common to say about a run: the parts of JSON documents, and the exit code."""

from __future__ import annotations

from dataclasses import asdict

from actors.runtime.primitives.events import Finding

from ..terminal.exits import Exit
from .trace import Trace
from .verdicts import EXITS, VACUOUS, memory_of, worse


def run_document(trace: Trace) -> dict[str, object]:
    """A run without its steps: what it was, how it ended, how to make it again."""
    return {
        "scenario": trace.scenario,
        "params": dict(trace.params),
        "memory": memory_of(trace.params),
        "verdict": word(trace),
        "outcome": trace.outcome,
        "finding": finding_document(trace.finding),
        "steps": len(trace.steps),
        "token": trace.recipe.token(),
    }


def finding_document(finding: Finding | None) -> dict[str, object] | None:
    """A finding as data."""
    if finding is None:
        return None
    return {**asdict(finding), "outcome": finding.outcome.value}


def trace_document(trace: Trace) -> dict[str, object]:
    """All of a trace as data."""
    return {
        **run_document(trace),
        "stopmarker": trace.stopmarker,
        "actors": trace.actors,
        "schedule": trace.schedule,
        "step_records": [asdict(step) for step in trace.steps],
        "events": [{**asdict(event), "fields": dict(event.fields)} for event in trace.events],
    }


def verdict(trace: Trace) -> Exit:
    """The exit code of one run."""
    return EXITS.get(word(trace), Exit.NOTHING_VIOLATED)


def word(trace: Trace) -> str:
    """What one run came to: violated, error, vacuous if nobody took a step, or how it ended if nothing was found."""
    found = [] if trace.finding is None else [trace.finding.outcome]
    return worse(found) or (trace.outcome if trace.steps else VACUOUS)
