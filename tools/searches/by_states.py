"""Searches by states: who starves under a fair schedule, and what a run that reached its bound goes round in."""

from __future__ import annotations

from collections.abc import Callable

from actors.runtime.runners.controlled import Controlled
from actors.runtime.runs.execution import Execution
from actors.runtime.world import World

from ..explore.search import Budget, MakeWorld, Report, explore
from ..explore.states.states import States, confirmed
from ..terminal.counting import counted
from ..terminal.exits import ModelError

MOST = 1_000
"""States that are looked at when a run has reached its bound."""
_MOST_STEPS = 300_000


async def circle(driver: Controlled, make_world: MakeWorld) -> Execution | None:
    """A run that goes round in a fair circle for ever, if one is found among the first states of a world."""
    make = _unwatched(make_world)
    states = States(make().must_finish, MOST)
    await explore(driver, make, states, Budget(steps=_MOST_STEPS))
    return confirmed(driver, make_world, states)


async def search_states(
    driver: Controlled,
    make_world: MakeWorld,
    states: States,
    budget: Budget,
    report: Report,
    progress: Callable[[Report], None],
) -> Report:
    """See all states, as far as the budget goes; ModelError if nobody is called as those who must finish.

    The report is complete only if there is no state left, and none that could not be told from others.
    """
    make = _unwatched(make_world)
    await explore(driver, make, states, budget, progress=progress, report=report)
    execution = confirmed(driver, make_world, states)
    if execution is not None:
        report.add(execution)
    report.steps = states.graph.edges
    for name, reached in states.witnesses.items():
        report.witnesses[name] = reached or report.witnesses.get(name, False)
    if report.complete:
        for name in make().must_finish:
            _refuse_stranger(name, states.names)
    return report


def _refuse_stranger(name: str, names: dict[str, bool]) -> None:
    if name not in names:
        raise ModelError(f"world.finishes({name!r}): no actor is called so; there are {', '.join(names)}")
    if names[name]:
        raise ModelError(f"world.finishes({name!r}): it is a daemon, which need not finish")


def _unwatched(make_world: MakeWorld) -> MakeWorld:
    """Worlds of which nobody notes what their steps share: all their orders are tried anyhow."""

    def make() -> World:
        world = make_world()
        world.sharing = None
        return world

    return make


def said_of(states: States, report: Report) -> str:
    """What a search by states came to, in a sentence or two."""
    graph = states.graph
    met = f"{counted(len(graph.states), 'state')}, {counted(graph.edges, 'step')} from them, {report.seconds:.1f} s"
    names = " and ".join(states.must_finish)
    if report.found:
        return f"VIOLATED: found among {met}."
    if not report.complete:
        why = states.unclear or _why_not(states, report)
        return f"NOT FOUND, and not proved: {why} after {met}. A fair schedule may yet keep {names} from finishing."
    if report.vacuous or not report.steps:
        missed = ", ".join(report.vacuous)
        return f"VACUOUS: nobody reaches {missed!r} in {met}: nothing is shown about this variant."
    reached = "".join(f" Reached: {name}." for name in report.witnesses)
    return (
        f"HOLDS: all {met}, each tried, without partial-order reduction. {names} "
        f"{'finishes' if len(states.must_finish) == 1 else 'finish'} under every fair schedule.{reached}"
    )


def _why_not(states: States, report: Report) -> str:
    if report.bounded:
        return f"{counted(report.bounded, 'run')} reached the step bound"
    return "the search ended with states untried"
