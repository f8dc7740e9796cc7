"""Depth-first search over schedules within a bound: delays from a plain order, preemptions, or no bound at all.

The plain order is a *non-preemptive* round robin: an actor goes on until it cannot. (Over an order that rotates after
each step, holding one actor back for eight steps costs eight delays, and the bound hides what it should find.)
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from actors.runtime.runs.record import Record

Costs = Callable[[int, Sequence[int], bool], list[tuple[int, int]]]
"""(actor that acted last, options, whether they are outcomes) -> options with their costs, the cheapest first."""


def round_robin(last: int, options: Sequence[int]) -> list[int]:
    """The actor that acted last if it can go on, then the others in turn after it."""
    return [option for option in options if option >= last] + [option for option in options if option < last]


def delays(last: int, options: Sequence[int], outcome: bool) -> list[tuple[int, int]]:
    """Each actor that is passed over costs one; so does an outcome that is not the plain one (Emmi et al. 2011)."""
    if outcome:
        return [(option, min(option, 1)) for option in options]
    return [(option, skipped) for skipped, option in enumerate(round_robin(last, options))]


def preemptions(last: int, options: Sequence[int], outcome: bool) -> list[tuple[int, int]]:
    """To leave an actor that could go on costs one; all else is free (Musuvathi and Qadeer 2007)."""
    if outcome or last not in options:
        return [(option, 0) for option in (options if outcome else round_robin(last, options))]
    return [(option, int(option != last)) for option in round_robin(last, options)]


def nothing(last: int, options: Sequence[int], outcome: bool) -> list[tuple[int, int]]:
    """Every order is free: all interleavings, for small worlds."""
    return [(option, 0) for option in options]


class Bounded:
    """Runs every schedule whose choices cost at most `bound` together, the plain one first."""

    whole_runs = False

    def __init__(self, costs: Costs, bound: int = 0) -> None:
        self.bound = bound
        self.exhaustive = True  # until an alternative is too expensive
        self._costs = costs
        self._open: list[list[tuple[int, int]]] = []  # for each choice what is left to take, the current one last
        self._left = bound
        self._at = 0
        self._ready = True

    def more(self) -> bool:
        """Whether a schedule is left; goes back to the deepest choice that has an alternative."""
        if not self._ready:
            while self._open:
                self._open[-1].pop()
                if self._open[-1]:
                    self._ready = True
                    break
                self._open.pop()
        return self._ready

    def begin_anew(self) -> None:
        """What steps share decides nothing here."""

    def start(self, execution: Record) -> None:
        """Follow the choices so far, then the cheapest."""
        self._execution = execution
        self._at = 0
        self._left = self.bound

    def choose(self, options: Sequence[int], outcome: bool) -> int:
        """The planned choice, or the first of a new point."""
        if self._at == len(self._open):
            acted = self._execution.actors
            priced = self._costs(acted[-1] if acted else 0, options, outcome)
            affordable = [pair for pair in priced if pair[1] <= self._left]
            self.exhaustive = self.exhaustive and len(affordable) == len(priced)
            self._open.append(affordable[::-1])
        choice, cost = self._open[self._at][-1]
        self._left -= cost
        self._at += 1
        return choice

    def finish(self) -> None:
        """The schedule was run."""
        self._ready = False
