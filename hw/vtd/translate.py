"""What each transaction gets (vtd-pcie §2.2): context, PASID entry, IOTLB and walk once, and from them the
answers to untranslated and translated DMA, Translation Requests and page requests."""

from __future__ import annotations

from dataclasses import dataclass

from hw.bus import PAGE_OFFSET, Bus, Pasid, PhysAddr, Resource, StreamId, VirtAddr
from hw.events.fetched import EntryFetched
from hw.events.tables import TableMarked, TableRead
from hw.paging.walks import Translation
from hw.paging.x86 import ENTRY_NAMES, Fault, WalkFault, walk
from hw.pcie.tlp import (
    NO_PASID,
    CompletionStatus,
    PageRequest,
    ResponseCode,
    TranslationCompletion,
    TranslationRequest,
    completion_of,
)
from hw.tlb import TlbEntry
from hw.vtd import LANE
from hw.vtd.context import Context, fetch_context
from hw.vtd.faults import Denial, FaultReason, FaultRecord, RequestKind
from hw.vtd.iotlb import Iotlb, IotlbTag
from hw.vtd.pasid import (
    TABLE_ENTRIES,
    P,
    PasidEntry,
    Qwords,
    TranslationType,
    fetch_directory,
    fetch_entry,
    meaning,
)
from hw.vtd.state import IN_FLIGHT, PAGE_REQUESTS, Transaction, Vtd, context_resource, pasid_cache_resource

_FIRST_PASID = Pasid(0)

_REASON_OF_FAULT = {
    WalkFault.NOT_CANONICAL: FaultReason.NOT_CANONICAL,
    WalkFault.ACCESS: FaultReason.FIRST_LEVEL_ACCESS,
    WalkFault.NOT_PRESENT: FaultReason.FIRST_LEVEL_P,
    WalkFault.RESERVED: FaultReason.FIRST_LEVEL_RESERVED,
    WalkFault.SUPERVISOR: FaultReason.SUPERVISOR_PAGE,
}
_RECOVERABLE = (FaultReason.FIRST_LEVEL_P, FaultReason.SUPERVISOR_PAGE, FaultReason.NOT_CANONICAL)
"""A Translation Request that meets one of these succeeds without rights: the device may send a page request."""
_NOT_QUALIFIED = (FaultReason.PASID_DIRECTORY_ACCESS, FaultReason.PASID_ENTRY_ACCESS)
"""What FPD does not keep out of the fault log."""
_ABSENT = (FaultReason.PASID_DIRECTORY_P, FaultReason.PASID_ENTRY_P)
"""Nobody translates for this PASID: ATS and PRI answer, and nothing is recorded."""
_REFUSED = (
    FaultReason.ROOT_ENTRY_P,
    FaultReason.CONTEXT_ENTRY_P,
    FaultReason.DTE_CLEAR,
    FaultReason.PASIDE_CLEAR,
    FaultReason.PASID_TOO_LARGE,
)
"""The function may not ask: UR. All others are errors of the unit's own structures: CA (which is which is [K])."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """A page with its rights, and the PASID entry that led there (none where AT=10 needed none)."""

    entry: TlbEntry[IotlbTag] | Translation
    pasid_entry: PasidEntry | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Admitted:
    """A context lets a request go on to a PASID entry."""

    pasid: Pasid
    directory: PhysAddr
    fpd: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What goes back to the endpoint; `record` goes to `FaultLog.report`.

    The step that sends the completion names IN_FLIGHT and calls `vtd.finish(transaction)`, if that is still inside.
    """

    completion: TranslationCompletion
    transaction: Transaction
    denial: Denial | None
    record: FaultRecord | None


@dataclass(frozen=True, slots=True, kw_only=True)
class AccessAnswer:
    """Where a DMA goes; without `address` a read is answered with UR and a write is dropped.

    The step that performs the access, or delivers what took its place, names IN_FLIGHT and calls
    `vtd.finish(transaction)`, if that is still inside.
    """

    address: PhysAddr | None
    transaction: Transaction
    found: Found | None = None
    denial: Denial | None = None
    record: FaultRecord | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PageRequestAnswer:
    """Whether a page request may be queued (no `refusal`: `Prq.accept`) or is kept out (`Prq.refuse` with it).

    The step that does so names IN_FLIGHT and calls `vtd.finish(transaction)`: a drain waits for it.
    """

    transaction: Transaction
    refusal: ResponseCode | None = None
    denial: Denial | None = None
    record: FaultRecord | None = None


