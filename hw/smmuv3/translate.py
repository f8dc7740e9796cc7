"""How the SMMU translates: configuration, TLB and walk once, and from them the answers to Translation Requests and to
untranslated accesses (smmuv3.md sections 1.1, 1.2 and 2.1)."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from hw.aarch64 import Fault, Translation, WalkFault, walk
from hw.bus import Asid, Bus, Pasid, PhysAddr, Resource, StreamId, VirtAddr
from hw.pcie.tlp import NO_PASID, CompletionStatus, TranslationCompletion, TranslationRequest
from hw.smmuv3 import cd as cd_module
from hw.smmuv3 import ste as ste_module
from hw.smmuv3.cd import Cd, fetch_cd
from hw.smmuv3.entry import EntryFetched, Qwords, Seen
from hw.smmuv3.evtq import EventClass, EventId, EventRecord
from hw.smmuv3.state import Smmu, Transaction, apply, config_resource, resources_of
from hw.smmuv3.ste import AtsMode, Ste, StreamConfig, context_index, fetch_ste
from hw.tlb import Tlb, TlbEntry

__all__ = [
    "AccessAnswer",
    "Answer",
    "Disposition",
    "Smmu",
    "Transaction",
    "apply",
    "prefetch",
    "resources_of",
    "translate_request",
    "untranslated_access",
]

_NOWHERE = PhysAddr(0)
_PAGE_OFFSET = (1 << 12) - 1
_NOT_CACHED = (EventId.F_STE_FETCH, EventId.F_CD_FETCH, EventId.C_BAD_STREAMID)
_EVENT_OF_FAULT = {
    WalkFault.TRANSLATION: EventId.F_TRANSLATION,
    WalkFault.ADDRESS_SIZE: EventId.F_ADDR_SIZE,
    WalkFault.ACCESS_FLAG: EventId.F_ACCESS,
    WalkFault.PERMISSION: EventId.F_PERMISSION,
    WalkFault.EXTERNAL_ABORT: EventId.F_WALK_EABT,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Denial:
    """Why a transaction got no page; without `event` the stream is configured to abort silently."""

    event: EventId | None
    cd: Cd | None = None
    """Set for the four faults that CD.A/R/S govern."""
    descriptor: PhysAddr = _NOWHERE


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """A page with its rights, and the CD that led there (none for a bypass)."""

    entry: TlbEntry | Translation
    cd: Cd | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What goes back to the endpoint, and what is recorded, if anything.

    The step that sends the completion names IN_FLIGHT and calls `smmu.finish(transaction)`; None: nothing to finish.
    """

    completion: TranslationCompletion
    event: EventRecord | None
    transaction: Transaction | None


class Disposition(Enum):
    """What becomes of an untranslated access."""

    PROCEED = "goes on to memory"
    ABORT = "is answered with an abort"
    RAZ_WI = "reads zero or is ignored"
    STALL = "waits for RESUME, STALL_TERM or a retry"


@dataclass(frozen=True, slots=True, kw_only=True)
class AccessAnswer:
    """The fate of an untranslated access; a stall record still needs its STAG.

    The step that performs the access, or delivers what took its place, calls `smmu.finish(transaction)`; it is what
    a CMD_SYNC waits for.
    """

    disposition: Disposition
    address: PhysAddr
    event: EventRecord | None
    transaction: Transaction
    found: Found | None = None
    """What led to the page, where the access proceeds: for oracles."""


async def translate_request(bus: Bus, smmu: Smmu, request: TranslationRequest) -> Answer:
    """Answer a Translation Request; it never stalls, and a missing page is a Success without rights."""
    transaction = Transaction(
        sid=request.sid,
        ssid=None if request.pasid == NO_PASID else request.pasid,
        address=request.address,
        write=request.write,
        ats=True,
    )
    outcome = await _resolve(bus, smmu, transaction)
    completion, event = _completion(smmu, request, transaction, outcome)
    pending = transaction if transaction in smmu.in_flight else None
    return Answer(completion=completion, event=event, transaction=pending)


