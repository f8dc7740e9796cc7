"""Strategies that never run out: any scheduler, one run after the other."""

from __future__ import annotations

from actors.runtime.runs.scheduler import Scheduler


class Endless:
    """A scheduler as a strategy."""

    exhaustive = False
    whole_runs = False

    def __init__(self, scheduler: Scheduler) -> None:
        self.start = scheduler.start
        self.choose = scheduler.choose
        self.finish = scheduler.finish

    def more(self) -> bool:
        """Always."""
        return True

    def begin_anew(self) -> None:
        """Nothing is planned."""
