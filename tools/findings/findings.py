"""What a search found, kept: the trace of each distinct finding, shrunk unless asked not to, in memory and on disk."""

from __future__ import annotations

import math
import shlex
import time
from collections.abc import Collection, Iterable
from pathlib import Path

from loguru import logger

from ..experiments.terms import Terms
from ..explore.search import FoundSignature
from ..show.ladder import ladder
from ..show.rows import wrap
from ..terminal.exits import Refusal
from ..terminal.interrupt import StopRequest
from ..traces.report import run_document
from ..traces.store import save
from ..traces.trace import Trace
from .shrinking import as_found, shortest


class Findings:
    """Traces in the order in which the findings were met. After Ctrl-C the rest are kept as they were found."""

    def __init__(self, terms: Terms, folder: Path, shrinks: bool = True, given: Collection[str] = ()) -> None:
        self.traces: list[Trace] = []
        self.paths: list[Path | None] = []
        self.replays = 0
        self.stopped = False
        """Ctrl-C ended the shrinking."""
        self.late = False
        """The time for it was over."""
        self.failure: Refusal | None = None
        self._terms = terms
        self._folder = folder
        self._shrinks = shrinks
        self._given = given

    def keep(self, found: Iterable[FoundSignature], stop: StopRequest, until: float = math.inf) -> None:
        """Shrink, but no longer than the time (`time.monotonic`) `until`, and write; given parameters are kept."""
        for one in found:
            self._add(one, stop, until)

    def _add(self, found: FoundSignature, stop: StopRequest, until: float) -> None:
        is_late = time.monotonic() >= until
        self.late = self.late or is_late
        if self._shrinks and not is_late and not stop.requested and found.finding.oracle != MemoryError.__name__:
            shrunk = shortest(self._terms, found, stop, until=until, given=self._given)
            trace = shrunk.trace
            self.replays += shrunk.replays
            self.stopped = self.stopped or (shrunk.stopped and stop.requested)
            self.late = self.late or (shrunk.stopped and not stop.requested)
        else:
            trace = as_found(self._terms, found)
        path = None
        try:
            path = save(trace, self._folder)
            logger.info("trace written to {}", path)
        except Refusal as refusal:
            # The finding itself must not be lost with its file: the token in the ladder makes the run again.
            self.failure = refusal
        self.traces.append(trace)
        self.paths.append(path)

    def lines(self) -> list[str]:
        """The ladder of the first, and where the files of all are."""
        if not self.traces:
            return []
        lines = [*ladder(self.traces[0]), ""]
        if self.replays or self.stopped:
            end = ", until interrupted" if self.stopped else ", until its time was over" if self.late else ""
            lines += wrap(f"Shrunk in {self.replays:,} replays{self._lowered()}{end}.", "    ")
        for trace, path in zip(self.traces, self.paths, strict=True):
            if path is not None:
                oracle = trace.finding.oracle if trace.finding else trace.outcome
                lines += [f"Trace of {oracle}: {path}", f"Replay: stopmarker replay {shlex.quote(str(path))}"]
        return lines

    def _lowered(self) -> str:
        """Which parameters the first finding did not need as they were."""
        before = dict(self._terms.params)
        changed = [(name, value) for name, value in self.traces[0].params if value != before[name]]
        return "".join(f", with {name}={value} (default: {before[name]})" for name, value in changed)

    def documents(self) -> list[dict[str, object]]:
        """All of them as data."""
        return [
            {**run_document(trace), "file": None if path is None else str(path)}
            for trace, path in zip(self.traces, self.paths, strict=True)
        ]
