"""The one loop that all strategies share: runs worlds until the strategy, the budget or the first finding ends it."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol

import trio

from actors.runtime.primitives.events import ENDLESS, Finding, oracle_name
from actors.runtime.primitives.sharing import Shared
from actors.runtime.runners.controlled import Controlled
from actors.runtime.runs.causality import causality_of
from actors.runtime.runs.data_races import DataRace, DataRaces, Key
from actors.runtime.runs.execution import Execution
from actors.runtime.runs.schedule import Schedule
from actors.runtime.runs.scheduler import Scheduler
from actors.runtime.runs.unordered import learn
from actors.runtime.world import World

BREATH = 256
"""Schedules between two Trio checkpoints: Ctrl-C, time limits and progress stay ordinary Trio code."""

LONG_BREATH = 0.05
"""Seconds after which a checkpoint comes earlier: long runs must not hold Trio up."""

ALL = 256
"""In the first so many runs of a search data races are looked for, whatever its strategy."""
SHARE = 16
"""Then in each one of so many, unless it sees everything."""
MakeWorld = Callable[[], World]


class Cut(Exception):
    """Raised by a strategy in `choose`: the rest of this run is known already."""


class Halted(Exception):
    """Raised by a strategy when a run is over: there was no time to learn from it, so it is to be made again."""

    def __init__(self, steps: int) -> None:
        super().__init__(steps)
        self.steps = steps


class Strategy(Scheduler, Protocol):
    """A scheduler that decides over many runs. `tools.explore` has many; none knows what an IOMMU is."""

    @property
    def exhaustive(self) -> bool:
        """Whether every behaviour was seen, should `more` now be False."""
        ...

    @property
    def whole_runs(self) -> bool:
        """Whether a run must go on after a finding: what it did not reach would hide races from the strategy."""
        ...

    def more(self) -> bool:
        """Whether a further run is worth making; asked before each."""
        ...

    def begin_anew(self) -> None:
        """Forget what was planned: steps are known to share more than the runs so far could tell."""
        ...


@dataclass(frozen=True, slots=True)
class Budget:
    """Where a search stops at the latest."""

    schedules: int | None = None
    steps: int | None = None
    seconds: float = math.inf


@dataclass(slots=True)
class FoundSignature:
    """All findings with one signature; `finding` and `schedule` are the first of them."""

    finding: Finding
    schedule: Schedule
    at: int
    """Which schedule of the search it was, from 1."""
    count: int = 1


@dataclass(slots=True)
class FoundRace:
    """A data race, and the first run that shows it."""

    race: DataRace
    schedule: Schedule
    at: int


@dataclass(slots=True)
class Report:
    """What a search came to."""

    schedules: int = 0
    cut: int = 0
    """Runs that a strategy gave up because all that follows is known (sleep-blocked); not counted as schedules."""
    failing: int = 0
    steps: int = 0
    bounded: int = 0
    """Runs that reached the step bound: a search with such runs proves nothing of what is longer."""
    seconds: float = 0.0
    found: dict[tuple[str, ...], FoundSignature] = field(default_factory=dict)
    witnesses: dict[str, bool] = field(default_factory=dict)
    exhausted: bool = False
    """The strategy has nothing left to run."""
    complete: bool = False
    """Every behaviour within the scenario's bounds was seen."""
    shared: Shared = ()
    """What steps share in Python's own objects, if a run has shown more of it than was known before."""
    races: dict[Key, FoundRace] = field(default_factory=dict)
    """The data races, if such accesses are known: no run ends with one."""
    looks_for_races: bool = False
    halted: int = 0
    """Steps of a run that is not counted, as there was no time to look for its races; 0 if none."""

    @property
    def vacuous(self) -> list[str]:
        """The witnesses that no run reached."""
        return [name for name, reached in self.witnesses.items() if not reached]

    @property
    def first(self) -> FoundSignature | None:
        """The finding that was met first."""
        return min(self.found.values(), key=lambda found: found.at, default=None)

    def add(self, execution: Execution) -> None:
        """Count one run."""
        self.schedules += 1
        self.steps += execution.index
        self.bounded += execution.outcome in ENDLESS
        for witness in execution.world.witnesses:
            name = oracle_name(witness)
            self.witnesses[name] = witness.reached or self.witnesses.get(name, False)
        finding = execution.finding
        if finding is not None:
            self.failing += 1
            known = self.found.get(finding.signature)
            if known is not None:
                known.count += 1
            else:
                assert execution.failing is not None
                self.found[finding.signature] = FoundSignature(finding, execution.failing, self.schedules)

    def add_races(self, execution: Execution, strategy: Strategy, look: DataRaces) -> None:
        """Take up the data races of the run that was counted last.

        A search that does not see everything anyhow looks at the first runs, and at a share of the others.
        """
        self.looks_for_races = look.mode != "ignore"
        is_due = strategy.exhaustive or self.schedules <= ALL or self.schedules % SHARE == 0
        if not is_due or not look.is_any(execution):
            return
        past = getattr(strategy, "past", ())
        if len(past) != execution.index:
            past = causality_of(execution).past
        for race in look.of(execution, past):
            self.races.setdefault(race.key, FoundRace(race, execution.schedule, self.schedules))

    def merge(self, other: Report) -> None:
        """Add what another process found; `complete` and the like are for the caller to say."""
        for found in other.found.values():
            found.at += self.schedules
            known = self.found.setdefault(found.finding.signature, found)
            if known is not found:
                known.count += found.count
        for key, race in other.races.items():
            race.at += self.schedules
            self.races.setdefault(key, race)
        self.looks_for_races |= other.looks_for_races
        for name, reached in other.witnesses.items():
            self.witnesses[name] = reached or self.witnesses.get(name, False)
        self.schedules += other.schedules
        self.cut += other.cut
        self.failing += other.failing
        self.steps += other.steps
        self.bounded += other.bounded
        self.halted = max(self.halted, other.halted)


