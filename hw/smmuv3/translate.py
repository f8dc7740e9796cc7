"""How the SMMU translates: configuration, TLB and walk once, and from them the answers to Translation Requests and to
untranslated accesses (smmuv3 §1.1, §1.2 and §2.1)."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from hw.bus import PAGE_OFFSET, Asid, Bus, Pasid, PhysAddr, Resource, StreamId, VirtAddr
from hw.paging.aarch64 import NO_UPDATES, Fault, Updates, WalkFault, walk
from hw.pcie.tlp import NO_PASID, CompletionStatus, TranslationCompletion, TranslationRequest, completion_of
from hw.smmuv3.cd import Cd
from hw.smmuv3.config import Denial, Found, bypass, cached_context, fetch_context, prefetch, resources, stream_entry
from hw.smmuv3.evtq import EventClass, EventId, EventRecord
from hw.smmuv3.state import Smmu, Transaction, apply, resources_of
from hw.smmuv3.ste import AtsMode, Ste, StreamConfig
from hw.smmuv3.tlb import Tlb

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
    "translated_access",
    "untranslated_access",
]

_NOWHERE = PhysAddr(0)
_EVENT_OF_FAULT = {
    WalkFault.TRANSLATION: EventId.F_TRANSLATION,
    WalkFault.ADDRESS_SIZE: EventId.F_ADDR_SIZE,
    WalkFault.ACCESS_FLAG: EventId.F_ACCESS,
    WalkFault.PERMISSION: EventId.F_PERMISSION,
    WalkFault.EXTERNAL_ABORT: EventId.F_WALK_EABT,
}


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
        ordinal=request.tag,
    )
    outcome = await _resolve(bus, smmu, transaction)
    completion, event = _completion(smmu, request, transaction, outcome)
    pending = transaction if transaction in smmu.in_flight else None
    return Answer(completion=completion, event=event, transaction=pending)


def _completion(
    smmu: Smmu, request: TranslationRequest, transaction: Transaction, outcome: Found | Denial
) -> tuple[TranslationCompletion, EventRecord | None]:
    """The table of smmuv3 §2.1; a bypass of an address that is too large is a hole, too (IHI 0070 §3.9.1.2)."""
    match outcome:
        case Found(entry=entry):
            return completion_of(request, CompletionStatus.SUCCESS, entry), None
        case Denial(event=None):
            return completion_of(request, CompletionStatus.UR), None
        case Denial(event=EventId.F_BAD_ATS_TREQ as event):
            return completion_of(request, CompletionStatus.UR), _record(event, transaction)
        case Denial(event=EventId() as event, cd=None, descriptor=where) if event is not EventId.F_ADDR_SIZE:
            recorded = smmu.record_config_errors_of_ats and _may_record(event, smmu)
            return (
                completion_of(request, CompletionStatus.CA),
                _record(event, transaction, fetched=where) if recorded else None,
            )
        case _:
            return completion_of(request, CompletionStatus.SUCCESS), None


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
            target = PhysAddr(entry.page | (address & PAGE_OFFSET))
            return AccessAnswer(
                disposition=Disposition.PROCEED, address=target, event=None, transaction=transaction, found=outcome
            )
        outcome = Denial(event=EventId.F_PERMISSION, cd=cd)
    disposition, event = _denied(outcome, transaction, smmu)
    return AccessAnswer(disposition=disposition, address=PhysAddr(0), event=event, transaction=transaction)


async def translated_access(
    bus: Bus, smmu: Smmu, *, sid: StreamId, pasid: Pasid, address: PhysAddr, write: bool, ordinal: int = 0
) -> AccessAnswer:
    """Decide about a DMA that is marked translated: CR0.ATSCHK asks STE.EATS, else nobody does (smmuv3 §2.2)."""
    ssid = None if pasid == NO_PASID else pasid
    transaction = Transaction(sid=sid, ssid=ssid, address=VirtAddr(address), write=write, ats=True, ordinal=ordinal)
    denial = None if smmu.enabled else Denial(event=EventId.F_TRANSL_FORBIDDEN)
    if smmu.enabled and smmu.atschk:
        denial = _forbidden(smmu, await stream_entry(bus, smmu, transaction))
    if denial is None:
        return AccessAnswer(disposition=Disposition.PROCEED, address=address, event=None, transaction=transaction)
    event = None if denial.event is None else _record(denial.event, transaction)
    return AccessAnswer(disposition=Disposition.ABORT, address=_NOWHERE, event=event, transaction=transaction)


def _forbidden(smmu: Smmu, ste: Ste | EventId) -> Denial | None:
    """Why a stream's translated traffic is not let through (IHI 0070 §3.9.1.3); CR2.RECINVSID does not matter to it."""
    if isinstance(ste, EventId):
        return Denial(event=ste if smmu.record_config_errors_of_ats else None)
    if ste.config is StreamConfig.ABORT:
        return Denial(event=None)
    if ste.config is StreamConfig.BYPASS or ste.eats != AtsMode.FULL:
        return Denial(event=EventId.F_TRANSL_FORBIDDEN)
    return None


