"""VT-d scalable mode read afresh: context, PASID directory, PASID entry, first-level walk, what is recorded under FPD.

Four-level first level, no caches; plain integers, nothing of the model under test.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from tests.reference.smmuv3 import PAGE, bits


class Kind(Enum):
    """What the request is."""

    WRITE = "untranslated write"
    READ = "untranslated read"
    REQUEST = "translation request"
    TRANSLATED = "translated write"
    PAGE_REQUEST = "page request"


class End(Enum):
    """What becomes of it."""

    DONE = "done"
    BLOCKED = "blocked"
    GRANT = "success"
    HOLE = "success, R=W=0"
    REFUSED = "refused"
    QUEUED = "queued"


@dataclass(frozen=True)
class Outcome:
    """The answer, the page and rights, and the reason on record (0: none)."""

    end: End
    page: int = 0
    write: bool = False
    reason: int = 0


@dataclass(frozen=True)
class Ask:
    """One request; `pasid` is None without a PASID. `write` says what a translation request is for."""

    kind: Kind
    sid: int
    pasid: int | None
    address: int
    write: bool


class Stop(Exception):
    """The request ends early, for a reason, with FPD gathered so far."""

    def __init__(self, reason: int, fpd: bool) -> None:
        super().__init__(reason)
        self.reason = reason
        self.fpd = fpd


@dataclass(frozen=True)
class Unit:
    """Where the context table is."""

    contexts: int


# Reasons that FPD does not silence: reading the structure itself failed.
UNQUALIFIED = {0x40, 0x50, 0x58}
RECOVERABLE = {0x71, 0x80, 0x81, 0x85, 0x86}
ABSENT = {0x51, 0x59}


class Memory:
    """Words by address; whatever is beyond the end cannot be read."""

    def __init__(self, words: dict[int, int], size: int) -> None:
        self.words = words
        self.size = size

    def read(self, address: int, reason: int, fpd: bool) -> int:
        """One word, or the given reason."""
        if address >= self.size:
            raise Stop(reason, fpd)
        return self.words.get(address, 0)


def translate(memory: Memory, unit: Unit, ask: Ask) -> Outcome:
    """Everything that happens to one request."""
    try:
        return _look_up(memory, unit, ask)
    except Stop as stop:
        return _refused(ask, stop)


def _refused(ask: Ask, stop: Stop) -> Outcome:
    silent = stop.fpd and stop.reason not in UNQUALIFIED
    if ask.kind is Kind.REQUEST and stop.reason in RECOVERABLE | ABSENT:
        return Outcome(End.HOLE)
    reason = 0 if silent else stop.reason
    if ask.kind is Kind.PAGE_REQUEST and stop.reason in ABSENT:
        return Outcome(End.REFUSED)
    if ask.kind in (Kind.REQUEST, Kind.PAGE_REQUEST):
        return Outcome(End.REFUSED, reason=reason)
    return Outcome(End.BLOCKED, reason=reason)


def _look_up(memory: Memory, unit: Unit, ask: Ask) -> Outcome:
    if ask.kind is Kind.TRANSLATED:
        return Outcome(End.DONE, page=ask.address & ~PAGE)
    pasid, directory, fpd = _context(memory, unit, ask)
    word = memory.read(directory + 8 * (pasid >> 6), 0x50, fpd)
    fpd = fpd or bool(bits(word, 1, 1))
    if not bits(word, 0, 0):
        raise Stop(0x51, fpd)
    if bits(word, 11, 2):
        raise Stop(0x52, fpd)
    at = (word & ~PAGE) + 64 * (pasid & 63)
    entry = [memory.read(at + 8 * number, 0x58, fpd) for number in range(3)]
    fpd = fpd or bool(bits(entry[0], 1, 1))
    if not bits(entry[0], 0, 0):
        raise Stop(0x59, fpd)
    if bits(entry[0], 11, 10):
        raise Stop(0x5A, fpd)
    kind = bits(entry[0], 8, 6)
    if kind not in (1, 4):
        raise Stop(0x5B, fpd)
    if ask.kind is Kind.PAGE_REQUEST:
        return Outcome(End.QUEUED)
    if kind == 4:
        end = End.GRANT if ask.kind is Kind.REQUEST else End.DONE
        return Outcome(end, page=ask.address & ~PAGE, write=True)
    return _walk(memory, entry[2] & ~PAGE, ask, fpd)


def _context(memory: Memory, unit: Unit, ask: Ask) -> tuple[int, int, bool]:
    """PASID to use, directory, and FPD so far."""
    at = unit.contexts + 32 * ask.sid
    low, high = (memory.read(at + 8 * number, 0x40, False) for number in range(2))
    fpd = bool(bits(low, 1, 1))
    if not bits(low, 0, 0):
        raise Stop(0x41, fpd)
    if bits(low, 8, 5) or bits(high, 63, 21):
        raise Stop(0x42, fpd)
    if ask.kind is Kind.REQUEST and not bits(low, 2, 2):
        raise Stop(0x44, fpd)
    # Which of several reasons counts is not specified; this order is the model's.
    if ask.kind is Kind.PAGE_REQUEST and not bits(low, 4, 4):
        raise Stop(0x47, fpd)
    if ask.pasid is not None and not bits(low, 3, 3):
        raise Stop(0x45, fpd)
    pasid = bits(high, 19, 0) if ask.pasid is None else ask.pasid
    if pasid >> (bits(low, 11, 9) + 13):
        raise Stop(0x46, fpd)
    return pasid, low & ~PAGE, fpd


def _walk(memory: Memory, table: int, ask: Ask, fpd: bool) -> Outcome:
    """Four levels of 512 entries; R/W and U/S are the AND of all levels, judged at the leaf.

    A is set in each table on the way and in the leaf, D in the leaf of a write that may be. Without D a page is not
    granted for writing.
    """
    if bits(ask.address, 63, 47) not in (0, (1 << 17) - 1):
        raise Stop(0x80, fpd)
    user = write = True
    for low in (39, 30, 21, 12):
        where = table + 8 * bits(ask.address, low + 8, low)
        word = memory.read(where, 0x73 if low == 39 else 0x70, fpd)
        if not word & 1:
            raise Stop(0x71, fpd)
        large = bool(bits(word, 7, 7)) and low != 12
        if bits(word, 51, 48) or (large and (low == 39 or bits(word, low - 1, 13))):
            raise Stop(0x72, fpd)
        write, user = write and bool(bits(word, 1, 1)), user and bool(bits(word, 2, 2))
        table = word & 0xFFFF_FFFF_F000
        if large or low == 12:
            break
        memory.words[where] = word | 1 << 5
    if not user:
        raise Stop(0x81, fpd)
    word = memory.words[where] = word | 1 << 5 | (1 << 6 if ask.write and write else 0)
    if ask.kind is Kind.WRITE and not write:
        raise Stop(0x85, fpd)
    span = (1 << low) - 1
    page = (table & ~span | ask.address & span) & ~PAGE
    return Outcome(
        End.GRANT if ask.kind is Kind.REQUEST else End.DONE, page=page, write=write and bool(bits(word, 6, 6))
    )