def _completion(
    smmu: Smmu, request: TranslationRequest, transaction: Transaction, outcome: Found | Denial
) -> tuple[TranslationCompletion, EventRecord | None]:
    """The table of section 2.1."""
    match outcome:
        case Found(entry=entry):
            return _complete(request, CompletionStatus.SUCCESS, entry), None
        case Denial(event=None):
            return _complete(request, CompletionStatus.UR), None
        case Denial(event=EventId.F_BAD_ATS_TREQ as event):
            return _complete(request, CompletionStatus.UR), _record(event, transaction)
        case Denial(event=EventId() as event, cd=None, descriptor=where):
            recorded = event is EventId.F_WALK_EABT or smmu.record_config_errors_of_ats
            return (
                _complete(request, CompletionStatus.CA),
                _record(event, transaction, fetched=where) if recorded else None,
            )
        case _:
            return _complete(request, CompletionStatus.SUCCESS), None


async def untranslated_access(
    bus: Bus, smmu: Smmu, *, sid: StreamId, pasid: Pasid, address: VirtAddr, write: bool, ordinal: int = 0
) -> AccessAnswer:
    """Decide about a DMA with an untranslated address."""
    ssid = None if pasid == NO_PASID else pasid
    transaction = Transaction(sid=sid, ssid=ssid, address=address, write=write, ats=False, ordinal=ordinal)
    outcome = await _resolve(bus, smmu, transaction)
    if isinstance(outcome, Found):
        entry, cd = outcome.entry, outcome.cd
        if cd is None or (entry.writable if write else entry.readable):
            target = PhysAddr(entry.page | (address & _PAGE_OFFSET))
            return AccessAnswer(
                disposition=Disposition.PROCEED, address=target, event=None, transaction=transaction, found=outcome
            )
        outcome = Denial(event=EventId.F_PERMISSION, cd=cd)
    disposition, event = _denied(outcome, transaction)
    return AccessAnswer(disposition=disposition, address=PhysAddr(0), event=event, transaction=transaction)


def _denied(denial: Denial, transaction: Transaction) -> tuple[Disposition, EventRecord | None]:
    """Apply CD.A/R/S to the four normal faults; configuration errors abort and are recorded, always."""
    cd = denial.cd
    if denial.event is None:
        return Disposition.ABORT, None
    if cd is None:
        return Disposition.ABORT, _record(denial.event, transaction, fetched=denial.descriptor)
    if cd.stall:
        return Disposition.STALL, _record(denial.event, transaction, stall=True)
    event = _record(denial.event, transaction) if cd.record else None
    return Disposition.ABORT if cd.abort else Disposition.RAZ_WI, event


async def prefetch(bus: Bus, smmu: Smmu, *, sid: StreamId, ssid: Pasid | None, ordinal: int) -> Transaction:
    """Bring reachable configuration into the caches without any traffic, as an SMMU may at any time (section 1.3).

    Who calls finishes the transaction, as with an access: a CMD_SYNC waits for a fetch that is under way, too.
    """
    transaction = Transaction(sid=sid, ssid=ssid, address=VirtAddr(0), write=False, ats=False, ordinal=ordinal)
    await bus.access("prefetch: configuration cache look-up", reads=[config_resource(sid)])
    smmu.begin(transaction)
    if _cached_context(smmu, transaction) is None:
        await _fetch_context(bus, smmu, transaction)
    return transaction


