"""A whole log: each line goes to the reader whose it is, and what is left over is told."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

from . import series
from .dmar_lines import DmarLines
from .heading import LONGEST_LINE, LogLine, joined, messages
from .log_record import LogRecord, Understood
from .loss_lines import LossLines
from .series import Series
from .smmu_lines import SmmuLines
from .trace_lines import TraceLines

MOST_BYTES = 16 << 20
"""Bytes of a log that are read; `grep` makes a longer one short."""
MOST_KEPT = 1_000
_COMMENT = "#"


@dataclass(slots=True, kw_only=True)
class DecodedLog:
    """What a log says."""

    records: list[LogRecord] = field(default_factory=list)
    """In the order of their first lines."""
    series: list[Series] = field(default_factory=list)
    unknown: list[LogLine] = field(default_factory=list)
    """Lines of an IOMMU's driver, or of its events, that nobody understood; the first MOST_KEPT."""
    not_understood: int = 0
    """How many there are in all."""
    lines: int = 0
    boot: int = 0
    others: int = 0
    """Lines that are not about an IOMMU."""
    comments: int = 0
    cut: int = 0
    """Lines that are longer than LONGEST_LINE: the rest of them was not looked at."""


def decode(data: bytes, between: Callable[[], None] = lambda: None) -> DecodedLog:
    """Decode the bytes of a log, whatever they are; `between` is called after each line and may raise."""
    log = DecodedLog()
    readers = (LossLines(log.records), TraceLines(log.records), SmmuLines(log.records), DmarLines(log.records))
    waiting: LogLine | None = None
    for line in _lines(data, log):
        between()
        made = _take(readers, line)
        if waiting is not None:
            whole = joined(waiting, line)
            if made is Understood.OTHER and not line.has_heading and _take(readers, whole) is Understood.RECORD:
                waiting = None
                continue
            _leave(log, waiting)
            waiting = None
        if made is Understood.UNKNOWN:
            waiting = line
        elif made is Understood.BOOT:
            log.boot += 1
        elif made is Understood.OTHER:
            log.comments += line.text.startswith(_COMMENT)
            log.others += not line.text.startswith(_COMMENT)
    if waiting is not None:
        _leave(log, waiting)
    for reader in readers:
        reader.close()
    log.series = series.find(log.records)
    return log


def _leave(log: DecodedLog, line: LogLine) -> None:
    log.not_understood += 1
    if len(log.unknown) < MOST_KEPT:
        log.unknown.append(line)


def _lines(data: bytes, log: DecodedLog) -> Iterator[LogLine]:
    """The messages of a log; empty lines are left out."""
    for number, raw in enumerate(data.split(b"\n"), 1):
        text = raw[: 4 * LONGEST_LINE].decode("utf-8", "replace").rstrip("\r")
        if not text.strip():
            continue
        log.lines += 1
        log.cut += len(text) > LONGEST_LINE
        yield from (line for line in messages(number, text[:LONGEST_LINE]) if line.text)


def _take(readers: Sequence[LossLines | TraceLines | SmmuLines | DmarLines], line: LogLine) -> Understood:
    for reader in readers:
        made = reader.take(line)
        if made is not Understood.OTHER:
            return made
    return Understood.OTHER
