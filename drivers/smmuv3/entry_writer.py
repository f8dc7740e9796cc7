"""Changing a live STE or CD under the eyes of the SMMU (smmuv3 §3.2, in Linux since 6.9): `plan_update` says
which words to store and when to invalidate and wait, `Entry.write` does it."""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from hw.bus import PhysAddr
from hw.fields import WORD_MASK, Field, Layout
from hw.memory import WORD_BYTES
from hw.smmuv3 import cd, ste
from hw.smmuv3.entry import ENTRY_QWORDS, Qwords, check_fields
from hw.smmuv3.ste import AtsMode, DefaultSubstream, StreamConfig

from ..cpu import Cpu

ALL = tuple(range(ENTRY_QWORDS))
NOTHING: Qwords = (0,) * ENTRY_QWORDS
LOW_HALF = 0xFFFF_FFFF
_STAGE1, _STAGE2 = 1, 2
"""Bits of STE.Config."""

Sync = Callable[[Cpu], Coroutine[Any, Any, None]]
"""Invalidate the entry in every configuration cache, and wait until nothing uses what was cached."""


@dataclass(frozen=True, slots=True)
class Store:
    """Replace one word of the entry."""

    qword: int
    value: int

    def __str__(self) -> str:
        return f"q{self.qword} = {self.value:#x}"


@dataclass(frozen=True, slots=True)
class Wait:
    """CFGI and SYNC: from here the SMMU uses what is in memory now."""

    def __str__(self) -> str:
        return "CFGI, CMD_SYNC"


Operation = Store | Wait
WAIT = Wait()


@dataclass(frozen=True, slots=True)
class EntryKind:
    """What the writer must know about STEs or about CDs."""

    name: str
    layout: Layout
    used: Callable[[Qwords], Qwords]
    """The bits that hardware looks at in an entry of this value."""
    safe: Callable[[Qwords, Qwords], Qwords]
    """The bits that may change before the rest does, between these two values."""


def _used_by_ste(entry: Qwords) -> Qwords:
    """V alone if V=0; else by Config: stage 1 (bit 0), stage 2 (bit 1) or bypass."""
    if not entry[0] & ste.V.mask:
        return _words(ste.V.mask)
    config = ste.Config.get(entry[0])
    q0, q1, q2, q3 = ste.V.mask | ste.Config.mask, 0, 0, 0
    if config & _STAGE1:
        q0 |= _bits(ste.S1Fmt, ste.S1ContextPtr, ste.S1CDMax)
        q1 |= _bits(ste.S1DSS, ste.S1CIR, ste.S1COR, ste.S1CSH, ste.S1STALLD, ste.STRW, ste.EATS, ste.MEV)
        q2 |= ste.S2VMID.mask
        if ste.S1DSS.get(entry[1]) == DefaultSubstream.BYPASS:
            q1 |= ste.SHCFG.mask
    if config & _STAGE2:
        q1 |= _bits(ste.S2FWB, ste.EATS, ste.SHCFG, ste.MEV)
        q2 |= _bits(ste.S2VMID, ste.VTCR, ste.S2AA64, ste.S2ENDI, ste.S2PTW, ste.S2S, ste.S2R)
        q3 |= ste.S2TTB.mask
    if config == StreamConfig.BYPASS:
        q1 |= ste.SHCFG.mask
    return _words(q0, q1, q2, q3)


def _safe_in_ste(current: Qwords, target: Qwords) -> Qwords:
    """MEV, and full ATS on or off unless either side splits the stages or stalls at stage 2 (SMMU-R25)."""
    safe = ste.MEV.mask
    sides = (current, target)
    if all(ste.EATS.get(side[1]) != AtsMode.SPLIT_STAGE and not side[2] & ste.S2S.mask for side in sides):
        safe |= ste.EATS.put(0, AtsMode.FULL)
    return _words(0, safe)


def _used_by_cd(entry: Qwords) -> Qwords:
    """V alone if V=0; else everything, but not what only a walk through TTB0 needs where EPD0 forbids it."""
    if not entry[0] & cd.V.mask:
        return _words(cd.V.mask)
    used = [WORD_MASK] * ENTRY_QWORDS
    if entry[0] & cd.EPD0.mask:
        used[0] &= ~_bits(cd.T0SZ, cd.TG0, cd.IR0, cd.OR0, cd.SH0)
        used[1] &= ~cd.TTB0.mask
    return tuple(used)


