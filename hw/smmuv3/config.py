"""From a StreamID and SubstreamID to a CD: tables in memory, caches before them (smmuv3 §1.1 to §1.3).

Each structure is cached by itself, valid or not, until a CFGI that names it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from hw.bus import PAGE_OFFSET, Bus, Pasid, PhysAddr, Resource, StreamId, VirtAddr
from hw.events.fetched import EntryFetched
from hw.memory import BusError
from hw.paging.walks import Translation
from hw.smmuv3 import LANE
from hw.smmuv3 import cd as cd_module
from hw.smmuv3 import ste as ste_module
from hw.smmuv3.cd import Cd, cd_address, fetch_cd
from hw.smmuv3.entry import Qwords, Seen
from hw.smmuv3.evtq import EventId
from hw.smmuv3.level1 import (
    CdTableFormat,
    StreamLeaf,
    check_l1cd,
    check_l1std,
    l1cd_address,
    l1std_address,
)
from hw.smmuv3.state import L1STDS, Level1Key, Smmu, Structure, Transaction, config_resource, context_resource
from hw.smmuv3.ste import AtsMode, Ste, StreamConfig, context_index, fetch_ste, ste_address
from hw.smmuv3.tlb import Tlb, TlbTag
from hw.tlb import TlbEntry

_NOWHERE = PhysAddr(0)
_ABORTED = (EventId.F_STE_FETCH, EventId.F_CD_FETCH)
"""Not contents of a structure, so not cached."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Denial:
    """Why a transaction got no page; without `event` the stream is configured to abort silently."""

    event: EventId | None
    cd: Cd | None = None
    """Set for the four faults of a walk, which CD.A/R/S govern."""
    descriptor: PhysAddr = _NOWHERE


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """A page with its rights, and the CD that led there (none for a bypass)."""

    entry: TlbEntry[TlbTag] | Translation
    cd: Cd | None


Context = Cd | Denial | Found
"""A CD to go on with, or an end."""


def resources(smmu: Smmu, sid: StreamId) -> list[Resource]:
    """What a look-up or a fill of the configuration caches names."""
    return [config_resource(sid), L1STDS] if smmu.split else [config_resource(sid)]


async def prefetch(bus: Bus, smmu: Smmu, *, sid: StreamId, ssid: Pasid | None, ordinal: int) -> Transaction:
    """Bring reachable configuration into the caches without any traffic, as an SMMU may at any time (smmuv3 §1.3).

    What is cached may be fetched again (it could have been evicted before): everything, or only what lies behind
    the structures that are kept. Who calls finishes the transaction, as with an access: a CMD_SYNC waits for a fetch
    that is under way, too.
    """
    transaction = Transaction(sid=sid, ssid=ssid, address=VirtAddr(0), write=False, ats=False, ordinal=ordinal)
    await bus.access("prefetch: configuration cache look-up", reads=resources(smmu, sid))
    smmu.begin(transaction)
    kept = await bus.choose(
        "prefetch: how much of the way is kept", cached_depth(smmu, transaction) + 1, resources(smmu, sid)
    )
    await fetch_context(bus, smmu, transaction, kept)
    return transaction


def cached_depth(smmu: Smmu, transaction: Transaction) -> int:
    """How many structures on the way to the CD, which is not one of them, are cached: L1STD, STE, L1CD."""
    sid = transaction.sid
    depth = int(bool(smmu.split) and sid >> smmu.split in smmu.l1stds)
    ste = smmu.stes.get(sid)
    if ste is None:
        return depth
    depth = 2 if smmu.split else 1
    context = admit(ste, transaction, smmu.walks.output_bits)
    if isinstance(ste, Ste) and not isinstance(context, Denial | Found):
        depth += level1_key(sid, ste, context) in smmu.l1cds
    return depth


def cached_context(smmu: Smmu, transaction: Transaction) -> Context | None:
    """What the configuration caches say; None if something has to be fetched."""
    sid = transaction.sid
    ste = smmu.stes.get(sid)
    if ste is None:
        leaf = smmu.l1stds.get(sid >> smmu.split) if smmu.split else None
        reached = leaf if leaf is None else _in_leaf(leaf, sid, smmu.split)
        return Denial(event=reached) if isinstance(reached, EventId) else None
    context = admit(ste, transaction, smmu.walks.output_bits)
    if isinstance(context, Denial | Found):
        return context
    assert isinstance(ste, Ste)
    transaction.context = context
    cd = smmu.cds.get((sid, context))
    if cd is None and ste.s1fmt is not CdTableFormat.LINEAR:
        base = smmu.l1cds.get(level1_key(sid, ste, context))
        cd = base if isinstance(base, EventId) else None
    return Denial(event=cd) if isinstance(cd, EventId) else cd


def level1_key(sid: StreamId, ste: Ste, context: Pasid) -> Level1Key:
    """The L1CD on the way to a CD."""
    return sid, ste.s1fmt, context >> ste.s1fmt.bits