async def untranslated_access(
    bus: Bus, vtd: Vtd, *, sid: StreamId, pasid: Pasid, address: VirtAddr, write: bool, ordinal: int = 0
) -> AccessAnswer:
    """Decide about a DMA with an untranslated address (AT=00)."""
    kind = RequestKind.WRITE if write else RequestKind.READ
    transaction = _transaction(sid, pasid, address, kind, ordinal)
    transaction.write = write
    outcome = await _resolve(bus, vtd, transaction)
    if isinstance(outcome, Found):
        if outcome.entry.writable or not write:
            target = PhysAddr(outcome.entry.page | (address & PAGE_OFFSET))
            return AccessAnswer(address=target, transaction=transaction, found=outcome)
        fpd = outcome.pasid_entry is not None and outcome.pasid_entry.fpd
        outcome = Denial(reason=FaultReason.NO_WRITE_PERMISSION, fpd=fpd)
    return AccessAnswer(address=None, transaction=transaction, denial=outcome, record=_record(outcome, transaction))


async def translated_access(
    bus: Bus, vtd: Vtd, *, sid: StreamId, pasid: Pasid, address: PhysAddr, write: bool, ordinal: int = 0
) -> AccessAnswer:
    """Decide about a DMA that the device translated itself (AT=10): nothing is looked at, whatever became of its PASID.

    With `vtd.translated_checked` context and PASID entry must still let it through.
    """
    kind = RequestKind.TRANSLATED_WRITE if write else RequestKind.TRANSLATED_READ
    transaction = _transaction(sid, pasid, VirtAddr(address), kind, ordinal)
    if not vtd.translated_checked:
        return AccessAnswer(address=address, transaction=transaction)
    outcome = await _configuration(bus, vtd, transaction)
    if not isinstance(outcome, Denial):
        return AccessAnswer(address=address, transaction=transaction)
    return AccessAnswer(address=None, transaction=transaction, denial=outcome, record=_record(outcome, transaction))


async def translate_request(bus: Bus, vtd: Vtd, request: TranslationRequest, ordinal: int = 0) -> Answer:
    """Answer a Translation Request; a missing page is a Success without rights."""
    transaction = _transaction(request.sid, request.pasid, request.address, RequestKind.TRANSLATION, ordinal)
    transaction.write = request.write
    outcome = await _resolve(bus, vtd, transaction)
    if isinstance(outcome, Found):
        completion = completion_of(request, CompletionStatus.SUCCESS, outcome.entry)
        return Answer(completion=completion, transaction=transaction, denial=None, record=None)
    status = _status(outcome.reason, vtd)
    return Answer(
        completion=completion_of(request, status),
        transaction=transaction,
        denial=outcome,
        record=_record(outcome, transaction) if status is not CompletionStatus.SUCCESS else None,
    )


async def page_request(bus: Bus, vtd: Vtd, request: PageRequest, ordinal: int = 0) -> PageRequestAnswer:
    """Check a page request's context and PASID entry on arrival: this closes the door that clearing the entry shuts."""
    transaction = _transaction(request.sid, request.pasid, request.address, RequestKind.PAGE_REQUEST, ordinal)
    outcome = await _configuration(bus, vtd, transaction)
    if isinstance(outcome, PasidEntry | Context):
        return PageRequestAnswer(transaction=transaction)
    recorded = outcome.reason not in _ABSENT
    return PageRequestAnswer(
        transaction=transaction,
        refusal=vtd.absent_entry_code,
        denial=outcome,
        record=_record(outcome, transaction) if recorded else None,
    )


def _transaction(sid: StreamId, pasid: Pasid, address: VirtAddr, kind: RequestKind, ordinal: int) -> Transaction:
    """A request that has just arrived."""
    return Transaction(sid=sid, pasid=pasid, with_pasid=pasid != NO_PASID, address=address, kind=kind, ordinal=ordinal)


