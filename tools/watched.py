"""A scheduler with its run in reach, for who wants to say how far a run came that did not fit."""

from __future__ import annotations

from collections.abc import Sequence

from actors.runtime.execution import Execution
from actors.runtime.schedule import Scheduler


class Watched:
    """A scheduler, such as a replay's, with the run in reach even when that ends in a mismatch."""

    def __init__(self, scheduler: Scheduler, whole: bool = True) -> None:
        """If not the `whole` run is made, the scheduler is not asked whether it is at its end."""
        self.execution: Execution | None = None
        self.offer = ""
        self._scheduler = scheduler
        self._whole = whole

    def start(self, execution: Execution) -> None:
        """Remember the run."""
        self.execution = execution
        self._scheduler.start(execution)

    def choose(self, options: Sequence[int], outcome: bool) -> int:
        """The recorded choice; `offer` keeps what there was to choose from, for who reports a mismatch."""
        if outcome:
            self.offer = f"outcomes {', '.join(map(str, options))}"
        else:
            assert self.execution is not None
            self.offer = f"offered {', '.join(self.execution.world.actors[number].name for number in options)}"
        return self._scheduler.choose(options, outcome)

    def finish(self) -> None:
        """All choices must be used up by a whole run."""
        self.offer = "the run is over"
        if self._whole:
            self._scheduler.finish()
