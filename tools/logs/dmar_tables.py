"""The dump of VT-d tables that follows a fault (logs §3.2): entries as they stood in memory when the driver looked,
which need not be what hardware saw."""

from __future__ import annotations

import re
from collections.abc import Callable

from hw.fields import Field
from hw.vtd import context, pasid
from hw.vtd.faults import Denial, FaultReason

from .log_record import LogRecord, bits_of, unknown_bits

_ROOT = re.compile(r"(scalable mode )?root entry: (?:hi 0x([0-9a-f]{1,16}), low )?0x([0-9a-f]{1,16})")
_CONTEXT = re.compile(r"context entry: hi 0x([0-9a-f]{1,16}), low 0x([0-9a-f]{1,16})")
_DIRECTORY = re.compile(r"pasid dir entry: 0x([0-9a-f]{1,16})")
_ENTRY = re.compile(r"pasid table entry\[(\d)\]: 0x([0-9a-f]{1,16})")
_PTE = re.compile(r"(?:pte|PTE) level: (\d), pte value: 0x([0-9a-f]{1,16})")
_ABSENT = re.compile(r"(?:PTE not present at level (\d)|(\w[\w ]{2,40}) is not present)$")
_P = Field(0, 1)
_Take = Callable[[LogRecord, str], bool]
BEGIN = re.compile(r"Dump (\S+) table entries for IOVA 0x([0-9a-f]{1,16})")
"""The line that a dump begins with: the unit and the address."""


def take(record: LogRecord, text: str) -> bool:
    """Add a line to a dump, if it is one, and not of the next dump: no entry comes twice."""
    if text.removeprefix("scalable mode ").partition(":")[0] in record.fields:
        return False
    return any(reader(record, text) for reader in (_root, _context, _directory, _entry, _pte, _absent))


def finish(record: LogRecord, fault: LogRecord | None) -> None:
    """Say what the whole dump means, beside the fault that it follows."""
    entry = [record.fields.get(f"pasid table entry[{number}]") for number in range(pasid.ENTRY_QWORDS)]
    words = [int(str(word), 16) if word is not None else 0 for word in entry]
    if entry[0] is not None:
        record.notes.append(f"the PASID entry: {pasid.meaning(words)}")
        record.notes += [f"PASID entry, {note}" for note in unknown_bits(pasid.LAYOUT[:3], words[:3])]
    if fault is None or fault.fields.get("address") != record.fields.get("IOVA"):
        return
    reason = fault.fields.get("reason")
    directory = record.fields.get("pasid dir entry")
    present = {
        FaultReason.PASID_DIRECTORY_P: directory is not None and int(str(directory), 16) & pasid.DIRECTORY_P.mask,
        FaultReason.PASID_ENTRY_P: words[0] & pasid.P.mask,
    }
    for kind, there in present.items():
        if reason == kind and there:
            record.rules_out.append(
                f"not an entry that nobody wrote: hardware saw {kind.name} clear, and in memory it is set; left: "
                "written just then, or not flushed out of the CPU's cache, or an older one was still cached"
            )


def _reader(pattern: re.Pattern[str]) -> Callable[[Callable[[LogRecord, re.Match[str]], None]], _Take]:
    def make(function: Callable[[LogRecord, re.Match[str]], None]) -> _Take:
        def taken(record: LogRecord, text: str) -> bool:
            match = pattern.match(text)
            if match:
                function(record, match)
            return match is not None

        return taken

    return make


@_reader(_ROOT)
def _root(record: LogRecord, match: re.Match[str]) -> None:
    low, high = int(match[3], 16), int(match[2] or "0", 16)
    record.fields["root entry"] = f"{high:#018x} {low:#018x}" if match[2] else f"{low:#018x}"
    record.fields["scalable mode"] = bool(match[1])
    half = f", of functions from 10.0: P={_P.get(high)}" if match[1] else ""
    record.notes.append(f"root entry: P={_P.get(low)}{half}")


@_reader(_CONTEXT)
def _context(record: LogRecord, match: re.Match[str]) -> None:
    words = (int(match[2], 16), int(match[1], 16), 0, 0)
    record.fields["context entry"] = f"{words[1]:#018x} {words[0]:#018x}"
    if not record.fields.get("scalable mode"):
        record.notes.append(f"context entry of the legacy mode: P={_P.get(words[0])}")
        return
    checked = context.check(words)
    meaning = f", which is {checked.reason.name}" if isinstance(checked, Denial) else ""
    record.notes.append(f"context entry: {bits_of(context.decode(words))}{meaning}")


@_reader(_DIRECTORY)
def _directory(record: LogRecord, match: re.Match[str]) -> None:
    word = int(match[1], 16)
    record.fields["pasid dir entry"] = f"{word:#018x}"
    table = {"P": pasid.DIRECTORY_P, "FPD": pasid.DIRECTORY_FPD, "SMPTBLPTR": pasid.SMPTBLPTR}
    record.notes.append(f"directory entry: {bits_of({name: part.get(word) for name, part in table.items()})}")


@_reader(_ENTRY)
def _entry(record: LogRecord, match: re.Match[str]) -> None:
    record.fields[f"pasid table entry[{match[1]}]"] = f"{int(match[2], 16):#018x}"


@_reader(_PTE)
def _pte(record: LogRecord, match: re.Match[str]) -> None:
    word = int(match[2], 16)
    record.fields[f"PTE level {match[1]}"] = f"{word:#018x}"
    record.notes.append(f"page table entry at level {match[1]}: {word:#x}")


@_reader(_ABSENT)
def _absent(record: LogRecord, match: re.Match[str]) -> None:
    what = f"a page table entry at level {match[1]}" if match[1] else match[2]
    record.fields["absent"] = what
    record.notes.append(f"not present: {what}")
