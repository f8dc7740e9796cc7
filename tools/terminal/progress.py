"""Progress of a hunt on stderr: how fast, and what was found; never a percentage that nobody knows."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Protocol

from ..explore.search import Report

_SECONDS_BETWEEN_LINES = 2.0
Describe = Callable[[Report], str]
"""The state of a search in one line."""


class Progress(Protocol):
    """Shows how a hunt goes."""

    def show(self, report: Report) -> None:
        """Called often; says something only when it is time."""
        ...

    def close(self) -> None:
        """Leave nothing open; more than once does no harm."""
        ...

    def end(self, report: Report) -> None:
        """The hunt is over: say how it stands, unless that was the last thing said."""
        ...


def sentence(report: Report) -> str:
    """The state of a hunt in one line."""
    rate = report.schedules / report.seconds if report.seconds else 0.0
    return (
        f"schedules {report.schedules:,} ({rate:,.0f}/s), violations {report.failing:,}, distinct {len(report.found):,}"
    )


class PlainProgress:
    """A line at once, then one every two seconds: for logs."""

    def __init__(self, describe: Describe) -> None:
        self._describe = describe
        self._due = 0.0
        self._said: object = None

    def show(self, report: Report) -> None:
        """A line when it is time."""
        if report.seconds >= self._due:
            self._due = report.seconds + _SECONDS_BETWEEN_LINES
            self.end(report)

    def close(self) -> None:
        """Leave nothing open."""

    def end(self, report: Report) -> None:
        """A line now."""
        line = self._describe(report)
        counts = (report.schedules, report.failing, report.cut) if report.schedules else line
        if counts != self._said:
            self._said = counts
            print(line, file=sys.stderr, flush=True)
