"""A run on one IOMMU speaks of its own queues, structures and commands, never of the other's."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace

import pytest

from actors.runtime.runs.scheduler import Fifo, RandomWalk
from scenarios import catalogue
from tools.experiments.experiment import open_experiment
from tools.traces.trace import Trace, record

SMMU_ALONE = r"PRIQ|EVTQ|CMDQ|STE|CD|STAG|ATC_INV|TLBI|CFGI|PRI_RESP|RESUME|smmu|SMMU"
VTD_ALONE = r"PRQ|IQ|IQT|PQT|PQH|PRS|PE|FRCD|page-group-response|vtd|VT-d"


def traces(name: str) -> Iterator[Trace]:
    """Two runs of each combination that a scenario states."""
    for row in catalogue.load(name).expected:
        experiment = open_experiment(name, dict(row.params))
        for scheduler in (Fifo(), RandomWalk(1)):
            execution = experiment.run_once(scheduler)
            yield record(experiment.recipe(execution.schedule), execution)


def texts(trace: Trace) -> set[str]:
    """All that a renderer writes about a run."""
    found = {step.what for step in trace.steps} | set(trace.actors)
    for event in trace.events:
        found |= {event.label, event.target or ""}
    return found | ({trace.finding.message} if trace.finding else set())


def foreign(trace: Trace) -> set[str]:
    """The texts that name what only another IOMMU has."""
    on_vtd = any(actor.startswith("vtd") for actor in trace.actors)
    word = re.compile(rf"(?<![\w-])({SMMU_ALONE if on_vtd else VTD_ALONE})(?![\w-])")
    return {text for text in texts(trace) if word.search(text)}


@pytest.mark.parametrize("name", [name for name in catalogue.MODULES if name not in catalogue.IN_C])
def test_no_text_of_a_run_names_what_only_the_other_iommu_has(name: str) -> None:
    assert {text for trace in traces(name) for text in foreign(trace)} == set()


def test_a_foreign_word_would_be_seen() -> None:
    on_smmu = next(traces("queue-ack"))
    assert foreign(on_smmu) == set()
    assert "irq PRIQ" in foreign(replace(on_smmu, actors=("vtd.link",)))
