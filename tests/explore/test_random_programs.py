"""DPOR against brute force on random small programs: the same final states, and each class of runs exactly once."""

from __future__ import annotations

from hypothesis import HealthCheck, assume, example, given, settings
from hypothesis import strategies as st

from actors.runtime.execution import Execution
from actors.runtime.world import Session, World
from tools.explore.bounded import Bounded, nothing
from tools.explore.dpor import Dpor
from tools.explore.search import Budget, Report, Strategy
from tools.explore.stack import Stack

from .programs import PROGRAMS, Machine, Program, final_state, trace
from .searching import search

INTERLEAVINGS = 600
"""Programs with more are left out: brute force is for small ones."""


def results(program: Program, strategy: Strategy, bound: int | None = None) -> tuple[Report, set[object], set[object]]:
    """The report, the final states and the classes of runs (of at most `bound` steps) that a strategy comes to."""
    session = Session()
    current: list[Machine] = []
    states: set[object] = set()
    traces: set[object] = set()

    def make() -> World:
        current[:] = [Machine(program, session)]
        if bound is not None:
            current[0].world.step_bound = current[0].world.stop_at = bound
        return current[0].world

    def watch(execution: Execution) -> None:
        states.add(final_state(current[0], execution))
        traces.add(trace(execution))

    report = search(make, strategy, Budget(schedules=INTERLEAVINGS), watch=watch)
    return report, states, traces


@settings(max_examples=300, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
@given(PROGRAMS)
@example(((("store", 1, 2),), (("locked", 0, ()), ("rmw", 0)), (("wait both", 1),)))
@example(((("store", 1, 1),), (("store", 1, 2), ("rmw", 0)), (("store", 0, 0),), (("wait both", 2),)))
@example(((("locked", 0, ()),), (("raise",), ("irq",)), (("irq",), ("locked", 0, ()))))
@example(((("store", 0, 0),), (("irq",),), (("irq",), ("load", 0)), (("raise",),)))
@example(
    (
        (("receive", 0),),
        (("send", 0, 0), ("send", 0, 2)),
        (("send", 0, 2),),
        (("receive", 0), ("receive", 0), ("send", 0, 2)),
    )
)
@example(  # a completion comes after no posted request that was sent behind it (once one bit stood for all arrivals)
    ((("take posted",),), (("complete", 1), ("post", 2)), (("take completion",), ("load", 0)))
)
@example(  # whoever sleeps is no excuse before what he raced with is planned to its end
    ((("store", 0, 0),), (("spawn", (("post", 0), ("wait", 0, 1))), ("post", 0)))
)
@example(((("fetch",),), (("store", 1, 2), ("store", 0, 2)), (("fetch",),)))
def test_dpor_sees_what_brute_force_sees_and_nothing_twice(program: Program) -> None:
    brute, all_states, all_traces = results(program, Bounded(nothing))
    assume(brute.complete)
    report, states, traces = results(program, Dpor())
    assert report.complete
    assert states == all_states
    assert traces == all_traces
    assert report.schedules == len(all_traces)


@settings(max_examples=300, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
@given(PROGRAMS, st.integers(1, 7))
@example(((("send", 0, 0), ("send", 0, 1)), (("store", 0, 0),), (("wait", 0, 0), ("locked", 0, ()))), 3)
def test_a_search_that_tries_everything_sees_every_run_up_to_its_bound_and_nothing_twice(
    program: Program, bound: int
) -> None:
    brute, all_states, all_traces = results(program, Bounded(nothing), bound)
    assume(brute.exhausted)
    report, states, traces = results(program, Dpor(Stack(everything=True)), bound)
    assert report.exhausted
    assert states == all_states
    assert traces == all_traces
    assert report.schedules == len(all_traces)
