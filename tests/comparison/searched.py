"""What the project's search comes to on a program, and what of that differs from all interleavings."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import trio

from actors.runtime.controlled import Controlled, controlled
from actors.runtime.execution import Execution
from actors.runtime.world import Session, World
from tools.explore.dpor import Dpor
from tools.explore.search import Budget, Report, explore
from tools.explore.share import Share
from tools.explore.stack import Stack
from tools.proof import Proof
from tools.terms import Terms

from .enumeration import Class, Classes, Everything, Signature
from .generator import Draw
from .machine import Machine, State
from .program import Program

SCENARIO = "tests/comparison/scenario.py::seeded"


@dataclass(slots=True)
class Searched:
    """What a search saw."""

    program: Program
    classes: Classes
    report: Report = field(default_factory=Report)
    ends: list[tuple[Class, State, Signature | None]] = field(default_factory=list)
    """Of each run its class, its final state and its failure."""
    bound: int | None = None
    _machine: Machine | None = None
    _session: Session = field(default_factory=Session)

    def make_world(self) -> World:
        """A fresh world of the program."""
        world = World(self._session, frames=4)
        self._machine = Machine(self.program, world)
        world.step_bound = self.bound or world.step_bound
        return world

    def watch(self, execution: Execution) -> None:
        """Take a run into account."""
        names = [execution.world.actors[number].name for number in execution.actors]
        kind = self.classes.of(names, execution.steps, execution.outcomes)
        assert self._machine is not None
        finding = execution.finding
        self.ends.append((kind, self._machine.state(), finding.signature if finding else None))

    async def go(self, driver: Controlled, strategy: Dpor, schedules: int | None = None) -> bytes:
        """Search for so many schedules; what is left."""
        budget = Budget(schedules=schedules)
        self.report.merge(await explore(driver, self.make_world, strategy, budget, watch=self.watch))
        return strategy.stack.pack()

    def differences(self, everything: Everything) -> list[str]:
        """In what a search that came to its end differs from all interleavings."""
        found = []
        classes = [kind for kind, _, _ in self.ends]
        if set(classes) != set(everything.ends):
            found.append(f"{len(set(classes))} classes of {len(everything.ends)}")
        if len(set(classes)) != len(classes):
            found.append(f"{len(classes)} runs for {len(set(classes))} classes")
        if {state for _, state, _ in self.ends} != {end.state for end in everything.ends.values()}:
            found.append("other final states")
        failing = {kind for kind, _, failure in self.ends if failure is not None}
        if failing != set(everything.failures):
            found.append(f"{len(failing)} failing classes of {len(everything.failures)}")
        for kind, _, failure in self.ends:
            if failure is not None and failure not in everything.failures.get(kind, ()):
                found.append(f"{failure} in a class without it")
        verdict = self._verdict()
        if verdict != everything.verdict:
            found.append(f"{verdict} instead of {everything.verdict}")
        return found

    def _verdict(self) -> str:
        self.report.complete = not self.report.bounded
        return Proof(Terms(SCENARIO, ()), report=self.report).verdict


Way = Callable[[Searched, Controlled, Draw], "trio.lowlevel.Task"]


async def at_once(searched: Searched, driver: Controlled, draw: Draw) -> None:
    """One search on one core."""
    await searched.go(driver, Dpor())


async def first_who_can(searched: Searched, driver: Controlled, draw: Draw) -> None:
    """The other order of trying."""
    await searched.go(driver, Dpor(goes_on=False))


async def continued(searched: Searched, driver: Controlled, draw: Draw) -> None:
    """Written down and read again every few schedules, through what a checkpoint holds."""
    share = Share(hungry=0)
    while (task := share.take()) is not None:
        left = await searched.go(driver, Dpor(Stack.unpack(task)), 1 + draw.below(6))
        share.give(left)
        share = Share.unpack(share.pack())


async def killed(searched: Searched, driver: Controlled, draw: Draw) -> None:
    """Stopped at any moment: what was seen since the checkpoint is forgotten, and seen again."""
    first = Dpor()
    await searched.go(driver, first, 1 + draw.below(8))
    kept = first.stack.pack()
    report, ends = searched.report, list(searched.ends)
    if not first.stack.exhausted:
        searched.report = Report()
        await searched.go(driver, first, 1 + draw.below(8))
    searched.report, searched.ends = report, ends
    share = Share(stack=Stack.unpack(kept))
    while (task := share.take()) is not None:
        share.give(await searched.go(driver, Dpor(Stack.unpack(task))))


async def shared(searched: Searched, driver: Controlled, draw: Draw) -> None:
    """Cut into subtrees for several workers, whose turns end in any order."""
    share, out = Share(hungry=2 + draw.below(5)), list[bytes]()
    while not share.done:
        while len(out) < 2 + draw.below(2) and (task := share.take()) is not None:
            out.append(task)
        task = out.pop(draw.below(len(out)))
        share.give(await searched.go(driver, Dpor(Stack.unpack(task)), 1 + draw.below(4)))


WAYS = (at_once, first_who_can, continued, killed, shared)


def compare(program: Program, everything: Everything, classes: Classes, driver: Controlled, seed: int) -> None:
    """Not used."""


async def differences(
    driver: Controlled, program: Program, everything: Everything, classes: Classes, seed: int, ways: Sequence[object]
) -> list[str]:
    """In what each way of searching differs from all interleavings."""
    found = []
    for way in WAYS:
        if way in ways:
            searched = Searched(program, classes)
            await way(searched, driver, Draw(seed))
            found += [f"{way.__name__}: {difference}" for difference in searched.differences(everything)]
    return found
