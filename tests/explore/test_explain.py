"""Explanations: the orderings that make the small models fail, each with a schedule that breaks it and passes."""

from __future__ import annotations

from dataclasses import replace

import pytest
import trio

from actors.runtime.primitives.events import Note
from actors.runtime.runners.controlled import controlled
from actors.runtime.runs.execution import Execution
from actors.runtime.runs.scheduler import Replay
from actors.runtime.world import Cpu, World
from hw.bus import PhysAddr
from scenarios.drain.unbind_window import unbind_window
from scenarios.entries.attach_vs_share_asid import attach_vs_share_asid
from scenarios.scenario import Scenario, scenario
from tests.models import pri_window
from tests.running import of, runs
from tests.tools.worlds import lock_order
from tools.explore.dpor.dpor import Dpor
from tools.explore.reasons.explain import Explanation, explain
from tools.explore.reasons.orderings import Ordering
from tools.explore.reasons.shrink import shrink
from tools.explore.search import Budget, explore
from tools.explore.strategies.hitting import smallest_hitting_set
from tools.explore.strategies.pct import Pct
from tools.explore.strategies.points import points

from .searching import worlds


def explained(subject: Scenario, budget: Budget | None = None, **params: int | str) -> Explanation:
    """Search, shrink, explain; every schedule that the explanation offers is replayed and must pass."""

    async def program() -> Explanation:
        make = worlds(subject, **params)
        async with controlled() as driver:
            found = (await explore(driver, make, Dpor(), stop_at_first=True)).first
            assert found is not None
            shrunk = shrink(driver, make, Replay(found.schedule), found.finding.signature)
            result = await explain(driver, make, shrunk.schedule, budget)
            for schedule in (result.passing, *(reason.broken for reason in result.reasons)):
                assert schedule is not None
                assert driver.run(make(), Replay(schedule)).finding is None
            return result

    return trio.run(program)


@pytest.mark.parametrize(
    ("kind", "reasons"),
    [
        (
            "base",
            [("device: issue PPR", "unbind: store bind"), ("unbind: store bind (no. 2)", "worker: load bind")],
        ),
        (
            "hard",
            [("worker: load bind", "unbind: store bind"), ("unbind: store bind (no. 2)", "worker: load bind (no. 2)")],
        ),
    ],
)
@pytest.mark.parametrize("k", [1, 2])
def test_the_two_orderings_that_make_the_window(kind: str, k: int, reasons: list[tuple[str, str]]) -> None:
    result = explained(pri_window, kind=kind, k=k)
    sentences = [(str(reason.ordering.first), str(reason.ordering.second)) for reason in result.reasons]
    assert [tuple(text.split(" [")[0] for text in pair) for pair in sentences] == reasons
    assert result.decided
    assert result.open == ""
    assert all(reason.ordering.objects == (("word", 4096),) for reason in result.reasons)
    assert all(reason.ordering.first.line.startswith("models.py:") for reason in result.reasons)


@pytest.mark.parametrize(
    ("subject", "params", "exact", "failing"),
    [
        (pri_window, {"kind": "base", "k": 1}, True, 79),
        (pri_window, {"kind": "base", "k": 2}, False, 91),
        (unbind_window, {"drain": "none"}, True, 10),
        (attach_vs_share_asid, {"attach": "A1", "dma": "off"}, True, 1),
    ],
)
def test_any_schedule_that_keeps_the_orderings_fails(
    subject: Scenario, params: dict[str, int | str], exact: bool, failing: int
) -> None:
    """Also those that stand for their class only: 200 schedules drawn at random."""
    result = explained(subject, None, **params)
    assert result.exact == exact
    fails = 0
    for execution in runs(of(subject, params), 200, Pct(5)):
        keeps = all(keeps_order(execution, reason.ordering) for reason in result.reasons)
        has_failed = execution.finding is not None
        assert has_failed or not keeps
        assert keeps or not (has_failed and exact)
        fails += has_failed
    assert fails == failing


def keeps_order(execution: Execution, ordering: Ordering) -> bool:
    """The second step does not come without the first before it."""
    taken = points(execution)[: len(execution.steps)]
    first, second = (replace(point, line="") for point in ordering.points)
    return second not in taken or first in taken[: taken.index(second)]


@scenario()
def pointer(world: World) -> None:
    """The object that `which` names is loaded; the old one is cleared when the name has changed."""
    which, old, new = world.word("which", 0), world.word("old", 1), world.word("new", 1)

    @world.actor
    async def reader(cpu: Cpu) -> None:
        name = await cpu.load(which, "which")
        if not await cpu.load(new if name else old, "object"):
            cpu.emit(Note(subject="cleared"))

    @world.actor
    async def writer(cpu: Cpu) -> None:
        await cpu.store(which, 1, "which")
        await cpu.store(old, 0, "old")

    world.always("no cleared object is used", lambda note: f"{note.subject}")


def test_steps_that_race_in_the_failing_run_only_have_no_order_in_others() -> None:
    """What the reader looks at depends on what it read: its class passes in both orders of the second pair."""
    result = explained(pointer)
    assert [(one.ordering.first.what, one.ordering.second.what) for one in result.reasons] == [
        ("load which", "store which"),
        ("store old", "load object"),
    ]
    assert (result.exact, result.decided) == (True, True)


def test_the_reasons_are_among_what_all_failing_runs_share() -> None:
    result = explained(pri_window, kind="hard", k=1)
    assert {reason.ordering for reason in result.reasons} <= set(result.shared)
    assert (result.failing_runs, result.passing_runs) == (1, 9)


def test_what_the_budget_leaves_open_is_said() -> None:
    result = explained(pri_window, Budget(schedules=20), kind="hard", k=2)
    assert not result.decided
    assert result.open.startswith("20 of about ")


def test_a_deadlock_is_explained_by_steps_that_never_came() -> None:
    result = explained(lock_order)
    assert [(one.ordering.first.actor, one.ordering.second.actor) for one in result.reasons] == [("a", "b"), ("b", "a")]
    assert [one.ordering.first.what for one in result.reasons] == ["lock one", "lock two"]
    assert [one.ordering.second.what for one in result.reasons] == ["lock one", "lock two"]
    assert result.decided


@scenario()
def use_after_clear(world: World) -> None:
    """A use that is wrong because the clearing comes too late: the failing run ends before it."""
    word = world.word("word", 1)

    @world.actor
    async def user(cpu: Cpu) -> None:
        if await cpu.load(word):
            cpu.emit(Note(subject="used"))

    @world.actor
    async def clearer(cpu: Cpu) -> None:
        await cpu.store(await cpu_word(cpu), 0)

    async def cpu_word(cpu: Cpu) -> PhysAddr:
        await cpu.access("look up")
        return word

    world.always("nothing is used", lambda note: f"{note.subject}")


def test_what_comes_after_the_failure_can_be_its_reason() -> None:
    result = explained(use_after_clear)
    (reason,) = result.reasons
    assert (reason.ordering.first.actor, reason.ordering.second.actor) == ("user", "clearer")


def test_hitting_sets_are_smallest_and_first() -> None:
    assert smallest_hitting_set([0b011, 0b110, 0b101], 3) == [0, 1]
    assert smallest_hitting_set([0b111, 0b010], 3) == [1]
    assert smallest_hitting_set([], 3) == []
    assert smallest_hitting_set([0b011, 0b110], 3) == [1]
    assert smallest_hitting_set([0b0011, 0b1100], 4, lambda chosen: (-sum(chosen),)) == [1, 3]
    apart = [1 << number for number in range(9)]
    assert smallest_hitting_set([*apart, 0b11], 9) == list(range(9))
