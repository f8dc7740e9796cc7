"""DPOR against brute force on random small programs: the same final states, and each class of runs exactly once."""

from __future__ import annotations

from hypothesis import HealthCheck, assume, example, given, settings

from actors.runtime.execution import Execution
from actors.runtime.world import Session, World
from tools.explore.bounded import Bounded, nothing
from tools.explore.dpor import Dpor
from tools.explore.search import Budget, Report, Strategy

from .programs import PROGRAMS, Machine, Program, final_state, trace
from .searching import search

INTERLEAVINGS = 600
"""Programs with more are left out: brute force is for small ones."""


def results(program: Program, strategy: Strategy) -> tuple[Report, set[object], set[object]]:
    """The report, the final states and the classes of runs that a strategy comes to."""
    session = Session()
    current: list[Machine] = []
    states: set[object] = set()
    traces: set[object] = set()

    def make() -> World:
        current[:] = [Machine(program, session)]
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