def _safe_in_cd(current: Qwords, target: Qwords) -> Qwords:
    """No bit of a CD may change early."""
    return NOTHING


def _bits(*fields: Field) -> int:
    mask = 0
    for field in fields:
        mask |= field.mask
    return mask


def _words(*words: int) -> Qwords:
    return (*words, *NOTHING[len(words) :])


STE = EntryKind("STE", ste.LAYOUT, _used_by_ste, _safe_in_ste)
CD = EntryKind("CD", cd.LAYOUT, _used_by_cd, _safe_in_cd)
Phase = tuple[Qwords, Sequence[int]]
"""Bring these words to these values, then wait if any of them was different."""


class EntryWriter:
    """Hitless whenever one 64-bit store can turn the old configuration into the new one (since 6.9)."""

    def plan(self, current: Qwords, target: Qwords, kind: EntryKind) -> Iterator[Operation]:
        """The stores, with a wait behind each phase that stored anything. Nobody else may write the entry meanwhile."""
        live = list(current)
        for words, qwords in self.phases(current, target, kind):
            changed = [number for number in qwords if live[number] != words[number]]
            for number in changed:
                yield from self.store(number, live[number], words[number])
                live[number] = words[number]
            if changed:
                yield WAIT

    def phases(self, current: Qwords, target: Qwords, kind: EntryKind) -> list[Phase]:
        """First what the old configuration does not look at, then the one word that decides, then the rest.

        Where one word cannot decide, the entry is invalid meanwhile.
        """
        ready, differing = self.prepared(current, target, kind)
        if len(differing) > 1:
            return [((0, *ready[1:]), (0,)), (target, ALL[1:]), (target, (0,))]
        if not differing:
            return [(target, ALL)]
        critical = differing[0]
        first = (*ready[:critical], current[critical], *ready[critical + 1 :])
        return [(first, ALL), (target, (critical,)), (target, ALL)]

    def prepared(self, current: Qwords, target: Qwords, kind: EntryKind) -> tuple[Qwords, list[int]]:
        """The old entry with every bit that may change already at its new value; the words that still differ then."""
        used, wanted, safe = kind.used(current), kind.used(target), self.safe(current, target, kind)
        ready = []
        for number in ALL:
            keep = used[number] & ~(safe[number] & wanted[number])
            ready.append((current[number] & keep) | (target[number] & ~keep))
        differing = [number for number in ALL if ready[number] & wanted[number] != target[number] & wanted[number]]
        return tuple(ready), differing

    def safe(self, current: Qwords, target: Qwords, kind: EntryKind) -> Qwords:
        """The bits that may change early."""
        return kind.safe(current, target)

    def store(self, qword: int, before: int, after: int) -> Iterator[Operation]:
        """One 64-bit store (WRITE_ONCE)."""
        yield Store(qword, after)


class DisruptiveWriter(EntryWriter):
    """BUG: every change goes through V=0, so a stream that needs no interruption is refused (before 6.9).

    V=0, wait, fill, and the word with V last (smmuv3 §3.2); the architecture wants a wait behind the filling, too
    (smmuv3 §1.3).
    """

    def plan(self, current: Qwords, target: Qwords, kind: EntryKind) -> Iterator[Operation]:
        """There are two waits, whatever changes."""
        if current[0]:
            yield Store(0, 0)
            yield WAIT
        for number in ALL[1:]:
            if current[number] != target[number]:
                yield Store(number, target[number])
        if target[0]:
            yield Store(0, target[0])
        yield WAIT


class SplitStoreWriter(EntryWriter):
    """BUG: the compiler makes two 32-bit stores of the word with V: V=1 beside half of the rest (SMMU-R24)."""

    def store(self, qword: int, before: int, after: int) -> Iterator[Operation]:
        """The low half first, which has V in STE and CD alike."""
        halfway = (before & ~LOW_HALF) | (after & LOW_HALF)
        if qword == 0 and halfway not in (before, after):
            yield Store(qword, halfway)
        yield Store(qword, after)