async def fetch_context(bus: Bus, smmu: Smmu, transaction: Transaction, kept: int | None = None) -> Context:
    """Fetch what the caches miss and fill them, unless a CFGI came in between; `kept` limits what counts as cached.

    The last step also names the TLB of the ASID it found, so that the TLB look-up needs no step of its own.
    """
    fetch = _ContextFetch(bus, smmu, transaction, kept)
    ste = await fetch.ste()
    context = admit(ste, transaction, smmu.walks.output_bits)
    cd: Cd | EventId | None = None
    if isinstance(ste, Ste) and not isinstance(context, Denial | Found):
        transaction.context = context
        cd = await fetch.cd(ste, context)
    reads = [Tlb.resource(cd.asid)] if isinstance(cd, Cd) else []
    await bus.access("configuration cache fill", reads=reads, writes=resources(smmu, transaction.sid))
    fetch.fill()
    if isinstance(cd, Cd):
        return cd
    end = context if isinstance(context, Denial | Found) else Denial(event=cd)
    if isinstance(end, Denial) and end.event in _ABORTED:
        return Denial(event=end.event, descriptor=fetch.where)
    return end


async def stream_entry(bus: Bus, smmu: Smmu, transaction: Transaction) -> Ste | EventId:
    """The STE of a stream, for traffic that needs no CD."""
    await bus.access("configuration cache look-up", reads=resources(smmu, transaction.sid))
    smmu.begin(transaction)
    cached = smmu.stes.get(transaction.sid)
    if cached is not None:
        return cached
    fetch = _ContextFetch(bus, smmu, transaction, None)
    ste = await fetch.ste()
    await bus.access("configuration cache fill", writes=resources(smmu, transaction.sid))
    fetch.fill()
    return ste


async def entry_in_memory(bus: Bus, smmu: Smmu, sid: StreamId) -> Ste | EventId:
    """The STE of a stream as memory has it: for what an SMMU looks up without a transaction, past the caches."""
    base, place = smmu.stream_table, sid
    if not 0 <= sid < smmu.streams:
        return EventId.C_BAD_STREAMID
    try:
        if smmu.split:
            number = sid >> smmu.split
            word = await bus.load(l1std_address(base, sid, smmu.split), f"L1STD[{number}]")
            leaf = _in_leaf(check_l1std(word, smmu.split), sid, smmu.split)
            if isinstance(leaf, EventId):
                return leaf
            base, place = leaf.base, StreamId(sid % leaf.streams)
        words = await bus.load_words(ste_address(base, place), ste_module.CHECKED_WORDS, f"STE[{sid}].q0-1")
    except BusError:
        return EventId.F_STE_FETCH
    return ste_module.check(words, smmu.features)


