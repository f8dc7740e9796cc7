"""What one or several lines say: a record with its fields, what is odd about it, and what it rules out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum

from hw.fields import Layout, unnamed_bits

from .heading import LogLine

Value = int | str | bool | None
"""A field; addresses and words are hexadecimal text, which no reader of JSON rounds. None: the line does not say."""


class Understood(Enum):
    """What a reader makes of a line."""

    RECORD = "it is, or belongs to, a record"
    BOOT = "its driver says at boot what it found"
    UNKNOWN = "it is of its driver, and not understood"
    OTHER = "somebody else's"


@dataclass(slots=True, kw_only=True, eq=False)
class LogRecord:
    """One record; the lines of its parts are added as they come."""

    kind: str
    unit: str
    """Which SMMU, DMAR unit or device it is about; empty if the lines do not say."""
    lines: list[int]
    time: str = ""
    title: str = ""
    """What happened, in a line."""
    fields: dict[str, Value] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    """What is odd: unknown bits, parts that are missing, texts that differ from the bits."""
    rules_out: list[str] = field(default_factory=list)
    """What cannot have happened, and what that leaves."""
    lost: int = 0
    """Records, messages or events that are missing from the log for what this one says; -1: an unknown number."""

    def same_as(self, other: LogRecord) -> bool:
        """Whether both say the same, but for lines and times."""
        mine = (self.kind, self.unit, self.title, self.fields, self.notes, self.lost)
        return mine == (other.kind, other.unit, other.title, other.fields, other.notes, other.lost)


def begin(kind: str, unit: str, line: LogLine, title: str = "") -> LogRecord:
    """A record that begins with this line."""
    return LogRecord(kind=kind, unit=unit, lines=list(line.numbers), time=line.time, title=title)


def hexadecimal(value: int) -> str:
    """An address or a word."""
    return f"{value:#x}"


def bits_of(table: Mapping[str, int]) -> str:
    """Fields as text, in their order."""
    return " ".join(f"{name}={value:#x}" if value > 9 else f"{name}={value}" for name, value in table.items())


def unknown_bits(layout: Layout, words: Sequence[int]) -> list[str]:
    """A sentence for each word that has bits set which no field of its layout names."""
    found = []
    for number, rest in enumerate(unnamed_bits(layout, words)):
        if rest:
            bits = [str(bit) for bit in range(64) if rest >> bit & 1]
            many = "bits" if len(bits) > 1 else "bit"
            found.append(
                f"word {number} {many} {', '.join(bits)}: set, and no field that is known here stands there "
                "(reserved, or IMPLEMENTATION DEFINED)"
            )
    return found


def null_page(address: str) -> str:
    """What an address in the first page says."""
    return (
        f"a null buffer, not a race: address {address} lies in the first page, which neither a DMA mapping nor a "
        "process has, so nothing that was mapped there can be gone"
    )


def function_name(rid: int) -> str:
    """A requester ID as bus, device and function."""
    return f"{rid >> 8:02x}:{rid >> 3 & 0x1F:02x}.{rid & 7}"
