"""The progress line of a terminal, rewritten in place."""

from __future__ import annotations

from rich.console import Console
from rich.status import Status

from .explore.search import Report
from .progress import Describe

_SECONDS_BETWEEN_UPDATES = 0.1


class RichProgress:
    """One line with a spinner, gone when the hunt is over."""

    def __init__(self, describe: Describe) -> None:
        self._describe = describe
        self._due = -1.0
        self._status = Status("starting", console=Console(stderr=True))

    def show(self, report: Report) -> None:
        """Rewrite the line when it is time."""
        if report.seconds >= self._due:
            if self._due < 0.0:
                self._status.start()  # not sooner: it is a thread, and worker processes are forked before there are any
            self._due = report.seconds + _SECONDS_BETWEEN_UPDATES
            self._status.update(self._describe(report))

    def close(self) -> None:
        """Take the line away."""
        self._status.stop()
