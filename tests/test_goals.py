"""Goals: parts in order, full and partial; they listen and change no run."""

from __future__ import annotations

import pytest

from actors.runtime.primitives.events import Note
from actors.runtime.primitives.goals import InOrder, Part, progress
from actors.runtime.world import Cpu, World
from drivers.events.binding import PageRequestTaken, PasidFreed, TeardownBegun
from hw.events.link import PageRequestQueued, PageRequestRefused
from scenarios.parameters import one_of
from scenarios.scenario import scenario
from scenarios.witnesses.goals import RequestsOfTwoBindings, overflow_while_unbinding
from tests.explore.searching import search, worlds
from tools.campaign.coverage import Coverage
from tools.explore.dpor.dpor import Dpor

BEGUN = TeardownBegun(pasid=1)
REFUSED = PageRequestRefused(queue="PRIQ", ordinal=1, pasid=1, prgi=0, last=True, marker=False, code=0)
FREED = PasidFreed(pasid=1, binding=1)


@pytest.mark.parametrize(
    ("events", "met", "reached"),
    [
        ([], 0, False),
        ([REFUSED], 0, False),
        ([BEGUN], 1, False),
        ([BEGUN, FREED, REFUSED], 1, False),
        ([BEGUN, REFUSED], 2, True),
        ([BEGUN, REFUSED, FREED], 2, True),
        ([REFUSED, FREED, BEGUN, REFUSED], 2, True),
    ],
)
def test_parts_count_in_their_order_until_what_ends_the_wait(events: list[object], met: int, reached: bool) -> None:
    goal = overflow_while_unbinding()
    for event in events:
        goal.observe(event)
    assert (goal.met, goal.reached, progress(goal)) == (met, reached, (met, 2))


def test_requests_of_two_bindings_must_be_in_the_queue_at_once() -> None:
    def queued(number: int, binding: int, marker: bool = False) -> PageRequestQueued:
        return PageRequestQueued(
            queue="PRIQ", number=number, ordinal=number, pasid=1, prgi=0, last=True, marker=marker, binding=binding
        )

    one_by_one, together = RequestsOfTwoBindings(), RequestsOfTwoBindings()
    for event in (
        queued(1, 1),
        PageRequestTaken(number=1, pasid=1, marker=False, queue="PRIQ"),
        queued(2, 2),
        queued(3, 1, True),
    ):
        one_by_one.observe(event)
    for event in (queued(1, 1), queued(2, 2)):
        together.observe(event)
    assert (progress(one_by_one), progress(together)) == ((1, 2), (2, 2))


def said(words: str) -> Note:
    return Note(subject="door", value=words)


@scenario(goals=one_of("no", "yes", default="no", meaning="whether anybody listens"))
def two_writers(world: World, goals: str) -> None:
    """Each of two actors notes that it comes and goes."""
    for name in ("a", "b"):

        async def write(cpu: Cpu) -> None:
            await cpu.note("door", f"{cpu.name} comes")
            await cpu.note("door", f"{cpu.name} goes")

        world.add_actor(name, write)
    if goals == "yes":
        parts = [Part(Note, said(words).__eq__) for words in ("a comes", "b comes", "a goes")]
        world.goal(InOrder("b comes while a is there", *parts), InOrder("never", Part(Note, said("c comes").__eq__)))
        world.sometimes("a comes", lambda note: note.value == "a comes")


def test_goals_are_counted_in_full_and_in_part_over_all_schedules() -> None:
    coverage = Coverage()
    report = search(worlds(two_writers, goals="yes"), Dpor(), watch=coverage.add)
    # Of the six orders, b comes between the coming and the going of a in two: then b goes, or a does.
    assert coverage.goals == {"a comes": (6, 0), "b comes while a is there": (2, 4), "never": (0, 0)}
    assert report.vacuous == []


def test_goals_change_no_run() -> None:
    def runs(goals: str) -> list[tuple[int, ...]]:
        found: list[tuple[int, ...]] = []
        search(worlds(two_writers, goals=goals), Dpor(), watch=lambda execution: found.append(execution.schedule))
        return found

    assert runs("no") == runs("yes")
    assert len(runs("no")) == 6
