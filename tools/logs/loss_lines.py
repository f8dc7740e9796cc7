"""Lines that say what is missing from a log (logs §5): suppressed and dropped messages, events that a buffer lost."""

from __future__ import annotations

import re

from .heading import LogLine
from .log_record import LogRecord, Understood, begin

_WORDS = ("suppressed", "dropped", "DROPPED", "LOST", "repeated", "entries-in-buffer", "Suppressed")
"""One of them is in each such line: most lines are told apart by that alone."""
_SUPPRESSED = re.compile(r"(\w{1,80}): (\d{1,12}) callbacks suppressed$")
_OURS = re.compile(r"smmu|dmar|iommu|iopf|prq|evtq|priq")
"""Functions whose suppressed messages could be records."""
_DROPPED = re.compile(r"(?<!\d)(\d{1,12}) (?:printk )?messages (?:dropped|from \S+)")
_REPEATED = re.compile(r"(?:last )?message repeated (\d{1,12}) times")
_LOST = re.compile(r"(?:CPU:(\d{1,6}) )?\[?LOST (\d{1,12}) (?:EVENTS|events)[\]!]?")
_LOST_SOME = re.compile(r"\[LOST EVENTS\]|CPU:\d+ \[EVENTS DROPPED\]")
_ENTRIES = re.compile(r"#\s*entries-in-buffer/entries-written:\s*(\d{1,15})/(\d{1,15})")


class LossLines:
    """Takes the lines about what is missing; what they say goes to `found`."""

    def __init__(self, found: list[LogRecord]) -> None:
        self._found = found

    def take(self, line: LogLine) -> Understood:
        """Make what can be made of a line."""
        text = line.text
        if not any(word in text for word in _WORDS):
            return Understood.OTHER
        if match := _ENTRIES.match(text):
            lost = int(match[2]) - int(match[1])
            if lost <= 0:
                return Understood.OTHER
            self._add(
                "lost-events", line, lost, f"the trace buffer was overwritten: its first {lost:,} events are lost"
            )
        elif match := _SUPPRESSED.search(text):
            if not _OURS.search(match[1]):
                return Understood.OTHER
            self._add("suppressed", line, int(match[2]), f"{match[1]} did not print {int(match[2]):,} messages")
        elif match := _DROPPED.search(text):
            self._add("dropped", line, int(match[1]), f"{int(match[1]):,} messages of any kind were dropped")
        elif match := _LOST.search(text):
            where = f" on CPU {int(match[1])}" if match[1] else ""
            self._add("lost-events", line, int(match[2]), f"the trace lost {int(match[2]):,} events{where}")
        elif _LOST_SOME.search(text):
            self._add("lost-events", line, -1, "the trace lost events, it does not say how many")
        elif match := _REPEATED.search(text):
            self._add("repeated", line, 0, f"the message before came {int(match[1]):,} times more")
            self._found[-1].fields["times"] = int(match[1])
        else:
            return Understood.OTHER
        return Understood.RECORD

    def close(self) -> None:
        """The log has ended; nothing waits for a line."""

    def _add(self, kind: str, line: LogLine, lost: int, title: str) -> None:
        record = begin(kind, "", line, title)
        record.lost = lost
        self._found.append(record)