class NothingIsSafe(EntryWriter):
    """BUG: counts EATS and MEV as a second word that differs, and interrupts a live stream for them (SMMU-R25)."""

    def safe(self, current: Qwords, target: Qwords, kind: EntryKind) -> Qwords:
        """No bit may change early."""
        return NOTHING


class ForgetsWaits(EntryWriter):
    """BUG: stores phase after phase without invalidating between, so a fetch that takes long sees parts of all."""

    def plan(self, current: Qwords, target: Qwords, kind: EntryKind) -> Iterator[Operation]:
        """There is one wait, at the end."""
        yield from (step for step in super().plan(current, target, kind) if step != WAIT)
        yield WAIT


WRITERS: dict[str, type[EntryWriter]] = {
    "6.9": EntryWriter,
    "old": DisruptiveWriter,
    "split": SplitStoreWriter,
    "pre-MEV-safe": NothingIsSafe,
    "no-wait": ForgetsWaits,
}


def plan_update(current: Qwords, target: Qwords, kind: EntryKind, writer: str = "6.9") -> tuple[Operation, ...]:
    """How `writer` turns one entry into another: what to store, and where to invalidate and wait.

    A transition is checked in a few lines, without a world:

    >>> from stopmarker import CD, STE, Wait, abort_ste, bypass_ste, plan_update, quiet_cd, sva_cd
    >>> for operation in plan_update(abort_ste(), bypass_ste(), STE):
    ...     print(operation)
    q1 = 0x100000000000
    CFGI, CMD_SYNC
    q0 = 0x9
    CFGI, CMD_SYNC
    >>> live, released = sva_cd(asid=5, ttb0=0x5000), quiet_cd(asid=5)
    >>> plan_update(live, released, CD).count(Wait()), plan_update(live, live, CD)
    (2, ())
    >>> [str(operation) for operation in plan_update(live, sva_cd(asid=6, ttb0=0x6000), CD)][:2]  # V=0 on the way
    ['q0 = 0x0', 'CFGI, CMD_SYNC']

    `writer` names one of `WRITERS`; ValueError for another, and for an entry that is not eight words of 64 bits.
    """
    for words in (current, target):
        if len(words) != ENTRY_QWORDS or any(not 0 <= word <= WORD_MASK for word in words):
            raise ValueError(f"plan an update of {kind.name} {words}: an entry is {ENTRY_QWORDS} words of 64 bits")
    if writer not in WRITERS:
        raise ValueError(f"plan an update by writer {writer!r}: the writers are {', '.join(WRITERS)}")
    return tuple(WRITERS[writer]().plan(current, target, kind))


class Entry:
    """One STE or CD in memory; whoever writes it keeps all other writers out by a lock of his own."""

    def __init__(self, name: str, address: PhysAddr, kind: EntryKind, writer: EntryWriter | None = None) -> None:
        self.name = name
        self.address = address
        self.kind = kind
        self._writer = writer or EntryWriter()

    async def write(self, cpu: Cpu, target: Qwords, sync: Sync) -> None:
        """Bring the entry to `target`. Read in one step: only the lock's holder writes, and reads race with nothing."""
        check_fields(self.kind.layout, target, self.name)
        current: Qwords = tuple(await cpu.load_words(self.address, ENTRY_QWORDS, self.name))
        self.begin(current, target)
        live = list(current)
        for operation in self._writer.plan(current, target, self.kind):
            match operation:
                case Store(qword=qword, value=value):
                    before = tuple(live)
                    live[qword] = value
                    await self.store(cpu, qword, before, tuple(live))
                case Wait():
                    await sync(cpu)
        self.begin(target, target)

    def begin(self, current: Qwords, target: Qwords) -> None:
        """The entry goes from one value to another, and then stays there."""

    async def store(self, cpu: Cpu, qword: int, before: Qwords, after: Qwords) -> None:
        """One word; `before` and `after` are the whole entry."""
        address = PhysAddr(self.address + qword * WORD_BYTES)
        await cpu.store(address, after[qword], f"{self.name}.q{qword}")
