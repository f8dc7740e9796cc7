"""DPOR by exact numbers: the two small models, the classical families, and the ways to cut and continue a search."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from actors.runtime.primitives.events import Outcome
from actors.runtime.runs.schedule import ParamValue
from actors.runtime.runs.scheduler import Replay
from actors.runtime.world import Cpu, World
from scenarios.catalogue import load
from scenarios.parameters import number
from scenarios.scenario import Scenario, scenario
from tests.models import pri_window
from tools.explore.dpor.dpor import Dpor
from tools.explore.dpor.estimate import Estimate, Estimator
from tools.explore.dpor.share import Share
from tools.explore.dpor.stack import Stack, StackError
from tools.explore.search import Budget, Report
from tools.explore.strategies.bounded import Bounded, nothing

from .families import filesystem, indexer, lastzero, readers
from .searching import search, worlds


@pytest.mark.parametrize(
    ("kind", "k", "traces", "buggy"),
    [
        ("base", 1, 6, 1),
        ("base", 2, 20, 5),
        ("base", 3, 50, 15),
        ("hard", 1, 10, 1),
        ("hard", 2, 42, 4),
        ("hard", 3, 120, 10),
    ],
)
def test_the_small_models_have_exactly_the_published_traces(kind: str, k: int, traces: int, buggy: int) -> None:
    report = search(worlds(pri_window, kind=kind, k=k), Dpor())
    assert (report.schedules, report.failing, report.cut) == (traces, buggy, 0)
    assert report.complete
    assert len(report.found) <= k


@pytest.mark.parametrize("kind", ["base", "hard"])
def test_the_first_bug_is_the_second_run(kind: str) -> None:
    report = search(worlds(pri_window, kind=kind), Dpor(), stop_at_first=True)
    assert report.schedules == 2
    assert not report.complete


def test_brute_force_agrees_with_the_published_number_of_interleavings() -> None:
    report = search(worlds(pri_window, kind="base", k=1), Bounded(nothing))
    assert (report.schedules, report.failing, report.complete) == (55, 21, True)


@pytest.mark.parametrize(
    ("family", "n", "traces"),
    [
        (readers, 2, 4),
        (readers, 8, 256),
        (lastzero, 5, 64),
        (indexer, 11, 1),
        (indexer, 12, 8),
        (filesystem, 13, 1),
        (filesystem, 14, 2),
        (filesystem, 16, 8),
        (filesystem, 18, 32),
    ],
)
def test_the_classical_families_have_the_published_traces(family: Scenario, n: int, traces: int) -> None:
    report = search(worlds(family, n=n), Dpor())
    assert (report.schedules, report.complete) == (traces, True)


@scenario(was=number(0, 1, default=0, meaning="what the flag was"))
def late_poll(world: World, was: int) -> None:
    """Somebody raises a flag, and somebody else has something to do before it polls that flag."""
    flag = world.word("flag", was)

    @world.actor
    async def raises(cpu: Cpu) -> None:
        await cpu.store(flag, 1)

    @world.actor
    async def polls(cpu: Cpu) -> None:
        await cpu.access("prepare")
        await cpu.poll(flag, lambda value: value == 1, "the flag is up")


@pytest.mark.parametrize(("was", "traces"), [(0, 1), (1, 2)])
def test_a_poll_is_tried_before_a_store_only_if_it_did_not_wait_for_it(was: int, traces: int) -> None:
    report = search(worlds(late_poll, was=was), Dpor())
    assert (report.schedules, report.cut, report.complete) == (traces, 0, True)


@scenario()
def late_handler(world: World) -> None:
    """An interrupt is raised twice, and its handler has something to do before it waits for it."""
    irq = world.interrupt("line")

    @world.actor
    async def raises(cpu: Cpu) -> None:
        for _ in range(2):
            await cpu.access("raise", writes=(irq.resource,))
            irq.raise_now()

    async def handles(cpu: Cpu) -> None:
        await cpu.access("prepare")
        while True:
            await irq.take(cpu)

    world.add_actor("handles", handles, daemon=True)


def test_an_interrupt_is_not_taken_before_the_edge_that_latches_it() -> None:
    report = search(worlds(late_handler), Dpor())
    assert (report.schedules, report.cut, report.complete) == (2, 0, True)


@pytest.mark.parametrize(
    ("name", "given", "traces", "cut"),
    [
        ("unbind-window", {}, 1_194, 0),
        ("cmdq-issue", {}, 412, 0),
        ("sva-unbind-era", {}, 327, 0),
        ("unbind-window", {"drain": "full"}, 415, 2),
        ("unbind-window", {"drain": "full", "iommu": "vtd"}, 481, 146),
        ("itag-reuse", {}, 108, 0),
        ("tlbi-vs-atc", {}, 167, 5),
    ],
)
def test_hardly_a_run_of_a_shipped_scenario_is_cut_short(
    name: str, given: dict[str, ParamValue], traces: int, cut: int
) -> None:
    report = search(worlds(load(name), **given), Dpor())
    assert (report.schedules, report.cut, report.complete) == (traces, cut, True)


def test_a_finding_can_be_replayed_though_the_search_went_on_after_it() -> None:
    make = worlds(pri_window, kind="hard")
    found = search(make, Dpor()).first
    assert found is not None

    class Again(Replay):
        exhaustive, whole_runs = False, False

        def more(self) -> bool:
            return True

        def begin_anew(self) -> None:
            pass

    again = search(make, Again(found.schedule), Budget(schedules=1)).first
    assert again is not None
    assert again.finding == found.finding


def test_a_search_can_be_written_down_and_continued() -> None:
    make = worlds(pri_window, kind="hard", k=3)
    first = Dpor()
    report = search(make, first, Budget(schedules=47))
    assert not report.exhausted
    rest = search(make, Dpor(Stack.unpack(first.stack.pack())))
    assert report.schedules + rest.schedules == 120
    assert report.failing + rest.failing == 10


def test_what_is_no_stack_is_refused() -> None:
    with pytest.raises(StackError, match="version 9"):
        Stack.unpack(b"\x95\x09\x00\xc2\x90\x90")
    with pytest.raises(StackError, match="read search state"):
        Stack.unpack(b"\x01")


@scenario()
def dice(world: World) -> None:
    """Two actors with outcomes of their own that meet in a word."""
    word = world.word("word")

    async def throw(cpu: Cpu) -> None:
        await cpu.store(word, await cpu.choose("dice", 3))

    world.add_actor("a", throw)
    world.add_actor("b", throw)


def test_outcomes_branch_over_their_domain() -> None:
    assert search(worlds(dice), Dpor()).schedules == 3 * 3 * 2


@pytest.mark.parametrize(("budget", "hungry"), [(1, 3), (3, 100), (7, 2)])
@pytest.mark.parametrize(
    ("family", "params", "traces"),
    [(pri_window, {"kind": "hard", "k": 2}, 42), (readers, {"n": 6}, 64), (dice, {}, 18), (lastzero, {"n": 5}, 64)],
)
def test_subtrees_add_up_to_the_whole(
    family: Scenario, params: dict[str, ParamValue], traces: int, budget: int, hungry: int
) -> None:
    share, total, make = Share(hungry), Report(), worlds(family, **params)
    tasks = 0
    while (task := share.take()) is not None:
        strategy = Dpor(Stack.unpack(task))
        total.merge(search(make, strategy, Budget(schedules=budget)))
        share.give(strategy.stack.pack())
        tasks += 1
    assert share.done
    assert total.schedules == traces
    assert tasks > 1


def test_the_estimate_ends_at_the_true_number() -> None:
    make, strategy = worlds(pri_window, kind="hard", k=3), Dpor()
    search(make, strategy, Budget(schedules=60))
    midway = strategy.estimate()
    assert midway.factor is not None
    assert midway.traces / midway.factor <= 120 <= midway.traces * midway.factor
    search(make, strategy)
    assert strategy.estimate() == Estimate(120, 1.0)


def test_a_first_guess_has_no_error_and_later_ones_have_that_of_those_before() -> None:
    estimator = Estimator()
    assert str(estimator.estimate(0, 0.0)) == "?"
    assert str(estimator.estimate(10, 0.01)) == "1,000 (a first guess)"
    for runs, explored in ((10, 0.01), (20, 0.04), (40, 0.02)):
        estimator.note(runs, explored)
    assert estimator.estimate(80, 0.08) == Estimate(1000, 2)
    assert str(estimator.estimate(80, 0.08)) == "1,000 (500 to 2,000)"


@scenario()
def endless(world: World) -> None:
    """An actor that never ends."""
    word = world.word("word")
    world.step_bound = 20

    @world.actor
    async def spinner(cpu: Cpu) -> None:
        while await cpu.load(word) == 0:
            pass

    @world.actor
    async def writer(cpu: Cpu) -> None:
        await cpu.store(word, 1)


def test_a_step_bound_that_was_hit_leaves_the_search_incomplete() -> None:
    report = search(worlds(endless), Dpor())
    assert report.exhausted
    assert report.bounded == 2  # the writer goes after the bound, or as its last step
    assert not report.complete
    assert [found.finding.outcome for found in report.found.values()] == [Outcome.BOUND]


@dataclass(frozen=True)
class Token:
    """A message."""


@scenario()
def two_takers(world: World) -> None:
    """One message, two receivers: either may be the one that is stuck."""
    port = world.port("port", Token)

    @world.actor
    async def a(cpu: Cpu) -> None:
        await cpu.receive(port)

    @world.actor
    async def b(cpu: Cpu) -> None:
        await cpu.receive(port)

    @world.actor
    async def sender(cpu: Cpu) -> None:
        await cpu.send(port, Token())


def test_a_step_that_never_comes_is_tried_where_it_could_have() -> None:
    report = search(worlds(two_takers), Dpor())
    assert {found.finding.objects for found in report.found.values()} == {("a",), ("b",)}


class Rewritten(Dpor):
    """A search that is written down and read again every so many runs."""

    def __init__(self, every: int) -> None:
        super().__init__()
        self._every = self._due = every

    def more(self) -> bool:
        more = super().more()
        if more and self.schedules >= self._due:
            runs, due = self.schedules, self.schedules + self._every
            super().__init__(Stack.unpack(self.stack.pack()))
            self.schedules, self._due = runs, due
            return super().more()
        return more


@pytest.mark.parametrize("every", [3, 20, 130])
@pytest.mark.parametrize(
    ("name", "given", "traces", "failing"),
    [
        ("prq-drain", {"driver": "right"}, 261, 0),
        ("prq-drain", {"driver": "none", "find": "report", "watch": "handled"}, 174, 56),
        ("unbind-window", {"drain": "full"}, 415, 0),
        ("exit-window", {"fpd": "6.14", "traffic": "ats", "order": "O5", "rogue": 1}, 676, 2),
    ],
)
def test_a_search_that_is_written_down_again_and_again_loses_no_class(
    name: str, given: dict[str, ParamValue], traces: int, failing: int, every: int
) -> None:
    """Once what was planned was read without its footprints, and 189 of the 261 were left."""
    report = search(worlds(load(name), **given), Rewritten(every))
    assert (report.schedules, report.failing, report.complete) == (traces, failing, True)
