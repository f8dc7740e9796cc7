"""Who an actor is, whatever the order in which actors are spawned: their numbers follow that order, this does not."""

from __future__ import annotations

from actors.runtime.runs.record import Record

Lineage = tuple[int, ...]
"""The number of an actor that is there from the beginning, and from it on which child it is (from 0)."""


class Lineages:
    """The actors of one run, which may still go on."""

    __slots__ = ("_children", "_execution", "_numbers", "_of")

    def __init__(self, execution: Record) -> None:
        self._execution = execution
        self._of: list[Lineage] = []
        self._numbers: dict[Lineage, int] = {}
        self._children: dict[int, int] = {}

    def of(self, actor: int) -> Lineage:
        """The lineage of an actor by its number."""
        self._grow()
        return self._of[actor]

    def number(self, lineage: Lineage) -> int:
        """The number of an actor; -1 if the run has none of this lineage."""
        self._grow()
        return self._numbers.get(lineage, -1)

    def _grow(self) -> None:
        born, actors, known = self._execution.born, self._execution.actors, self._of
        for actor in range(len(known), len(born)):
            lineage: Lineage = (actor,)
            if born[actor]:
                parent = actors[born[actor] - 1]
                child = self._children.get(parent, 0)
                self._children[parent] = child + 1
                lineage = (*known[parent], child)
            known.append(lineage)
            self._numbers[lineage] = actor