async def _resolve(bus: Bus, smmu: Smmu, transaction: Transaction) -> Found | Denial:
    """Configuration, then TLB, then walk: one step if everything is cached."""
    sid = transaction.sid
    expected = smmu.expected_asid.get((sid, transaction.ssid))
    reads: list[Resource] = [config_resource(sid)]
    if expected is not None:
        reads.append(Tlb.resource(expected))
    await bus.access(
        "configuration cache look-up" if expected is None else "configuration and TLB look-up", reads=reads
    )
    if not transaction.ats:
        # The access itself comes later even on a hit, so an invalidation must find it.
        smmu.begin(transaction)
    cd = _cached_context(smmu, transaction)
    looked_up: Asid | None = expected
    if cd is None:
        smmu.begin(transaction)
        cd = await _fetch_context(bus, smmu, transaction)
        looked_up = cd.asid if isinstance(cd, Cd) else None
    if isinstance(cd, Denial | Found):
        return cd
    smmu.expected_asid[sid, transaction.ssid] = cd.asid
    if looked_up != cd.asid:
        await bus.access("TLB look-up", reads=[Tlb.resource(cd.asid)])
    transaction.asid = cd.asid
    entry = smmu.tlb.lookup(cd.asid, smmu.vmid, transaction.address)
    if entry is not None:
        return Found(entry=entry, cd=cd)
    smmu.begin(transaction)
    return await _walk_and_fill(bus, smmu, transaction, cd)


def _cached_context(smmu: Smmu, transaction: Transaction) -> Cd | Denial | Found | None:
    """What the configuration caches say; None if something has to be fetched."""
    ste = smmu.stes.get(transaction.sid)
    if ste is None:
        return None
    context = _admit(ste, transaction)
    if isinstance(context, Denial | Found):
        return context
    transaction.context = context
    cd = smmu.cds.get((transaction.sid, context))
    return Denial(event=cd) if isinstance(cd, EventId) else cd


async def _fetch_context(bus: Bus, smmu: Smmu, transaction: Transaction) -> Cd | Denial | Found:
    """Fetch what the caches miss and fill them, unless a CFGI came in between.

    The last step also names the TLB of the ASID it found, so that the TLB look-up needs no step of its own.
    """
    sid = transaction.sid
    ste = smmu.stes.get(sid)
    if ste is None:
        in_table = 0 <= sid < smmu.streams
        ste = await _fetch_ste(bus, smmu, sid) if in_table else EventId.C_BAD_STREAMID
    context = _admit(ste, transaction)
    cd: Cd | EventId | None = None
    if not isinstance(context, Denial | Found) and isinstance(ste, Ste):
        transaction.context = context
        cd = await _fetch_cd(bus, smmu, ste, context)
    reads = [Tlb.resource(cd.asid)] if isinstance(cd, Cd) else []
    await bus.access("configuration cache fill", reads=reads, writes=[config_resource(sid)])
    if not transaction.stale_config:
        if ste not in _NOT_CACHED:
            smmu.stes[sid] = ste
        if cd is not None and cd not in _NOT_CACHED and transaction.context is not None:
            smmu.cds[sid, transaction.context] = cd
    if isinstance(context, Denial | Found):
        return context
    return cd if isinstance(cd, Cd) else Denial(event=cd)


async def _fetch_ste(bus: Bus, smmu: Smmu, sid: StreamId) -> Ste | EventId:
    """The STE of a stream, from memory."""

    def seen(words: Qwords) -> None:
        valid = bool(words[0] & ste_module.V.mask)
        bus.emit(EntryFetched(entry=f"STE[{sid}]", valid=valid, meaning=ste_module.meaning(words)))

    told: Seen | None = seen if smmu.report_fetches else None
    return await fetch_ste(bus, smmu.stream_table, sid, smmu.ste_order, any_order=smmu.any_order, seen=told)


async def _fetch_cd(bus: Bus, smmu: Smmu, ste: Ste, ssid: Pasid) -> Cd | EventId:
    """A CD of the table that an STE points to, from memory."""

    def seen(words: Qwords) -> None:
        valid = bool(words[0] & cd_module.V.mask)
        bus.emit(EntryFetched(entry=f"CD[{ssid}]", valid=valid, meaning=cd_module.meaning(words)))

    return await fetch_cd(
        bus,
        ste.s1_context_ptr,
        ssid,
        smmu.cd_order,
        stall_model=smmu.stall_model,
        s1stalld=ste.s1stalld,
        any_order=smmu.any_order,
        seen=seen if smmu.report_fetches else None,
    )


