"""The progress line of a terminal, rewritten in place."""

from __future__ import annotations

import sys

from rich.console import Console
from rich.status import Status

from ..explore.search import Report
from .progress import Describe

_SECONDS_BETWEEN_UPDATES = 0.1
_SPINNER = 3
"""Columns that the spinner takes, and one that stays free."""


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
            width = self._status.console.width - _SPINNER
            line = self._describe(report)
            self._status.update(line if len(line) <= width else f"{line[: width - 1]}…")

    def close(self) -> None:
        """Take the line away."""
        self._status.stop()

    def end(self, report: Report) -> None:
        """A line that stays."""
        self.close()
        print(self._describe(report), file=sys.stderr, flush=True)
