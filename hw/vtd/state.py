"""What a VT-d unit remembers between steps: context cache, PASID cache, IOTLB, and the requests inside it that an
invalidation or a drain must wait for (vtd-pcie §2.1 and §2.4)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from hw.bus import Pasid, PhysAddr, Resource, StreamId, VirtAddr
from hw.pcie.tlp import NO_PASID, CompletionStatus, ResponseCode
from hw.vtd.context import Context
from hw.vtd.descriptors import (
    ContextGranularity,
    ContextInvalidate,
    Descriptor,
    IotlbGranularity,
    IotlbInvalidate,
    PasidCacheGranularity,
    PasidCacheInvalidate,
    PasidIotlbGranularity,
    PasidIotlbInvalidate,
)
from hw.vtd.faults import Denial, FaultReason, RequestKind
from hw.vtd.iotlb import Iotlb
from hw.vtd.pasid import Did, PasidEntry, Pieces, pieces
from hw.vtd.registers import Registers

IN_FLIGHT: Resource = ("VT-d", "in flight")
"""What an invalidation or a drain reads to learn whether a request still uses old contents; the step that ends a
request writes it: where it finds no PASID entry, or when it leaves."""
PAGE_REQUESTS: Resource = ("VT-d", "page requests inside")
"""The same for page requests, which use no translation: drains wait for them, and IOTLB invalidations do not. The
look-up with which one enters writes it as well."""
_NOT_PRESENT = (FaultReason.CONTEXT_ENTRY_P, FaultReason.PASID_DIRECTORY_P, FaultReason.PASID_ENTRY_P)


@dataclass(slots=True, kw_only=True, eq=False)
class Transaction:
    """One request inside the unit; compared by identity."""

    sid: StreamId
    pasid: Pasid
    """NO_PASID until the context's RID_PASID takes its place."""
    with_pasid: bool
    """The request itself named a PASID."""
    address: VirtAddr
    kind: RequestKind
    write: bool = False
    """Whether the page is to be marked dirty."""
    ordinal: int = 0
    """Which one of its agent's it is: a name for whoever waits for its end."""
    did: Did | None = None
    """The domain it uses, once that is known."""
    stale_config: bool = False
    """Its context or PASID entry was invalidated after it looked: it must not fill those caches."""
    stale_translation: bool = False
    """Its translation was invalidated after it looked: it must not fill the IOTLB."""


def inside(kind: RequestKind) -> Resource:
    """What the step writes that ends a request of this kind."""
    return PAGE_REQUESTS if kind is RequestKind.PAGE_REQUEST else IN_FLIGHT