def _admit(ste: Ste | EventId, transaction: Transaction) -> Pasid | Denial | Found:
    """What the STE decides: the CD to use (a Pasid), a refusal, or a bypass."""
    if isinstance(ste, EventId):
        return Denial(event=ste)
    if ste.config is StreamConfig.ABORT:
        return Denial(event=None)
    if transaction.ats and (ste.config is StreamConfig.BYPASS or ste.eats != AtsMode.FULL):
        return Denial(event=EventId.F_BAD_ATS_TREQ)
    if ste.config is StreamConfig.BYPASS:
        return _bypass(transaction) if transaction.ssid is None else Denial(event=EventId.C_BAD_SUBSTREAMID)
    context = context_index(ste, transaction.ssid)
    if isinstance(context, EventId):
        return Denial(event=context)
    if context is None:
        return Denial(event=EventId.F_BAD_ATS_TREQ) if transaction.ats else _bypass(transaction)
    return context


def _bypass(transaction: Transaction) -> Found:
    """The address is physical already."""
    page = PhysAddr(transaction.address & ~_PAGE_OFFSET)
    return Found(entry=Translation(page=page, readable=True, writable=True), cd=None)


async def _walk_and_fill(bus: Bus, smmu: Smmu, transaction: Transaction, cd: Cd) -> Found | Denial:
    """Walk the tables and fill the TLB, unless a TLBI came in between; the page may then be used, but only once."""
    if cd.epd0:
        # EPD0 forbids walks only: an entry that is still in the TLB was found before.
        return Denial(event=EventId.F_TRANSLATION, cd=cd)
    address = transaction.address
    found = await walk(bus, cd.ttb0, address, write=False, input_bits=cd.input_bits, output_bits=cd.output_bits)
    if isinstance(found, Fault):
        event = _EVENT_OF_FAULT[found.kind]
        normal = found.kind is not WalkFault.EXTERNAL_ABORT
        return Denial(event=event, cd=cd if normal else None, descriptor=found.descriptor)
    await bus.access("TLB fill", writes=[Tlb.resource(cd.asid)])
    if transaction.stale_translation:
        return Found(entry=found, cd=cd)
    entry = smmu.tlb.fill(
        asid=cd.asid,
        vmid=smmu.vmid,
        address=address,
        page=found.page,
        readable=found.readable,
        writable=found.writable,
        ttb=cd.ttb0,
    )
    return Found(entry=entry, cd=cd)


def _complete(
    request: TranslationRequest, status: CompletionStatus, entry: TlbEntry | Translation | None = None
) -> TranslationCompletion:
    """Address the completion; without an entry it grants nothing."""
    return TranslationCompletion(
        sid=request.sid,
        tag=request.tag,
        status=status,
        page=entry.page if entry is not None else _NOWHERE,
        read=entry is not None and entry.readable,
        write=entry is not None and entry.writable,
    )


def _record(
    event: EventId, transaction: Transaction, *, stall: bool = False, fetched: PhysAddr = _NOWHERE
) -> EventRecord:
    """The event record of a transaction."""
    walked = event is EventId.F_WALK_EABT
    normal = EventId.F_TRANSLATION <= event <= EventId.F_PERMISSION
    return EventRecord(
        id=event,
        sid=transaction.sid,
        ssv=transaction.ssid is not None,
        ssid=transaction.ssid if transaction.ssid is not None else Pasid(0),
        stall=stall,
        read=not transaction.write,
        event_class=EventClass.TTD if walked else EventClass.IN if normal else EventClass.CD,
        address=transaction.address,
        ipa=fetched,
    )
