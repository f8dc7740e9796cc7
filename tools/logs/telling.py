"""A decoded log as lines for people, and as a document."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Sequence

from .decoding import DecodedLog
from .log_record import LogRecord

WIDTH = 100
_MOST_UNKNOWN = 20
"""Lines that are told one by one."""


def lines_of(log: DecodedLog, width: int = WIDTH) -> Iterator[str]:
    """The log for people, in lines of at most `width`: records, what is seen in several, and what is missing."""
    place = 0
    while place < len(log.records):
        record = log.records[place]
        again = place + 1
        while again < len(log.records) and log.records[again].same_as(record):
            again += 1
        yield from _record_lines(record, log.records[place + 1 : again], width)
        place = again
    for each in log.series:
        yield from _wrapped(f"Lines {_short(each.lines)}: {each.text}.", "", width)
    for line in log.unknown[:_MOST_UNKNOWN]:
        yield from _wrapped(f"Not understood, line {line.numbers[0]}: {line.text}", "    ", width)
    if log.not_understood > _MOST_UNKNOWN:
        yield f"Not understood: {log.not_understood - _MOST_UNKNOWN:,} more lines."
    yield from _wrapped(" ".join(_losses(log.records)), "", width)
    yield from _wrapped(_summary(log), "", width)


def _record_lines(record: LogRecord, again: Sequence[LogRecord], width: int) -> Iterator[str]:
    head = f"{_where(record.lines)}{f' [{record.time}]' if record.time else ''}"
    yield from _wrapped(f"{head} {record.unit + ': ' if record.unit else ''}{record.title}", "    ", width)
    for note in record.notes:
        yield from _wrapped(f"    ({note})", "     ", width)
    for sentence in record.rules_out:
        yield from _wrapped(f"    => {sentence}", "       ", width)
    if again:
        many = f"{len(again):,} times more" if len(again) > 1 else "once more"
        yield f"    the same {many}, until line {again[-1].lines[-1]}"


def _where(numbers: Sequence[int]) -> str:
    """Where it stands: a range if the lines follow each other."""
    first, last = numbers[0], numbers[-1]
    if first == last:
        return f"{first}"
    return f"{first}-{last}" if list(numbers) == list(range(first, last + 1)) else _short(numbers)


def _short(numbers: Sequence[int]) -> str:
    shown = list(dict.fromkeys(numbers))
    told = ", ".join(map(str, shown[:8]))
    return f"{told}, … {shown[-1]}" if len(shown) > 8 else told


def _wrapped(text: str, indent: str, width: int) -> list[str]:
    return textwrap.wrap(text, width, subsequent_indent=indent, break_on_hyphens=False, break_long_words=False)


def counted_losses(records: Sequence[LogRecord]) -> dict[str, int]:
    """How much is missing, by the kind of record that says so; -1 where one of them does not say how much."""
    found: dict[str, int] = {}
    for record in records:
        if record.lost:
            before = found.get(record.kind, 0)
            found[record.kind] = -1 if record.lost < 0 or before < 0 else before + record.lost
    return found


def _losses(records: Sequence[LogRecord]) -> Iterator[str]:
    for kind, lost in counted_losses(records).items():
        lines = [record.lines[0] for record in records if record.kind == kind and record.lost]
        much = "an unknown number" if lost < 0 else f"{lost:,}"
        what = _MISSING.get(kind, "records")
        yield f"Missing: {much} of {what} (said at {'lines' if len(lines) > 1 else 'line'} {_short(lines)})."


_MISSING = {
    "smmuv3-overflow": "events or page requests, which the SMMU lost",
    "smmuv3-gerror": "queue entries, which the SMMU could not write",
    "vtd-fault-status": "faults, for which there was no register",
    "vtd-prq-overflow": "page requests, which the unit did not queue",
    "trace-prq-report": "page requests, by their numbers",
    "suppressed": "messages, which were suppressed",
    "dropped": "messages, which the kernel dropped",
    "lost-events": "trace events",
}


def _summary(log: DecodedLog) -> str:
    parts = [f"{_count(len(log.records), 'record')} in {_count(log.lines, 'line')}"]
    parts.append(f"{_count(log.not_understood, 'line')} not understood" if log.unknown else "all lines understood")
    if log.boot:
        parts.append(f"{log.boot:,} of the driver at boot")
    if log.others:
        parts.append(f"{log.others:,} not about an IOMMU")
    if log.comments:
        parts.append(_count(log.comments, "comment"))
    if log.cut:
        parts.append(f"{_count(log.cut, 'line')} cut, as too long")
    return f"{'; '.join(parts)}."


def _count(number: int, what: str) -> str:
    return f"{number:,} {what}{'' if number == 1 else 's'}"


def document(log: DecodedLog) -> dict[str, object]:
    """The log as a document."""
    return {
        "records": [
            {
                "kind": record.kind,
                "unit": record.unit,
                "lines": record.lines,
                "time": record.time or None,
                "title": record.title,
                "fields": record.fields,
                "notes": record.notes,
                "rules_out": record.rules_out,
                "lost": None if record.lost < 0 else record.lost,
            }
            for record in log.records
        ],
        "series": [{"lines": list(each.lines), "text": each.text} for each in log.series],
        "lost": {kind: None if lost < 0 else lost for kind, lost in counted_losses(log.records).items()},
        "unknown": [{"lines": list(line.numbers), "text": line.text} for line in log.unknown],
        "counted": {
            "lines": log.lines,
            "not_understood": log.not_understood,
            "boot": log.boot,
            "others": log.others,
            "comments": log.comments,
            "cut": log.cut,
        },
    }
