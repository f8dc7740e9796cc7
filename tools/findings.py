"""What a search found, kept: the trace of each distinct finding, shrunk unless asked not to, in memory and on disk."""

from __future__ import annotations

import shlex
from collections.abc import Iterable
from pathlib import Path

from loguru import logger

from .exits import Refusal
from .explore.search import Found
from .interrupt import StopRequest
from .report import run_document
from .show.ladder import ladder
from .shrinking import as_found, shortest
from .store import save
from .terms import Terms
from .trace import Trace


class Findings:
    """Traces in the order in which the findings were met. After Ctrl-C the rest are kept as they were found."""

    def __init__(self, terms: Terms, folder: Path, shrinks: bool = True) -> None:
        self.traces: list[Trace] = []
        self.paths: list[Path | None] = []
        self.replays = 0
        self.stopped = False
        self.failure: Refusal | None = None
        self._terms = terms
        self._folder = folder
        self._shrinks = shrinks

    def keep(self, found: Iterable[Found], stop: StopRequest) -> None:
        """Shrink and write."""
        for one in found:
            self._add(one, stop)

    def _add(self, found: Found, stop: StopRequest) -> None:
        if self._shrinks and not stop.requested:
            shrunk = shortest(self._terms, found, stop)
            trace = shrunk.trace
            self.replays += shrunk.replays
            self.stopped = self.stopped or shrunk.stopped
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
            lines.append(f"Shrunk in {self.replays:,} replays{', until interrupted' if self.stopped else ''}.")
        for trace, path in zip(self.traces, self.paths, strict=True):
            if path is not None:
                oracle = trace.finding.oracle if trace.finding else trace.outcome
                lines += [f"Trace of {oracle}: {path}", f"Replay: stopmarker replay {shlex.quote(str(path))}"]
        return lines

    def documents(self) -> list[dict[str, object]]:
        """All of them as data."""
        return [
            {**run_document(trace), "file": None if path is None else str(path)}
            for trace, path in zip(self.traces, self.paths, strict=True)
        ]
