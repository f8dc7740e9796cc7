"""What a search has seen: ordered conflicting pairs and goals, each with the number of schedules that had it.

All of it is one dict of `key -> count`, and two of them are merged by adding, in any order: shards, workers and nodes
need nothing else. The keys are words that no parameter, run or machine changes (`tools.explore.strategies.pairs`):

    schedules                                              how many were added
    samples                                                of how many the pairs were looked at
    pair device: send DMA write -> reclaim: free page # of mm A @ device ATC
    goal the queue overflows while its PASID is unbound    reached
    part the queue overflows while its PASID is unbound    not reached, but some of its parts were
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from actors.runtime.primitives.events import oracle_name
from actors.runtime.primitives.goals import progress
from actors.runtime.primitives.session import Session
from actors.runtime.runs.execution import Execution

from ..explore.strategies.pairs import Pairs

SCHEDULES = "schedules"
SAMPLES = "samples"
PAIR = "pair "
GOAL = "goal "
PART = "part "


class Coverage:
    """Counts of one search, or the sum of several.

    Pairs are looked at in every schedule, or in the `first` ones and from then on in each `every`-th: what that misses
    is missed for good, what it saves is a tenth of a search. Goals are counted always.
    """

    def __init__(self, counts: Mapping[str, int] | None = None, *, every: int = 1, first: int = 0) -> None:
        if every < 1:
            raise ValueError(f"look at each {every}-th schedule: 1 or more is allowed")
        self.counts: dict[str, int] = dict(counts or {})
        """What there is to store; `Coverage(counts)` is this again."""
        self.every = every
        self.first = first
        self._session: Session | None = None
        self._pairs: Pairs | None = None

    def add(self, execution: Execution) -> int:
        """Count a run; how many pairs and goals it has that no run before it had."""
        counts = self.counts
        number = counts.get(SCHEDULES, 0)
        counts[SCHEDULES] = number + 1
        seen: Iterable[str] = ()
        if number < self.first or number % self.every == 0:
            counts[SAMPLES] = counts.get(SAMPLES, 0) + 1
            seen = self._finder(execution).of(execution)
        new = 0
        for key in (*seen, *self._goals(execution)):
            count = counts.get(key, 0)
            new += not count
            counts[key] = count + 1
        return new

    def _finder(self, execution: Execution) -> Pairs:
        session = execution.world.session
        if self._session is not session or self._pairs is None:
            self._session, self._pairs = session, Pairs(session, PAIR)
        return self._pairs

    def _goals(self, execution: Execution) -> list[str]:
        """The goals that a run reached or came near; those that it did not are counted with 0."""
        world = execution.world
        keys = []
        for goal in (*world.witnesses, *world.goals):
            name = oracle_name(goal)
            met, parts = progress(goal)
            full = GOAL + name
            if met == parts:
                keys.append(full)
            else:
                self.counts.setdefault(full, 0)
                if met:
                    keys.append(PART + name)
        return keys

    def merge(self, other: Coverage | Mapping[str, int]) -> None:
        """Add the counts of another search."""
        for key, count in (other.counts if isinstance(other, Coverage) else other).items():
            self.counts[key] = self.counts.get(key, 0) + count

    @property
    def schedules(self) -> int:
        """How many runs were added."""
        return self.counts.get(SCHEDULES, 0)

    @property
    def pairs(self) -> dict[str, int]:
        """In how many of the runs that were looked at each pair was seen; in alphabetical order."""
        return dict(self._under(PAIR))

    @property
    def goals(self) -> dict[str, tuple[int, int]]:
        """For each goal the runs that reached it, and those that met only some of its parts; in alphabetical order.

        A goal that no run came near is there with (0, 0) if any run declared it.
        """
        partial = dict(self._under(PART))
        return {name: (full, partial.get(name, 0)) for name, full in self._under(GOAL)}

    def _under(self, prefix: str) -> Iterator[tuple[str, int]]:
        return ((key[len(prefix) :], self.counts[key]) for key in sorted(self.counts) if key.startswith(prefix))