@dataclass(slots=True, kw_only=True)
class Vtd:
    """Plain data; whoever changes it has named the cache of a PASID or function in the step that does so."""

    registers: Registers
    context_table: PhysAddr
    contexts: int
    """How many context entries the linear table has."""
    pasids: Sequence[Pasid] = ()
    """The PASIDs of this world: what an invalidation names that is not limited to one of them."""
    entry_pieces: Pieces = field(default_factory=lambda: pieces(4))
    """How a PASID entry is fetched. Four reads of 128 bits was the size that the kernel's developers discussed."""
    any_order: bool = False
    """Whether those pieces come in any order, as hardware chooses."""
    report_fetches: bool = False
    """Whether fetches are events: only worlds whose oracles look at them pay for that."""
    report_walks: bool = False
    """Whether what walks do to page tables are events: as for `report_fetches`."""
    caching_mode: bool = False
    """CAP.CM, as only virtual units have it: not-present entries are cached, too."""
    absent_entry_answer: CompletionStatus = CompletionStatus.SUCCESS
    """What a Translation Request gets where directory or PASID entry has P=0. Success (with R=W=0) is the contract that
    was agreed on in 2020; the exact code of VT-d is not verified."""
    absent_entry_code: ResponseCode = ResponseCode.INVALID
    """What a refused page request gets: AMD's software says FAILURE, which turns PRI off."""
    page_requests_checked: bool = True
    """Whether a page request looks its PASID entry up; SMMU, RISC-V and AMD do not."""
    translated_checked: bool = False
    """Whether AT=10 looks context (DTE) and PASID entry up, as other requests do: that it does not is [K] in the table,
    and what keeps a device out that holds on to a translation."""
    pasid_cache_drains: bool = False
    """Whether a PASID-cache invalidation waits for requests past their look-up: not verified, no is the harder case."""
    iotlb: Iotlb = field(default_factory=Iotlb)
    context_cache: dict[StreamId, Context | Denial] = field(default_factory=dict)
    pasid_cache: dict[tuple[StreamId, Pasid], PasidEntry | Denial] = field(default_factory=dict)
    rid_pasids: dict[StreamId, Pasid] = field(default_factory=dict)
    """The RID_PASID that a function used last. It only chooses which caches the next look-up without PASID names
    beforehand, so it belongs to the one actor that translates for the function and is no hardware state."""
    in_flight: list[Transaction] = field(default_factory=list)

    def begin(self, transaction: Transaction) -> None:
        """From here invalidations mark the transaction."""
        self.in_flight.append(transaction)

    def finish(self, transaction: Transaction) -> None:
        """The transaction has left: data in memory, completion sent, or page request queued or answered; called in the
        step that makes it so."""
        if transaction in self.in_flight:
            self.in_flight.remove(transaction)

    def waits_for(self, transaction: Transaction) -> bool:
        """Whether an invalidation may have to wait until the transaction has left (drains wait for page requests)."""
        return transaction.kind.translates or self.pasid_cache_drains

    def cacheable(self, entry: Context | PasidEntry | Denial) -> bool:
        """Faulty entries are not cached, absent ones only in caching mode."""
        return not isinstance(entry, Denial) or (self.caching_mode and entry.reason in _NOT_PRESENT)

    def awaited(self, descriptor: Descriptor) -> tuple[Resource, ...]:
        """What a step reads that calls `apply`, as it learns which requests are inside that it has to wait for."""
        match descriptor:
            case ContextInvalidate() | PasidCacheInvalidate():
                return (IN_FLIGHT, PAGE_REQUESTS) if self.pasid_cache_drains else ()
            case _:
                return (IN_FLIGHT,)

    @property
    def page_requests(self) -> tuple[Transaction, ...]:
        """Page requests that were received and are neither queued nor answered yet."""
        return tuple(each for each in self.in_flight if each.kind is RequestKind.PAGE_REQUEST)


def context_resource(sid: StreamId) -> Resource:
    """What a step names that looks up, fills or invalidates the cached context of a function."""
    return ("context cache", sid)


def pasid_cache_resource(pasid: Pasid) -> Resource:
    """What a step names that looks up, fills or invalidates cached PASID entries of a PASID."""
    return ("PASID cache", pasid)


def resources_of(descriptor: Descriptor, vtd: Vtd) -> tuple[Resource, ...]:
    """What `apply` will write; descriptors that only send messages or wait write nothing here."""
    match descriptor:
        case ContextInvalidate(granularity=ContextGranularity.DEVICE, function_mask=0, sid=sid):
            return (context_resource(sid),)
        case ContextInvalidate():
            return tuple(context_resource(StreamId(sid)) for sid in range(vtd.contexts))
        case PasidCacheInvalidate(granularity=PasidCacheGranularity.PASID, pasid=pasid):
            return (pasid_cache_resource(pasid),)
        case PasidCacheInvalidate():
            return tuple(pasid_cache_resource(pasid) for pasid in _every_pasid(descriptor, vtd))
        case PasidIotlbInvalidate(pasid=pasid):
            return (Iotlb.resource(pasid),)
        case IotlbInvalidate():
            return tuple(Iotlb.resource(pasid) for pasid in _every_pasid(descriptor, vtd))
        case _:
            return ()


def _every_pasid(descriptor: Descriptor, vtd: Vtd) -> Sequence[Pasid]:
    """The PASIDs that a wide invalidation reaches."""
    if not vtd.pasids:
        raise ValueError(f"{descriptor} touches every PASID: list those of this world in Vtd.pasids")
    return vtd.pasids


