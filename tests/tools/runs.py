"""How tests of the tools get a trace: a scenario of `worlds.py`, parameters, a seed."""

from __future__ import annotations

from actors.runtime.runs.schedule import ParamValue
from actors.runtime.runs.scheduler import Fifo, RandomWalk
from tools.experiments.experiment import Experiment, open_experiment
from tools.traces.trace import Trace, record

WORLDS = "tests/tools/worlds.py"


def experiment(name: str, **params: ParamValue) -> Experiment:
    """Of a scenario of `worlds.py`, or of a `file.py::name`."""
    return open_experiment(name if "::" in name else f"{WORLDS}::{name}", params)


def run(name: str, seed: int | None = None, **params: ParamValue) -> Trace:
    """The trace of one run, in the plain order or of a seed."""
    made = experiment(name, **params)
    execution = made.run_once(Fifo() if seed is None else RandomWalk(seed))
    return record(made.recipe(execution.schedule), execution)


def violating(name: str, **params: ParamValue) -> Trace:
    """The trace of the first seed that violates."""
    return next(trace for seed in range(100) if (trace := run(name, seed, **params)).outcome == "violated")
