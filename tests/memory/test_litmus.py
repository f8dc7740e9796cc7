"""All litmus tests of `litmus.tsv`, as scenarios of the public face: the verdict, and every final state."""

from __future__ import annotations

import re

import pytest

from tests.memory.litmus import MODELS, Litmus, rows, scenario_of
from tests.searching import exhaust

LOAD_BUFFERING = {
    # In each a load sees what only a later store of its own CPU makes possible: a circle of program order and
    # reads-from, which `arm` leaves out, as each of its verdicts says. All other final states are there.
    *("LB+po+po", "LB+mb+po", "LB+data+po", "LB+ctrl+po", "LB+rel+po", "LB+wmb+wmb", "LB+inc.rlx-between+mb"),
    *("3.LB+po+po+po", "drv-desc+retire-ack-po", "drv-doorbell+slot-reuse-po", "drv-refcount+ld-acq"),
}


def ends_of(litmus: Litmus, model: str) -> frozenset[str]:
    """The final states of a test."""
    ends: set[str] = set()
    report = exhaust(scenario_of(litmus, ends), {"memory": model})
    assert report.complete
    assert not report.found
    return frozenset(ends)


def matches(state: str, outcome: str) -> bool:
    """Whether a final state is one that is asked about."""
    values = dict(pair.split("=") for pair in state.split(","))
    return all(values[name] == value for name, value in re.findall(r"(\w+)=(\S+)", outcome))


@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize("name", rows())
def test_final_states_are_those_that_herd_finds(name: str, model: str) -> None:
    litmus = rows()[name]
    ends, expected = ends_of(litmus, model), litmus.states[model]
    if model == "arm" and name in LOAD_BUFFERING:
        assert ends < expected
        return
    assert ends == expected
    assert any(matches(end, litmus.outcome) for end in ends) == litmus.allowed[model]


def test_what_is_left_out_is_what_the_rows_ask_about() -> None:
    for name in LOAD_BUFFERING:
        litmus = rows()[name]
        missing = litmus.states["arm"] - ends_of(litmus, "arm")
        assert litmus.allowed["arm"]
        assert any(matches(state, litmus.outcome) for state in missing)


def test_there_are_237() -> None:
    assert len(rows()) == 237