async def _resolve(bus: Bus, vtd: Vtd, transaction: Transaction) -> Found | Denial:
    """Configuration, then IOTLB, then walk: one step if everything is cached."""
    entry = await _configuration(bus, vtd, transaction)
    if isinstance(entry, Denial):
        return entry
    if isinstance(entry, Context):
        raise AssertionError("only page requests stop at the context")
    transaction.did = entry.did
    if entry.pgtt is TranslationType.PASS_THROUGH:
        page = PhysAddr(transaction.address & ~PAGE_OFFSET)
        return Found(entry=Translation(page=page, readable=True, writable=True), pasid_entry=entry)
    cached = vtd.iotlb.lookup(entry.did, transaction.pasid, transaction.address)
    if cached is not None and not (cached.clean and transaction.write):
        return Found(entry=cached, pasid_entry=entry)
    return await _walk_and_fill(bus, vtd, transaction, entry)


async def _configuration(bus: Bus, vtd: Vtd, transaction: Transaction) -> PasidEntry | Context | Denial:
    """The PASID entry of a request; for a page request that does not look so far, its context.

    The last step also names the IOTLB, so that the look-up there needs no step of its own.
    """
    sid = transaction.sid
    if not transaction.with_pasid:
        transaction.pasid = vtd.rid_pasids.get(sid, _FIRST_PASID)
    # A drain waits for the page requests that are inside by then; no cache that it writes would tell before from after.
    enters = [PAGE_REQUESTS] if transaction.kind is RequestKind.PAGE_REQUEST else []
    await bus.access("context, PASID cache and IOTLB look-up", reads=_caches(transaction), writes=enters)
    vtd.begin(transaction)
    context = vtd.context_cache.get(sid)
    entry = vtd.pasid_cache.get((sid, transaction.pasid))
    cached = context is not None
    if context is None:
        context = await _fetch_context(bus, vtd, sid)
    admitted = _admit(context, transaction)
    far_enough = transaction.kind is RequestKind.PAGE_REQUEST and not vtd.page_requests_checked
    if isinstance(admitted, Denial) or far_enough:
        if not cached:
            await _fill(bus, vtd, transaction, context)
        return admitted if isinstance(admitted, Denial) else context
    if admitted.pasid != transaction.pasid:
        vtd.rid_pasids[sid] = transaction.pasid = admitted.pasid
        await bus.access("PASID cache and IOTLB look-up", reads=_caches(transaction))
        entry = vtd.pasid_cache.get((sid, admitted.pasid))
    if entry is None:
        entry = await _fetch_entry(bus, vtd, admitted)
        cached = False
    if not cached:
        await _fill(bus, vtd, transaction, context, entry)
    if _ends_here(vtd, transaction, entry):
        vtd.finish(transaction)
    return entry


def _caches(transaction: Transaction) -> list[Resource]:
    """What a look-up reads; translations are of use only to who has to be translated."""
    caches = [context_resource(transaction.sid), pasid_cache_resource(transaction.pasid)]
    if transaction.kind.translates:
        caches.append(Iotlb.resource(transaction.pasid))
    return caches


def _ends_here(vtd: Vtd, transaction: Transaction, entry: PasidEntry | Denial | None) -> bool:
    """Whether no invalidation need wait until the request has left: it has no PASID entry, hence uses no translation.

    Or what it needs of the unit is this look-up alone. Page requests are waited for until they are queued or refused.
    """
    if transaction.kind is RequestKind.PAGE_REQUEST:
        return False
    return isinstance(entry, Denial) or not vtd.waits_for(transaction)


async def _fill(
    bus: Bus, vtd: Vtd, transaction: Transaction, context: Context | Denial, entry: PasidEntry | Denial | None = None
) -> None:
    """Fill the caches with what was fetched, unless an invalidation came in between."""
    configuration, translations = _caches(transaction)[:2], _caches(transaction)[2:]
    if _ends_here(vtd, transaction, entry) and vtd.waits_for(transaction):
        configuration.append(IN_FLIGHT)
    await bus.access("context and PASID cache fill", reads=translations if entry else [], writes=configuration)
    if transaction.stale_config:
        return
    if vtd.cacheable(context):
        vtd.context_cache[transaction.sid] = context
    if entry is not None and vtd.cacheable(entry):
        vtd.pasid_cache[transaction.sid, transaction.pasid] = entry


async def _fetch_context(bus: Bus, vtd: Vtd, sid: StreamId) -> Context | Denial:
    """The context entry of a function, from memory."""
    if not 0 <= sid < vtd.contexts:
        return Denial(reason=FaultReason.ROOT_ENTRY_P)
    return await fetch_context(bus, vtd.context_table, sid)


