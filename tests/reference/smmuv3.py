"""SMMUv3 translation read afresh from IHI 0070: plain integers, nothing of the model under test.

Linear tables, stage 1 only, 4 KB granule, no caches: what one transaction meets when nothing has been cached.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

PAGE = 0xFFF


class Kind(Enum):
    """What the transaction is (section 3.9)."""

    WRITE = "untranslated write"
    READ = "untranslated read"
    REQUEST = "translation request"
    TRANSLATED = "translated write"


class End(Enum):
    """What the sender is told."""

    DONE = "done"
    IGNORED = "read as zero, write ignored"
    ABORT = "abort"
    STALL = "stall"
    GRANT = "success"
    HOLE = "success, R=W=0"
    UR = "unsupported request"
    CA = "completer abort"


@dataclass(frozen=True)
class Registers:
    """The control registers that a transaction looks at, and what the implementation offers."""

    enabled: bool
    ats_check: bool
    record_ats: bool
    record_sid: bool
    stall_model: int
    output_bits: int
    hierarchical_disable: bool
    httu: int
    streams: int
    stream_table: int


@dataclass(frozen=True)
class Outcome:
    """The answer, the granted page and rights, and the event id (0: none)."""

    end: End
    page: int = 0
    read: bool = False
    write: bool = False
    event: int = 0


@dataclass(frozen=True)
class Ask:
    """One transaction; `ssid` is None without a PASID. `write` says what a translation request is for."""

    kind: Kind
    sid: int
    ssid: int | None
    address: int
    write: bool


class Stop(Exception):
    """The transaction ends early: the event, and whether CD.A/R/S decide (section 7.3: the four normal faults)."""

    def __init__(self, event: int, *, normal: bool = False) -> None:
        super().__init__(event)
        self.event = event
        self.normal = normal


UUT, STREAMID, STE_FETCH, BAD_STE, ATS_TREQ, DISABLED, FORBIDDEN, SUBSTREAM, CD_FETCH, BAD_CD, WALK = range(1, 12)
TRANSLATION, ADDR_SIZE, ACCESS, PERMISSION = 0x10, 0x11, 0x12, 0x13
IPS_BITS = {0: 32, 1: 36, 2: 40, 3: 42, 4: 44, 5: 48, 6: 52, 7: 52}


def bits(word: int, high: int, low: int) -> int:
    """Bits high..low of a word."""
    return word >> low & ((1 << (high - low + 1)) - 1)


class Memory:
    """Words by address; whatever is not there answers with an external abort."""

    def __init__(self, words: dict[int, int], size: int) -> None:
        self.words = words
        self.size = size

    def read(self, address: int, on_abort: int) -> int:
        """One word, or the given event."""
        if address >= self.size:
            raise Stop(on_abort)
        return self.words.get(address, 0)


def translate(memory: Memory, registers: Registers, ask: Ask) -> Outcome:
    """Everything that happens to one transaction."""
    if not registers.enabled:
        return _disabled(registers, ask)
    if ask.kind is Kind.TRANSLATED and not registers.ats_check:
        return Outcome(End.DONE, page=ask.address & ~PAGE)
    cd: list[int] = []
    try:
        return _through_tables(memory, registers, ask, cd)
    except Stop as stop:
        return _refused(registers, ask, stop, cd)


def _disabled(registers: Registers, ask: Ask) -> Outcome:
    """SMMUEN = 0: bypass up to the output size, and no ATS (sections 3.4, 3.9.1.2, 3.9.1.3)."""
    if ask.kind is Kind.REQUEST:
        return Outcome(End.UR, event=ATS_TREQ)
    if ask.kind is Kind.TRANSLATED:
        return Outcome(End.ABORT, event=FORBIDDEN)
    if ask.address >> registers.output_bits:
        return Outcome(End.ABORT)
    return Outcome(End.DONE, page=ask.address & ~PAGE)


def _through_tables(memory: Memory, registers: Registers, ask: Ask, cd: list[int]) -> Outcome:
    if ask.sid >= registers.streams:
        raise Stop(STREAMID)
    base = registers.stream_table + 64 * ask.sid
    ste = [memory.read(base + 8 * number, STE_FETCH) for number in range(8)]
    if not bits(ste[0], 0, 0):
        raise Stop(BAD_STE)
    config = bits(ste[0], 3, 1)
    if config < 4:
        raise Stop(0)
    if config & 2 or (config & 1 and (bits(ste[1], 29, 28) == 2 or bits(ste[0], 63, 59) > 20)):
        raise Stop(BAD_STE)  # no stage 2 here, so no split-stage ATS either; SubstreamIDs have 20 bits
    stage1 = bool(config & 1)
    ats = stage1 and bits(ste[1], 29, 28) == 1
    if ask.kind is Kind.TRANSLATED:
        if not ats:
            raise Stop(FORBIDDEN)
        return Outcome(End.DONE, page=ask.address & ~PAGE)
    if ask.kind is Kind.REQUEST and not ats:
        raise Stop(ATS_TREQ)
    if not stage1 and ask.ssid is not None:
        raise Stop(SUBSTREAM)
    context = _context(ste, ask) if stage1 else None
    if context is None:
        return _identity(ask, registers.output_bits)
    at = _cd_address(memory, ste, context)
    cd[:] = [memory.read(at + 8 * number, CD_FETCH) for number in range(8)]
    _check_cd(registers, ste, cd)
    return _walk(memory, registers, cd, ask)


def _context(ste: list[int], ask: Ask) -> int | None:
    """The number of the CD, or None where stage 1 is skipped (section 5.2: S1CDMax, S1DSS)."""
    substreams = bits(ste[0], 63, 59)
    default = bits(ste[1], 1, 0)
    if ask.ssid is None:
        if substreams == 0 or default == 2:
            return 0
        if default == 1:
            return None
        raise Stop(DISABLED)
    if substreams == 0 or ask.ssid >> substreams:
        raise Stop(SUBSTREAM)
    if ask.ssid == 0 and default == 2:
        raise Stop(DISABLED)
    return ask.ssid


def _cd_address(memory: Memory, ste: list[int], context: int) -> int:
    """One table, or two levels with leaves of 4 KB or 64 KB (section 5.3); without substreams there is but one CD."""
    table, form = bits(ste[0], 51, 6) << 6, bits(ste[0], 5, 4)
    if form not in (1, 2) or not bits(ste[0], 63, 59):
        return table + 64 * context
    split = 6 if form == 1 else 10
    word = memory.read(table + 8 * (context >> split), CD_FETCH)
    if not word & 1:
        raise Stop(SUBSTREAM)
    return (bits(word, 51, 12) << 12) + 64 * (context & ((1 << split) - 1))


def _identity(ask: Ask, limit: int) -> Outcome:
    """The address stays as it is, unless it is too large (section 3.4), which never stalls."""
    if ask.kind is Kind.REQUEST:
        if ask.address >> limit:
            return Outcome(End.HOLE)
        return Outcome(End.GRANT, page=ask.address & ~PAGE, read=True, write=True)
    if ask.address >> limit:
        raise Stop(ADDR_SIZE)
    return Outcome(End.DONE, page=ask.address & ~PAGE)


def _check_cd(registers: Registers, ste: list[int], cd: list[int]) -> None:
    """Sections 5.4 and 5.5: what makes a CD illegal."""
    stall = bits(cd[0], 44, 44)
    off = bits(cd[0], 14, 14)
    output = min(IPS_BITS[bits(cd[0], 34, 32)], registers.output_bits)
    legal = (
        bits(cd[0], 31, 31)
        and bits(cd[0], 41, 41)
        and not (stall and (registers.stall_model == 1 or bits(ste[1], 27, 27)))
        and not (not stall and registers.stall_model == 2)
        and registers.httu >= (2 if bits(cd[0], 42, 42) else bits(cd[0], 43, 43))
        and (off or not bits(cd[0], 15, 15))
        and (
            off or (16 <= bits(cd[0], 5, 0) <= 39 and bits(cd[0], 7, 6) == 0 and not bits(cd[1], 51, 4) << 4 >> output)
        )
    )
    if not legal:
        raise Stop(BAD_CD)


def _walk(memory: Memory, registers: Registers, cd: list[int], ask: Ask) -> Outcome:
    """A 4 KB walk of up to four levels, with hierarchical permissions (sections 3.4, 5.4)."""
    width = 64 - bits(cd[0], 5, 0)
    if bits(cd[0], 14, 14):
        raise Stop(TRANSLATION, normal=True)
    address = ask.address
    if bits(cd[0], 38, 38):
        address &= (1 << 56) - 1
        if bits(address, 55, 55):
            raise Stop(TRANSLATION, normal=True)
    if address >> width:
        raise Stop(TRANSLATION, normal=True)
    output = min(IPS_BITS[bits(cd[0], 34, 32)], registers.output_bits)
    level = 0 if width > 39 else 1 if width > 30 else 2
    table = bits(cd[1], 51, 4) << 4
    user = write = True
    while True:
        low = 12 + 9 * (3 - level)
        index = bits(address, min(low + 8, width - 1), low)
        where = table + 8 * index
        word = memory.read(where, WALK)
        if not word & 1 or (word & 3 == 1 and level in (0, 3)):
            raise Stop(TRANSLATION, normal=True)
        target = word & 0xFFFF_FFFF_F000
        if target >> output:
            raise Stop(ADDR_SIZE, normal=True)
        if word & 3 == 1 or level == 3:
            word = memory.words[where] = _marked(word, (user, write), cd, ask)
            return _leaf(word, target, low, (user, write), cd, ask)
        if not (bits(cd[1], 1, 1) and registers.hierarchical_disable):
            user, write = user and not bits(word, 61, 61), write and not bits(word, 62, 62)
        table, level = target, level + 1


def _marked(word: int, rights: tuple[bool, bool], cd: list[int], ask: Ask) -> int:
    """A leaf after hardware has set its flags: AF with HA; with HD, for a write, AP[2] = 0 where DBM = 1 (3.13)."""
    if not bits(cd[0], 43, 43):
        return word
    word |= 1 << 10
    if bits(cd[0], 42, 42) and ask.write and all(rights) and bits(word, 51, 51) and bits(word, 6, 6):
        word &= ~(1 << 7)
    return word


def _leaf(word: int, target: int, low: int, rights: tuple[bool, bool], cd: list[int], ask: Ask) -> Outcome:
    if not bits(word, 10, 10) and not bits(cd[0], 35, 35):
        raise Stop(ACCESS, normal=True)
    user = rights[0] and bool(bits(word, 6, 6))
    write = user and rights[1] and not bits(word, 7, 7)
    if not user or (ask.kind is Kind.WRITE and not write):
        raise Stop(PERMISSION, normal=True)
    span = (1 << low) - 1
    page = (target & ~span | ask.address & span) & ~PAGE
    end = End.GRANT if ask.kind is Kind.REQUEST else End.DONE
    granted = ask.kind is Kind.REQUEST
    return Outcome(end, page=page, read=granted, write=granted and write)


def _refused(registers: Registers, ask: Ask, stop: Stop, cd: list[int]) -> Outcome:
    """Sections 3.9.1.2 and 3.9.1.3 (ATS), 5.5 (A, R, S) and 7.3 (what is recorded)."""
    if ask.kind is Kind.REQUEST:
        if stop.event in (0, ATS_TREQ):
            return Outcome(End.UR, event=stop.event)
        if stop.normal:
            return Outcome(End.HOLE)
        recorded = registers.record_ats and (stop.event != STREAMID or registers.record_sid)
        return Outcome(End.CA, event=stop.event if recorded else 0)
    if ask.kind is Kind.TRANSLATED:
        return Outcome(End.ABORT, event=stop.event if stop.event == FORBIDDEN or registers.record_ats else 0)
    if stop.event == STREAMID and not registers.record_sid:
        return Outcome(End.ABORT)
    if not stop.normal:
        return Outcome(End.ABORT, event=stop.event)
    if bits(cd[0], 44, 44):
        return Outcome(End.STALL, event=stop.event)
    end = End.ABORT if bits(cd[0], 46, 46) else End.IGNORED
    return Outcome(end, event=stop.event if bits(cd[0], 45, 45) else 0)
