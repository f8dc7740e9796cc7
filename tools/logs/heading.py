"""What stands before the message of a line (logs §1): a time, and in ftrace a task and a CPU; and lines of which a
console made one."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

LONGEST_LINE = 4_096
"""Characters of a line that are looked at: the kernel writes no longer one."""
_TIME = r"\[\s{0,12}\d{1,12}\.\d{1,9}\]"
_DMESG = re.compile(
    r"^(?P<head>[^\[]{0,200})\[\s{0,12}(?P<time>\d{1,12}\.\d{1,9})\]\s*(?:\[\s*(?P<caller>[TC]\d+)\]\s*)?(?P<text>.*)$"
)
_HUMAN = re.compile(r"^(?:<\d+>)?\[(?P<time>\w{3} \w{3} +\d+ [\d:]{8} \d{4})\]\s*(?P<text>.*)$")
_FTRACE = re.compile(
    r"^\s{0,40}(?P<task>.{1,64})[-\s](?P<pid>\d{1,9})(?:/\d+)?\s+(?:\(\s*[-\d]+\)\s+)?\[(?P<cpu>\d{1,6})\]\s+"
    r"(?:\S{4,8}\s+)?(?P<time>\d{1,12}\.\d{1,9}):\s+(?P<text>.*)$"
)
_QUOTED = re.compile(r"^(?:[>|]\s?)+")
_AGAIN = re.compile(rf"(?:<\d+>)?{_TIME}\s")


@dataclass(frozen=True, slots=True, kw_only=True)
class LogLine:
    """One message; `numbers` are the lines of the file that it stands on, from 1."""

    numbers: tuple[int, ...]
    text: str
    time: str = ""
    """As it stands there: seconds, or a date."""
    caller: str = ""
    """The thread (T) or CPU (C) that printed it, if the kernel says so."""
    task: str = ""
    cpu: int | None = None

    @property
    def has_heading(self) -> bool:
        """Whether it begins a message; a line that a mailer broke goes on without."""
        return bool(self.time)


def messages(number: int, line: str) -> Iterator[LogLine]:
    """The messages of one line: a console can write the next one before the last has ended."""
    line = _QUOTED.sub("", line)
    starts = [match.start() for match in _AGAIN.finditer(line)][1:]
    for start, end in zip([0, *starts], [*starts, len(line)], strict=True):
        yield _message(number, line[start:end].rstrip())


def _message(number: int, line: str) -> LogLine:
    for pattern in (_HUMAN, _FTRACE, _DMESG):
        if match := pattern.match(line):
            found = match.groupdict()
            cpu = found.get("cpu")
            return LogLine(
                numbers=(number,),
                text=found["text"].strip(),
                time=found["time"],
                caller=found.get("caller") or "",
                task=(found.get("task") or "").strip(),
                cpu=None if cpu is None else int(cpu),
            )
    return LogLine(numbers=(number,), text=line.strip())


def joined(line: LogLine, rest: LogLine) -> LogLine:
    """A message and the line on which it goes on."""
    return LogLine(
        numbers=line.numbers + rest.numbers,
        text=f"{line.text} {rest.text}",
        time=line.time,
        caller=line.caller,
        task=line.task,
        cpu=line.cpu,
    )
