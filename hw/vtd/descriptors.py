"""What software puts into the invalidation queue (vtd-pcie §2.4): invalidations, waits and page group
responses; `hw.vtd.invalidation` has their bits."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

from hw.bus import Pasid, PhysAddr, Prgi, StreamId, VirtAddr
from hw.pcie.tlp import NO_PASID, InvalidateRequest
from hw.tlb import EVERYTHING_ORDER, PageRange
from hw.vtd.pasid import Did

EVERYTHING = PageRange(address=VirtAddr(0), order=EVERYTHING_ORDER)
_NO_DID = Did(0)
_NO_SID = StreamId(0)
_PASID_0 = Pasid(0)
_NOWHERE = PhysAddr(0)


class ContextGranularity(IntEnum):
    """G of a context-cache invalidation; 0 is reserved."""

    GLOBAL = 1
    DOMAIN = 2
    DEVICE = 3


class IotlbGranularity(IntEnum):
    """G of an IOTLB invalidation; 0 is reserved."""

    GLOBAL = 1
    DOMAIN = 2
    PAGES = 3


class PasidCacheGranularity(IntEnum):
    """G of a PASID-cache invalidation; 2 is reserved."""

    DOMAIN = 0
    PASID = 1
    GLOBAL = 3


class PasidIotlbGranularity(IntEnum):
    """G of a PASID-IOTLB invalidation; 0 and 1 are reserved."""

    PASID = 2
    PAGES = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class ContextInvalidate:
    """Forget context entries, and what was cached through them."""

    granularity: ContextGranularity
    did: Did = _NO_DID
    sid: StreamId = _NO_SID
    function_mask: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class IotlbInvalidate:
    """Forget translations whatever their PASID; `hint` (IH) says that only leaves changed."""

    granularity: IotlbGranularity
    did: Did = _NO_DID
    pages: PageRange = EVERYTHING
    hint: bool = False
    drain_reads: bool = False
    drain_writes: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class PasidCacheInvalidate:
    """Forget PASID entries."""

    granularity: PasidCacheGranularity
    did: Did = _NO_DID
    pasid: Pasid = _PASID_0


@dataclass(frozen=True, slots=True, kw_only=True)
class PasidIotlbInvalidate:
    """Forget translations of one PASID."""

    granularity: PasidIotlbGranularity
    did: Did
    pasid: Pasid
    pages: PageRange = EVERYTHING
    hint: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class DeviceTlbInvalidate:
    """Ask a device to forget some pages; without PASID, all that carries a PASID goes as well."""

    sid: StreamId
    pages: PageRange = EVERYTHING
    pasid: Pasid = NO_PASID
    pfsid: StreamId = _NO_SID
    queue_depth: int = 0
    """How many invalidations the device takes at once; 0 means 32."""
    global_: bool = False

    def message(self, itag: int) -> InvalidateRequest:
        """What goes to the device; G has no place in this model's message, as no ATC here holds global entries."""
        return InvalidateRequest(
            sid=self.sid,
            pasid=self.pasid,
            address=self.pages.address,
            pages=1 << self.pages.order,
            everything=self.pages.order >= EVERYTHING_ORDER,
            itag=itag,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class InterruptEntryInvalidate:
    """Forget interrupt remapping entries, of which this model has none: it only takes part in the ordering rules."""

    selective: bool = False
    index_mask: int = 0
    index: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class WaitDescriptor:
    """Complete when everything ahead is complete, and say so."""

    interrupt: bool = False
    status_write: bool = False
    fence: bool = False
    drain: bool = False
    """PD: page requests received and page responses issued ahead have left the hardware, too."""
    status_data: int = 0
    status_address: PhysAddr = _NOWHERE


@dataclass(frozen=True, slots=True, kw_only=True)
class PageGroupResponse:
    """Software's answer to a page request group; `code` goes to the device as it is."""

    sid: StreamId
    prgi: Prgi
    code: int
    pasid: Pasid = NO_PASID
    last: bool = True
    private_data: bool = False


Descriptor = (
    ContextInvalidate
    | IotlbInvalidate
    | PasidCacheInvalidate
    | PasidIotlbInvalidate
    | DeviceTlbInvalidate
    | InterruptEntryInvalidate
    | WaitDescriptor
    | PageGroupResponse
)


def pasid_cache(did: Did, pasid: Pasid) -> PasidCacheInvalidate:
    """Forget one PASID's entry."""
    return PasidCacheInvalidate(granularity=PasidCacheGranularity.PASID, did=did, pasid=pasid)


def pasid_iotlb(did: Did, pasid: Pasid, pages: PageRange | None = None, *, hint: bool = False) -> PasidIotlbInvalidate:
    """Forget the translations of one PASID, all or those of some pages."""
    granularity = PasidIotlbGranularity.PASID if pages is None else PasidIotlbGranularity.PAGES
    return PasidIotlbInvalidate(
        granularity=granularity, did=did, pasid=pasid, pages=EVERYTHING if pages is None else pages, hint=hint
    )


def domain_iotlb(did: Did) -> IotlbInvalidate:
    """Forget all translations of a domain."""
    return IotlbInvalidate(granularity=IotlbGranularity.DOMAIN, did=did)