def affects(descriptor: Descriptor, transaction: Transaction) -> bool:
    """Whether a transaction, as far as it has come, may have used what the descriptor invalidates.

    Page requests use no translation of the unit's, nor does what the device translated, whose address is none of a
    process. A domain that is not known yet may turn out to be the one.
    """
    translates = transaction.kind.translates
    match descriptor:
        case ContextInvalidate():
            return _in_contexts(descriptor, transaction.sid)
        case PasidCacheInvalidate(granularity=granularity, did=did, pasid=pasid):
            same_domain = granularity is PasidCacheGranularity.GLOBAL or transaction.did in (None, did)
            same_pasid = transaction.pasid in (NO_PASID, pasid) or granularity is not PasidCacheGranularity.PASID
            return same_domain and same_pasid
        case IotlbInvalidate(granularity=granularity, did=did, pages=pages):
            same_domain = granularity is IotlbGranularity.GLOBAL or transaction.did in (None, did)
            return translates and same_domain and pages.meets(transaction.address)
        case PasidIotlbInvalidate(did=did, pasid=pasid, pages=pages):
            same_space = transaction.did in (None, did) and transaction.pasid in (NO_PASID, pasid)
            return translates and same_space and pages.meets(transaction.address)
        case _:
            return False


def apply(descriptor: Descriptor, vtd: Vtd) -> tuple[Transaction, ...]:
    """Drop what the descriptor invalidates and mark the transactions that may have used it.

    Those returned must finish before the invalidation is complete.
    """
    hit = tuple(each for each in vtd.in_flight if affects(descriptor, each))
    match descriptor:
        case ContextInvalidate() | PasidCacheInvalidate():
            for each in hit:
                each.stale_config = True
            _forget_configuration(descriptor, vtd)
            return hit if vtd.pasid_cache_drains else ()
        case IotlbInvalidate() | PasidIotlbInvalidate():
            for each in hit:
                each.stale_translation = True
            _forget_translations(descriptor, vtd.iotlb)
            return hit
        case _:
            return ()


def _forget_configuration(descriptor: ContextInvalidate | PasidCacheInvalidate, vtd: Vtd) -> None:
    """Drop contexts, or PASID entries; software that changes a context has to ask for both.

    A cached absent entry has no DID of its own, so that it goes with any.
    """
    if isinstance(descriptor, ContextInvalidate):
        vtd.context_cache = {
            sid: entry for sid, entry in vtd.context_cache.items() if not _in_contexts(descriptor, sid)
        }
        return
    kept = {}
    for key, entry in vtd.pasid_cache.items():
        everywhere = descriptor.granularity is PasidCacheGranularity.GLOBAL or isinstance(entry, Denial)
        same_domain = everywhere or (isinstance(entry, PasidEntry) and entry.did == descriptor.did)
        same_pasid = key[1] == descriptor.pasid or descriptor.granularity is not PasidCacheGranularity.PASID
        if not (same_domain and same_pasid):
            kept[key] = entry
    vtd.pasid_cache = kept


def _in_contexts(descriptor: ContextInvalidate, sid: StreamId) -> bool:
    """Whether a context-cache invalidation reaches a function; FM masks low bits of the function number.

    Contexts carry no domain in scalable mode, so that the domain-selective form takes them all.
    """
    ignored = (1 << descriptor.function_mask) - 1
    return descriptor.granularity is not ContextGranularity.DEVICE or not (sid ^ descriptor.sid) & ~ignored


def _forget_translations(descriptor: IotlbInvalidate | PasidIotlbInvalidate, iotlb: Iotlb) -> None:
    """Drop IOTLB and paging-structure cache entries."""
    match descriptor:
        case PasidIotlbInvalidate(granularity=PasidIotlbGranularity.PASID, did=did, pasid=pasid):
            iotlb.invalidate_pasid(did, pasid)
        case PasidIotlbInvalidate(did=did, pasid=pasid, pages=pages, hint=hint):
            iotlb.invalidate_range(did, pasid, pages, keep_upper=hint)
        case IotlbInvalidate(granularity=IotlbGranularity.GLOBAL):
            iotlb.invalidate_all()
        case IotlbInvalidate(granularity=IotlbGranularity.DOMAIN, did=did):
            iotlb.invalidate_did(did)
        case IotlbInvalidate(did=did, pages=pages, hint=hint):
            iotlb.invalidate_range(did, None, pages, keep_upper=hint)