class _Pace:
    """When a search lets Trio in: after so many runs, or after so long; the clock is asked less often while runs are
    short."""

    def __init__(self, before: float) -> None:
        self._last = trio.current_time()
        self._start = self._last - before
        self._turn, self._stride = 0, 1

    def is_due(self) -> bool:
        """After each run: whether it is time."""
        self._turn += 1
        is_long = self._turn % self._stride == 0 and trio.current_time() - self._last > LONG_BREATH
        self._stride = 1 if is_long else min(self._stride + 1, 8)
        return is_long or self._turn % BREATH == 0

    async def breathe(self) -> float:
        """Let Trio in; the seconds of the search so far."""
        await trio.lowlevel.checkpoint()
        self._last = trio.current_time()
        return self._last - self._start


async def explore(
    driver: Controlled,
    make_world: Callable[[], World],
    strategy: Strategy,
    budget: Budget | None = None,
    *,
    stop_at_first: bool = False,
    progress: Callable[[Report], None] | None = None,
    watch: Callable[[Execution], object] | None = None,
    report: Report | None = None,
) -> Report:
    """Run `strategy` until it has no more, the budget is used up, or (`stop_at_first`) something was found.

    `progress` is called at every Trio checkpoint, `watch` with every run that was not cut; an earlier `report` is
    continued, and the budget's counts then include it.
    """
    budget = budget or Budget()
    report = report or Report()
    pace, look = _Pace(report.seconds), None
    most = math.inf if budget.schedules is None else budget.schedules
    most_steps = math.inf if budget.steps is None else budget.steps
    more = strategy.more()
    while more and report.schedules < most and report.steps < most_steps and not (stop_at_first and report.found):
        try:
            execution = _attempt(driver, make_world, strategy, stop_at_first)
        except Halted as halted:
            report.halted = halted.steps
            break
        if execution is None:
            report.cut += 1
        else:
            report.add(execution)
            look = _learned(execution, strategy, report, look)
            if watch is not None:
                watch(execution)
        execution = None  # what it holds is freed, and is still in the caches when the next world is made of it
        if pace.is_due():
            report.seconds = await pace.breathe()
            if progress is not None:
                progress(report)
            if report.seconds >= budget.seconds:
                break
        more = strategy.more()
    report.seconds = await pace.breathe()
    report.exhausted = not strategy.more()
    report.complete = report.exhausted and strategy.exhaustive and not report.bounded
    return report


def _learned(execution: Execution, strategy: Strategy, report: Report, look: DataRaces | None) -> DataRaces | None:
    """Take up what a run shows beyond what it found: what its steps share, and its data races.

    What looks for the latter is returned.
    """
    sharing, session = execution.world.sharing, execution.world.session
    if sharing is not None and learn(execution, sharing):
        report.shared = sharing.known
        strategy.begin_anew()
        report.races.clear()  # what is shared may order them
        return None
    if not session.tells_marks:
        return None
    look = look or DataRaces(session.races)
    report.add_races(execution, strategy, look)
    return look


def _attempt(
    driver: Controlled, make_world: Callable[[], World], strategy: Strategy, stop_at_first: bool
) -> Execution | None:
    """One run; None if the strategy cut it."""
    try:
        return driver.run(make_world(), strategy, strategy.whole_runs and not stop_at_first)
    except Cut:
        return None