async def _fetch_entry(bus: Bus, vtd: Vtd, admitted: Admitted) -> PasidEntry | Denial:
    """A PASID entry, from memory by way of the directory."""
    pasid = admitted.pasid

    def seen(words: Qwords) -> None:
        bus.emit(EntryFetched(entry=f"PE[{pasid}]", valid=bool(words[0] & P.mask), meaning=meaning(words), target=LANE))

    directory = await fetch_directory(bus, admitted.directory, pasid, fpd=admitted.fpd)
    if isinstance(directory, Denial):
        return directory
    return await fetch_entry(
        bus,
        directory.table,
        pasid,
        vtd.entry_pieces,
        fpd=directory.fpd,
        any_order=vtd.any_order,
        seen=seen if vtd.report_fetches else None,
    )


def _admit(context: Context | Denial, transaction: Transaction) -> Admitted | Denial:
    """What the context decides: which PASID entry to use, or a refusal."""
    if isinstance(context, Denial):
        return context
    refusal = None
    pasid = transaction.pasid if transaction.with_pasid else context.rid_pasid
    if transaction.kind.needs_ats and not context.dte:
        refusal = FaultReason.DTE_CLEAR
    elif transaction.kind is RequestKind.PAGE_REQUEST and not context.pre:
        refusal = FaultReason.PRE_CLEAR
    elif transaction.with_pasid and not context.paside:
        refusal = FaultReason.PASIDE_CLEAR
    elif pasid // TABLE_ENTRIES >= context.directory_entries:
        refusal = FaultReason.PASID_TOO_LARGE
    if refusal is not None:
        return Denial(reason=refusal, fpd=context.fpd)
    return Admitted(pasid=pasid, directory=context.directory, fpd=context.fpd)


@dataclass(frozen=True, slots=True)
class _Watch:
    """Makes events of what a walk does to memory."""

    bus: Bus

    def read(self, where: PhysAddr, level: int, entry: int) -> None:
        self.bus.emit(TableRead(address=where, name=ENTRY_NAMES[level], entry=entry, target=LANE))

    def marked(self, where: PhysAddr, level: int) -> None:
        self.bus.emit(TableMarked(address=where, name=ENTRY_NAMES[level], target=LANE))


async def _walk_and_fill(bus: Bus, vtd: Vtd, transaction: Transaction, entry: PasidEntry) -> Found | Denial:
    """Walk the tables and fill the caches, unless an invalidation came in between; the page may then be used once."""
    did, pasid, address, iotlb = entry.did, transaction.pasid, transaction.address, vtd.iotlb
    start = iotlb.start(did, pasid, address, entry.flptptr)
    watch = _Watch(bus) if vtd.report_walks else None
    walked = await walk(bus, start, address, write=transaction.write, nxe=entry.nxe, watch=watch)
    trail = walked.trail if iotlb.upper_capacity else ()
    found = walked.outcome
    if trail or isinstance(found, Translation):
        await bus.access("IOTLB fill", writes=[Iotlb.resource(pasid)])
    if trail and not transaction.stale_translation:
        iotlb.fill_upper(did, pasid, address, trail)
    if isinstance(found, Fault):
        reason = _REASON_OF_FAULT[found.kind]
        if reason is FaultReason.FIRST_LEVEL_ACCESS and found.level == 0:
            reason = FaultReason.FIRST_LEVEL_ROOT_ACCESS
        return Denial(reason=reason, fpd=entry.fpd)
    if transaction.stale_translation:
        return Found(entry=found, pasid_entry=entry)
    return Found(entry=iotlb.fill(did, pasid, address, found, entry.flptptr), pasid_entry=entry)


def _status(reason: FaultReason, vtd: Vtd) -> CompletionStatus:
    """How a Translation Request fails; Success means that it succeeds without rights."""
    if reason in _RECOVERABLE:
        return CompletionStatus.SUCCESS
    if reason in _ABSENT:
        return vtd.absent_entry_answer
    return CompletionStatus.UR if reason in _REFUSED else CompletionStatus.CA


def _record(denial: Denial, transaction: Transaction) -> FaultRecord | None:
    """What is recorded of a refusal: nothing if FPD stood anywhere on the way, but for a table that cannot be read."""
    if denial.fpd and denial.reason not in _NOT_QUALIFIED:
        return None
    return FaultRecord(
        reason=denial.reason,
        sid=transaction.sid,
        pasid=transaction.pasid if transaction.with_pasid else None,
        address=transaction.address,
        kind=transaction.kind,
    )
