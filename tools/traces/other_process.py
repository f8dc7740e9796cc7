"""A process that tells what runs come to under its own hash seed (see `tools.traces.determined`)."""

from __future__ import annotations

import json
import os
import sys

from ..experiments.experiment import open_experiment
from ..terminal.exits import Refusal
from .story import StoryRow, schedulers_of, stories


def main() -> None:
    """Read an order from stdin, write the stories to stdout; what a model prints goes nowhere."""
    answer = os.dup(1)
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 1)
    scenario, params, schedule = json.load(sys.stdin)
    schedulers = schedulers_of(None if schedule is None else tuple(schedule))
    try:
        told = stories(open_experiment(scenario, dict(params)), schedulers)
    except Refusal as refusal:
        told = [[StoryRow("", str(refusal), [], 0, [], [])] for _ in schedulers]
    with os.fdopen(answer, "w") as out:
        json.dump(told, out)


if __name__ == "__main__":
    main()