class _ContextFetch:
    """One way through the tables, and what it learns."""

    def __init__(self, bus: Bus, smmu: Smmu, transaction: Transaction, kept: int | None) -> None:
        self._bus = bus
        self._smmu = smmu
        self._transaction = transaction
        self._sid = transaction.sid
        self._kept = 3 if kept is None else kept
        self.where = _NOWHERE
        """The structure that was read last."""
        self._l1std: StreamLeaf | EventId | None = None
        self._ste: Ste | EventId | None = None
        self._l1cd: PhysAddr | EventId | None = None
        self._cd: Cd | EventId | None = None

    def fill(self) -> None:
        """Cache what was read and no CFGI has named since; an aborted read brought nothing."""
        smmu, sid, transaction = self._smmu, self._sid, self._transaction
        if transaction.l1std is not None and self._l1std is not None and self._may_keep(Structure.L1STD, self._l1std):
            smmu.l1stds[transaction.l1std] = self._l1std
        if self._ste is not None and self._may_keep(Structure.STE, self._ste):
            smmu.stes[sid] = self._ste
        if transaction.level1 is not None and self._l1cd is not None and self._may_keep(Structure.L1CD, self._l1cd):
            smmu.l1cds[transaction.level1] = self._l1cd
        if transaction.context is not None and self._cd is not None and self._may_keep(Structure.CD, self._cd):
            smmu.cds[sid, transaction.context] = self._cd

    def _may_keep(self, structure: Structure, found: object) -> bool:
        return found not in _ABORTED and not self._transaction.outdated & structure

    async def ste(self) -> Ste | EventId:
        """The STE, cached or from memory."""
        smmu, sid = self._smmu, self._sid
        cached = smmu.stes.get(sid) if self._kept > bool(smmu.split) else None
        if cached is not None:
            return cached
        if not 0 <= sid < smmu.streams:
            return EventId.C_BAD_STREAMID
        base, place = smmu.stream_table, sid
        if smmu.split:
            leaf = _in_leaf(await self._stream_leaf(), sid, smmu.split)
            if isinstance(leaf, EventId):
                return leaf
            base, place = leaf.base, StreamId(sid % leaf.streams)
        told = self._told(f"STE[{sid}]", ste_module.V.mask, ste_module.meaning)
        self.where = ste_address(base, place)
        # From the step that knows the STE on, the transaction is known to use a CD.
        self._ste = await fetch_ste(self._bus, self.where, sid, smmu.features, told, [context_resource(sid)])
        return self._ste

    async def _stream_leaf(self) -> StreamLeaf | EventId:
        """The second-level stream table, cached or from memory."""
        smmu, number = self._smmu, self._sid >> self._smmu.split
        self._transaction.l1std = number
        cached = smmu.l1stds.get(number) if self._kept else None
        if cached is not None:
            return cached
        name = f"L1STD[{number}]"
        self.where = l1std_address(smmu.stream_table, self._sid, smmu.split)
        try:
            word = await self._bus.load(self.where, name)
        except BusError:
            self._l1std = EventId.F_STE_FETCH
            return EventId.F_STE_FETCH
        self._l1std = found = check_l1std(word, smmu.split)
        valid = not isinstance(found, EventId)
        self._report(name, valid, f"{found.streams} STEs" if isinstance(found, StreamLeaf) else found.name)
        return found

    async def cd(self, ste: Ste, context: Pasid) -> Cd | EventId:
        """The CD, from memory."""
        smmu = self._smmu
        base, place = ste.s1_context_ptr, context
        if ste.s1fmt is not CdTableFormat.LINEAR:
            leaf = await self._context_leaf(ste, context)
            if isinstance(leaf, EventId):
                return leaf
            base, place = leaf, Pasid(context & ((1 << ste.s1fmt.bits) - 1))
        told = self._told(f"CD[{context}]", cd_module.V.mask, cd_module.meaning)
        self.where = cd_address(base, place)
        self._cd = await fetch_cd(
            self._bus,
            self.where,
            context,
            stall_model=smmu.stall_model,
            s1stalld=ste.s1stalld,
            walks=smmu.walks,
            seen=told,
        )
        return self._cd

    async def _context_leaf(self, ste: Ste, context: Pasid) -> PhysAddr | EventId:
        """The second-level CD table, cached or from memory."""
        smmu = self._smmu
        await self._bus.access("configuration cache look-up: L1CD", reads=[config_resource(self._sid)])
        key = self._transaction.level1 = level1_key(self._sid, ste, context)
        cached = smmu.l1cds.get(key) if self._kept > 1 + bool(smmu.split) else None
        if cached is not None:
            return cached
        name = f"L1CD[{key[2]}]"
        self.where = l1cd_address(ste.s1_context_ptr, context, ste.s1fmt)
        try:
            word = await self._bus.load(self.where, name)
        except BusError:
            self._l1cd = EventId.F_CD_FETCH
            return EventId.F_CD_FETCH
        self._l1cd = found = check_l1cd(word, ste.s1fmt)
        valid = not isinstance(found, EventId)
        self._report(name, valid, f"{found.name} (V=0)" if isinstance(found, EventId) else f"leaf {found:#x}")
        return found

    def _told(self, name: str, valid: int, meaning: Callable[[Qwords], str]) -> Seen | None:
        """Who is told what an entry's words were."""
        if not self._smmu.report_fetches:
            return None

        def seen(words: Qwords) -> None:
            self._report(name, bool(words[0] & valid), meaning(words))

        return seen

    def _report(self, entry: str, valid: bool, meaning: str) -> None:
        if self._smmu.report_fetches:
            self._bus.emit(EntryFetched(target=LANE, entry=entry, valid=valid, meaning=meaning))


def _in_leaf(leaf: StreamLeaf | EventId, sid: StreamId, split: int) -> StreamLeaf | EventId:
    """The leaf, unless the stream lies beyond its Span."""
    if isinstance(leaf, StreamLeaf) and sid & ((1 << split) - 1) >= leaf.streams:
        return EventId.C_BAD_STREAMID
    return leaf


def admit(ste: Ste | EventId, transaction: Transaction, limit: int) -> Pasid | Denial | Found:
    """What the STE decides: the CD to use (a Pasid), a refusal, or a bypass of addresses of up to `limit` bits."""
    if isinstance(ste, EventId):
        return Denial(event=ste)
    transaction.world = ste.world
    if ste.config is StreamConfig.ABORT:
        return Denial(event=None)
    if transaction.ats and (ste.config is StreamConfig.BYPASS or ste.eats != AtsMode.FULL):
        return Denial(event=EventId.F_BAD_ATS_TREQ)
    if ste.config is StreamConfig.BYPASS:
        return bypass(transaction, limit) if transaction.ssid is None else Denial(event=EventId.C_BAD_SUBSTREAMID)
    context = context_index(ste, transaction.ssid)
    if isinstance(context, EventId):
        return Denial(event=context)
    return bypass(transaction, limit) if context is None else context


def bypass(transaction: Transaction, limit: int) -> Found | Denial:
    """The address is physical already, unless it has more than `limit` bits (IHI 0070 §3.4)."""
    if transaction.address >> limit:
        return Denial(event=EventId.F_ADDR_SIZE)
    page = PhysAddr(transaction.address & ~PAGE_OFFSET)
    return Found(entry=Translation(page=page, readable=True, writable=True), cd=None)