def _may_record(event: EventId, smmu: Smmu) -> bool:
    """C_BAD_STREAMID is recorded only with CR2.RECINVSID."""
    return event is not EventId.C_BAD_STREAMID or smmu.record_bad_streams


def _denied(denial: Denial, transaction: Transaction, smmu: Smmu) -> tuple[Disposition, EventRecord | None]:
    """Apply CD.A/R/S to the four faults of a walk; all other errors abort, and nearly all are recorded, always."""
    cd = denial.cd
    if denial.event is None or not _may_record(denial.event, smmu):
        return Disposition.ABORT, None
    if cd is None:
        return Disposition.ABORT, _record(denial.event, transaction, fetched=denial.descriptor)
    if cd.stall:
        return Disposition.STALL, _record(denial.event, transaction, stall=True)
    event = _record(denial.event, transaction) if cd.record else None
    return Disposition.ABORT if cd.abort else Disposition.RAZ_WI, event


async def _resolve(bus: Bus, smmu: Smmu, transaction: Transaction) -> Found | Denial:
    """Configuration, then TLB, then walk: one step if everything is cached."""
    sid = transaction.sid
    if not smmu.enabled:
        return _disabled(smmu, transaction)
    expected = smmu.expected_asid.get((sid, transaction.ssid))
    reads: list[Resource] = resources(smmu, sid)
    if expected is not None:
        reads.append(Tlb.resource(expected))
    await bus.access(
        "configuration cache look-up" if expected is None else "configuration and TLB look-up", reads=reads
    )
    if not transaction.ats:
        # The access itself comes later even on a hit, so an invalidation must find it.
        smmu.begin(transaction)
    cd = cached_context(smmu, transaction)
    looked_up: Asid | None = expected
    if cd is None:
        smmu.begin(transaction)
        cd = await fetch_context(bus, smmu, transaction)
        looked_up = cd.asid if isinstance(cd, Cd) else None
    if isinstance(cd, Denial | Found):
        return cd
    smmu.expected_asid[sid, transaction.ssid] = cd.asid
    if looked_up != cd.asid:
        await bus.access("TLB look-up", reads=[Tlb.resource(cd.asid)])
    transaction.asid = cd.asid
    entry = smmu.tlb.lookup(cd.asid, smmu.vmid, transaction.address, transaction.world)
    if entry is not None and not (entry.clean and transaction.write):
        return Found(entry=entry, cd=cd)
    smmu.begin(transaction)
    return await _walk_and_fill(bus, smmu, transaction, cd)


def _disabled(smmu: Smmu, transaction: Transaction) -> Found | Denial:
    """SMMUEN = 0: no translation, no event for an address that is too large, no ATS (IHI 0070 §3.4, §3.9.1.2)."""
    if transaction.ats:
        return Denial(event=EventId.F_BAD_ATS_TREQ)
    found = bypass(transaction, smmu.walks.output_bits)
    return found if isinstance(found, Found) else Denial(event=None)


async def _walk_and_fill(bus: Bus, smmu: Smmu, transaction: Transaction, cd: Cd) -> Found | Denial:
    """Walk the tables and fill the TLB, unless a TLBI came in between; the page may then be used, but only once."""
    if cd.epd0:
        # EPD0 forbids walks only: an entry that is still in the TLB was found before.
        return Denial(event=EventId.F_TRANSLATION, cd=cd)
    address = transaction.address
    found = await walk(
        bus,
        cd.ttb0,
        address,
        write=False,
        input_bits=cd.input_bits,
        output_bits=cd.output_bits,
        flags=cd.flags,
        hierarchical=cd.hierarchical,
        updates=Updates(access=True, dirty=cd.dirty, write=transaction.write) if cd.access else NO_UPDATES,
    )
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
        world=transaction.world,
        clean=found.clean,
    )
    return Found(entry=entry, cd=cd)


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
