"""What the project's search comes to on a program, and what of that differs from all interleavings."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from actors.runtime.controlled import Controlled
from actors.runtime.events import Outcome
from actors.runtime.execution import Execution
from actors.runtime.world import Session, World
from tools.explore.dpor import Dpor
from tools.explore.search import Budget, Report, explore
from tools.explore.share import Share
from tools.explore.stack import Stack
from tools.interrupt import StopRequest
from tools.proof import Proof
from tools.terms import Terms

from .enumeration import Class, Classes, Everything, Signature
from .generator import Draw
from .machine import Machine, State
from .program import NARROWING, Program, walk

SCENARIO = "tests/comparison/scenario.py::seeded"
FOREVER = 600.0


@dataclass(slots=True)
class Searched:
    """A search of a program, and what it saw."""

    program: Program
    classes: Classes
    bound: int | None = None
    report: Report = field(default_factory=Report)
    ends: list[tuple[Class, State, Signature | None]] = field(default_factory=list)
    """Of each run its class, its final state and its failure."""
    _machine: Machine | None = None
    _session: Session = field(default_factory=Session)

    def make_world(self) -> World:
        """A fresh world of the program."""
        world = World(self._session, frames=4)
        self._machine = Machine(self.program, world)
        world.step_bound = self.bound or world.step_bound
        return world

    async def go(self, driver: Controlled, strategy: Dpor, schedules: int | None = None) -> bytes:
        """Search for so many schedules; what is left."""
        budget = Budget(schedules=schedules)
        self.report.merge(await explore(driver, self.make_world, strategy, budget, watch=self._watch))
        return strategy.stack.pack()

    def _watch(self, execution: Execution) -> None:
        names = [execution.world.actors[number].name for number in execution.actors]
        kind = self.classes.of(names, execution.steps, execution.outcomes)
        assert self._machine is not None
        finding = execution.finding
        self.ends.append((kind, self._machine.state(), finding.signature if finding else None))

    def verdict(self) -> str:
        """What a proof would say of it."""
        self.report.complete = not self.report.bounded
        return Proof(Terms(SCENARIO, ()), report=self.report).verdict

    def differences(self, everything: Everything, *, once: bool) -> list[str]:
        """In what a search that came to its end differs from all interleavings; each class comes `once`, or more."""
        found = []
        classes = [kind for kind, _, _ in self.ends]
        if set(classes) != set(everything.ends):
            found.append(f"{len(set(classes))} classes of {len(everything.ends)}")
        if once and len(set(classes)) != len(classes):
            found.append(f"{len(classes)} runs for {len(set(classes))} classes")
        if {state for _, state, _ in self.ends} != {end.state for end in everything.ends.values()}:
            found.append("other final states")
        failing = {kind for kind, _, failure in self.ends if failure is not None}
        if failing != set(everything.failures):
            found.append(f"{len(failing)} failing classes of {len(everything.failures)}")
        for kind, _, failure in self.ends:
            if failure is not None and failure not in everything.failures.get(kind, ()):
                found.append(f"{failure} in a class without it")
        if self.verdict() != everything.verdict:
            found.append(f"{self.verdict()} instead of {everything.verdict}")
        return found


async def _at_once(searched: Searched, driver: Controlled, draw: Draw) -> None:
    """One search on one core."""
    await searched.go(driver, Dpor())


async def _first_who_can(searched: Searched, driver: Controlled, draw: Draw) -> None:
    """The other order of trying."""
    await searched.go(driver, Dpor(goes_on=False))


async def _continued(searched: Searched, driver: Controlled, draw: Draw) -> None:
    """Written down and read again every few schedules, as a checkpoint holds it."""
    share = Share(hungry=0)
    while (task := share.take()) is not None:
        left = await searched.go(driver, Dpor(Stack.unpack(task)), 1 + draw.below(6))
        share.give(left)
        share = Share.unpack(share.pack())


async def _killed(searched: Searched, driver: Controlled, draw: Draw) -> None:
    """Ended at any moment: what was seen since the checkpoint is forgotten, and seen again."""
    first = Dpor()
    kept = await searched.go(driver, first, 1 + draw.below(8))
    report, ends = searched.report, list(searched.ends)
    if not first.stack.exhausted:
        searched.report = Report()
        await searched.go(driver, first, 1 + draw.below(8))
    searched.report, searched.ends = report, ends
    share = Share(stack=Stack.unpack(kept))
    while (task := share.take()) is not None:
        share.give(await searched.go(driver, Dpor(Stack.unpack(task))))


async def _shared(searched: Searched, driver: Controlled, draw: Draw) -> None:
    """Cut into subtrees for several workers, whose turns end in any order."""
    share, out = Share(hungry=2 + draw.below(5)), list[bytes]()
    while not share.done:
        while len(out) < 2 + draw.below(2) and (task := share.take()) is not None:
            out.append(task)
        task = out.pop(draw.below(len(out)))
        share.give(await searched.go(driver, Dpor(Stack.unpack(task)), 1 + draw.below(4)))


Way = Callable[[Searched, Controlled, Draw], Awaitable[None]]
_ALONE: tuple[Way, ...] = (_at_once, _first_who_can)
_WAYS: tuple[Way, ...] = (*_ALONE, _continued, _killed, _shared)


async def differences(
    driver: Controlled, program: Program, everything: Everything, classes: Classes, seed: int
) -> list[str]:
    """In what each way of searching differs from all interleavings.

    A search that was written down does not know what somebody touched who touched less than he announced: such a class
    it may see more than once. So may any search if an outcome decides what is touched (`pickone`).
    """
    found = []
    names = {op.name for actor in program.actors for op in walk(actor.body)}
    for way in _WAYS:
        searched = Searched(program, classes)
        await way(searched, driver, Draw(seed))
        once = "pickone" not in names and (way in _ALONE or not names & NARROWING)
        found += [f"{way.__name__}: {difference}" for difference in searched.differences(everything, once=once)]
    return found


async def differences_within(
    driver: Controlled, program: Program, everything: Everything, classes: Classes, bound: int
) -> list[str]:
    """What a search within a step bound says that is not so: a failure that nobody meets, or that all is well."""
    searched = Searched(program, classes, bound)
    await searched.go(driver, Dpor())
    items = searched.report.found.items()
    found = {signature for signature, item in items if item.finding.outcome is not Outcome.BOUND}
    return _untrue(searched.verdict(), found, everything, bound)


def proof_differences(seed: int, everything: Everything, bound: int | None = None) -> list[str]:
    """The same of a whole proof, which stops at its first finding."""
    proof = Proof(Terms(SCENARIO, (("seed", seed),), bound))
    proof.run(FOREVER, 1, lambda report: None, StopRequest())
    found = {item.finding.signature for item in proof.violations}
    untrue = _untrue(proof.verdict, found, everything, bound or everything.longest)
    if bound is not None and proof.verdict == "not found":
        untrue.append(f"within {bound} steps, each of which was asked for: not found")
    return untrue


def _untrue(verdict: str, found: set[Signature], everything: Everything, bound: int) -> list[str]:
    real = everything.fails_within(bound)
    untrue = [f"within {bound} steps: {signature} is met by nobody" for signature in found - real]
    if verdict in ("holds", "vacuous", "holds up to the bound") and real:
        untrue.append(f"within {bound} steps: {verdict}, but {sorted(real)} is met")
    if bound >= everything.longest and verdict != everything.verdict:
        untrue.append(f"within {bound} steps, which is enough: {verdict} instead of {everything.verdict}")
    if bool(found) != (verdict == "violated"):
        untrue.append(f"within {bound} steps: {verdict} with {sorted(found)}")
    return untrue
