"""The bits of invalidation queue descriptors, 32 bytes each (vtd-pcie §2.4). What cannot be decoded is no
exception but an `Iqei`: hardware stops at it with FSTS.IQE.

The bit positions that docs/vtd-pcie.md leaves out are those that Linux writes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from enum import IntEnum
from functools import lru_cache

from hw.bus import PAGE_SHIFT, Pasid, PhysAddr, Prgi, StreamId, VirtAddr
from hw.fields import Field, decode_layout, encode_layout
from hw.pcie.tlp import NO_PASID
from hw.tlb import EVERYTHING_ORDER, PageRange
from hw.vtd.descriptors import (
    EVERYTHING,
    ContextGranularity,
    ContextInvalidate,
    Descriptor,
    DeviceTlbInvalidate,
    InterruptEntryInvalidate,
    IotlbGranularity,
    IotlbInvalidate,
    PageGroupResponse,
    PasidCacheGranularity,
    PasidCacheInvalidate,
    PasidIotlbGranularity,
    PasidIotlbInvalidate,
    WaitDescriptor,
)
from hw.vtd.pasid import Did

Qwords = tuple[int, int, int, int]


class DescriptorType(IntEnum):
    """Bits 3:0 of a descriptor; 10, page stream response, is legacy and this unit does not know it."""

    CONTEXT = 1
    IOTLB = 2
    DEVICE_TLB = 3
    INTERRUPT_ENTRY = 4
    WAIT = 5
    PASID_IOTLB = 6
    PASID_CACHE = 7
    PASID_DEVICE_TLB = 8
    PAGE_GROUP_RESPONSE = 9


class Iqei(IntEnum):
    """Why the queue stopped (IQER.IQEI). The numbers are [K]: software that is modelled here never reads them."""

    TAIL = 1
    FETCH = 2
    TYPE = 3
    RESERVED = 4


_TYPE = Field(0, 4)
_GRANULARITY = {"Type": _TYPE, "G": Field(4, 2)}
_DID = {"DID": Field(16, 16)}
_PASID = {"PASID": Field(32, 20)}
_PFSID = {"PFSIDL": Field(12, 4), "PFSIDH": Field(52, 12)}
_PAGES = {"AM": Field(0, 6), "IH": Field(6, 1), "ADDR": Field(12, 52)}
_EMPTY: Mapping[str, Field] = {}

LAYOUTS: Mapping[DescriptorType, tuple[Mapping[str, Field], Mapping[str, Field]]] = {
    DescriptorType.CONTEXT: (_GRANULARITY | _DID | {"SID": Field(32, 16), "FM": Field(48, 2)}, _EMPTY),
    DescriptorType.IOTLB: (_GRANULARITY | _DID | {"DW": Field(6, 1), "DR": Field(7, 1)}, _PAGES),
    DescriptorType.DEVICE_TLB: (
        {"Type": _TYPE, "QDEP": Field(16, 5), "SID": Field(32, 16)} | _PFSID,
        {"S": Field(0, 1), "ADDR": Field(12, 52)},
    ),
    DescriptorType.INTERRUPT_ENTRY: (
        {"Type": _TYPE, "G": Field(4, 1), "IM": Field(27, 5), "IIDX": Field(32, 16)},
        _EMPTY,
    ),
    DescriptorType.WAIT: (
        {
            "Type": _TYPE,
            "IF": Field(4, 1),
            "SW": Field(5, 1),
            "FN": Field(6, 1),
            "PD": Field(7, 1),
            "STDATA": Field(32, 32),
        },
        {"STADDR": Field(2, 62)},
    ),
    DescriptorType.PASID_IOTLB: (_GRANULARITY | _DID | _PASID, _PAGES),
    DescriptorType.PASID_CACHE: (_GRANULARITY | _DID | _PASID, _EMPTY),
    DescriptorType.PASID_DEVICE_TLB: (
        {"Type": _TYPE, "QDEP": Field(4, 5), "SID": Field(16, 16)} | _PASID | _PFSID,
        {"G": Field(0, 1), "S": Field(11, 1), "ADDR": Field(12, 52)},
    ),
    DescriptorType.PAGE_GROUP_RESPONSE: (
        {"Type": _TYPE, "PASID_P": Field(4, 1), "PDP": Field(5, 1), "CODE": Field(12, 4), "RID": Field(16, 16)}
        | _PASID,
        {"LPIG": Field(2, 1), "PRGI": Field(3, 9)},
    ),
}
_VALUES: Mapping[type[IntEnum], frozenset[int]] = {
    each: frozenset(member.value for member in each)
    for each in (ContextGranularity, IotlbGranularity, PasidCacheGranularity, PasidIotlbGranularity)
}
_RESERVED = {
    kind: tuple(~sum(field.mask for field in table.values()) for table in tables) for kind, tables in LAYOUTS.items()
}


@lru_cache(maxsize=4096)  # pure, and asked for the same few descriptors in every run
def encode(descriptor: Descriptor) -> Qwords:
    """The four words of a descriptor."""
    kind = type_of(descriptor)
    q0, q1 = encode_layout(LAYOUTS[kind], {"Type": kind} | _fields(descriptor))
    return q0, q1, 0, 0


_TYPES: Mapping[type, DescriptorType] = {
    ContextInvalidate: DescriptorType.CONTEXT,
    IotlbInvalidate: DescriptorType.IOTLB,
    PasidCacheInvalidate: DescriptorType.PASID_CACHE,
    PasidIotlbInvalidate: DescriptorType.PASID_IOTLB,
    DeviceTlbInvalidate: DescriptorType.DEVICE_TLB,
    InterruptEntryInvalidate: DescriptorType.INTERRUPT_ENTRY,
    WaitDescriptor: DescriptorType.WAIT,
    PageGroupResponse: DescriptorType.PAGE_GROUP_RESPONSE,
}


def type_of(descriptor: Descriptor) -> DescriptorType:
    """Under which type a descriptor goes into the queue."""
    if isinstance(descriptor, DeviceTlbInvalidate) and descriptor.pasid != NO_PASID:
        return DescriptorType.PASID_DEVICE_TLB
    return _TYPES[type(descriptor)]


def _fields(descriptor: Descriptor) -> dict[str, int]:
    """The fields of a descriptor under their specified names."""
    match descriptor:
        case ContextInvalidate() as each:
            return {"G": each.granularity, "DID": each.did, "SID": each.sid, "FM": each.function_mask}
        case IotlbInvalidate() as each:
            drains = {"DR": each.drain_reads, "DW": each.drain_writes}
            pages = _page_fields(each.pages) if each.granularity is IotlbGranularity.PAGES else {}
            return {"G": each.granularity, "DID": each.did, "IH": each.hint} | drains | pages
        case PasidCacheInvalidate() as each:
            return {"G": each.granularity, "DID": each.did, "PASID": each.pasid}
        case PasidIotlbInvalidate() as each:
            pages = _page_fields(each.pages) if each.granularity is PasidIotlbGranularity.PAGES else {}
            return {"G": each.granularity, "DID": each.did, "PASID": each.pasid, "IH": each.hint} | pages
        case DeviceTlbInvalidate() as each:
            common = {"QDEP": each.queue_depth, "SID": each.sid, "PFSIDL": each.pfsid & 0xF, "PFSIDH": each.pfsid >> 4}
            with_pasid = {} if each.pasid == NO_PASID else {"PASID": each.pasid, "G": each.global_}
            return common | with_pasid | _size_fields(each.pages)
        case InterruptEntryInvalidate() as each:
            return {"G": each.selective, "IM": each.index_mask, "IIDX": each.index}
        case WaitDescriptor() as each:
            if each.status_address % 4:
                raise ValueError(f"status address {each.status_address:#x}: it must be a multiple of 4")
            flags = {"IF": each.interrupt, "SW": each.status_write, "FN": each.fence, "PD": each.drain}
            return flags | {"STDATA": each.status_data, "STADDR": each.status_address >> 2}
        case PageGroupResponse() as each:
            tags = {"PDP": each.private_data, "CODE": each.code, "RID": each.sid, "LPIG": each.last, "PRGI": each.prgi}
            return tags if each.pasid == NO_PASID else tags | {"PASID_P": 1, "PASID": each.pasid}


def _page_fields(pages: PageRange) -> dict[str, int]:
    """The fields AM and ADDR of a descriptor that names a range of pages."""
    return {"AM": pages.order, "ADDR": pages.address >> PAGE_SHIFT}


def _size_fields(pages: PageRange) -> dict[str, int]:
    """S and ADDR: the lowest zero bit of the address tells the size."""
    order = min(pages.order, EVERYTHING_ORDER)
    number = pages.address >> PAGE_SHIFT & -(1 << order)
    return {"S": order > 0, "ADDR": number | ((1 << order >> 1) - 1 if order else 0)}


def _sized(values: Mapping[str, int]) -> PageRange:
    """The range that S and ADDR mean; all ones is everything, as one bit less is."""
    number = values["ADDR"]
    if not values["S"]:
        return PageRange(address=VirtAddr(number << PAGE_SHIFT), order=0)
    ones = (number ^ (number + 1)).bit_length() - 1
    order = min(ones + 1, EVERYTHING_ORDER)
    return PageRange(address=VirtAddr((number & -(1 << order)) << PAGE_SHIFT), order=order)


@lru_cache(maxsize=4096)
def decode(qwords: Qwords) -> Descriptor | Iqei:
    """What four words say, or why hardware stops at them."""
    number = _TYPE.get(qwords[0])
    if number not in LAYOUTS:
        return Iqei.TYPE
    kind = DescriptorType(number)
    values = decode_layout(LAYOUTS[kind], qwords[:2])
    private = kind is DescriptorType.PAGE_GROUP_RESPONSE and values["PDP"]
    if any(word & reserved for word, reserved in zip(qwords, _RESERVED[kind], strict=False)):
        return Iqei.RESERVED
    if any(qwords[2:]) and not private:
        return Iqei.RESERVED
    return _DECODERS[kind](values)


def _range(values: Mapping[str, int]) -> PageRange:
    """The range that AM and ADDR mean."""
    order = min(values["AM"], EVERYTHING_ORDER)
    return PageRange(address=VirtAddr((values["ADDR"] & -(1 << order)) << PAGE_SHIFT), order=order)


def _context(values: Mapping[str, int]) -> Descriptor | Iqei:
    """The fields of a context-cache invalidation (type 1)."""
    if values["G"] not in _VALUES[ContextGranularity]:
        return Iqei.RESERVED
    return ContextInvalidate(
        granularity=ContextGranularity(values["G"]),
        did=Did(values["DID"]),
        sid=StreamId(values["SID"]),
        function_mask=values["FM"],
    )


def _iotlb(values: Mapping[str, int]) -> Descriptor | Iqei:
    """The fields of an IOTLB invalidation (type 2)."""
    if values["G"] not in _VALUES[IotlbGranularity]:
        return Iqei.RESERVED
    granularity = IotlbGranularity(values["G"])
    return IotlbInvalidate(
        granularity=granularity,
        did=Did(values["DID"]),
        pages=_range(values) if granularity is IotlbGranularity.PAGES else EVERYTHING,
        hint=bool(values["IH"]),
        drain_reads=bool(values["DR"]),
        drain_writes=bool(values["DW"]),
    )


def _device_tlb(values: Mapping[str, int]) -> Descriptor | Iqei:
    """The fields of a device-TLB invalidation, without or with a PASID (types 3 and 8)."""
    return DeviceTlbInvalidate(
        sid=StreamId(values["SID"]),
        pages=_sized(values),
        pasid=Pasid(values.get("PASID", NO_PASID)),
        pfsid=StreamId(values["PFSIDL"] | values["PFSIDH"] << 4),
        queue_depth=values["QDEP"],
        global_=bool(values.get("G", 0)),
    )


def _interrupt_entry(values: Mapping[str, int]) -> Descriptor | Iqei:
    """The fields of an interrupt-entry-cache invalidation (type 4)."""
    return InterruptEntryInvalidate(selective=bool(values["G"]), index_mask=values["IM"], index=values["IIDX"])


def _wait(values: Mapping[str, int]) -> Descriptor | Iqei:
    """The fields of a wait (type 5)."""
    return WaitDescriptor(
        interrupt=bool(values["IF"]),
        status_write=bool(values["SW"]),
        fence=bool(values["FN"]),
        drain=bool(values["PD"]),
        status_data=values["STDATA"],
        status_address=PhysAddr(values["STADDR"] << 2),
    )


def _pasid_iotlb(values: Mapping[str, int]) -> Descriptor | Iqei:
    """The fields of a PASID-based IOTLB invalidation (type 6)."""
    if values["G"] not in _VALUES[PasidIotlbGranularity]:
        return Iqei.RESERVED
    granularity = PasidIotlbGranularity(values["G"])
    return PasidIotlbInvalidate(
        granularity=granularity,
        did=Did(values["DID"]),
        pasid=Pasid(values["PASID"]),
        pages=_range(values) if granularity is PasidIotlbGranularity.PAGES else EVERYTHING,
        hint=bool(values["IH"]),
    )


def _pasid_cache(values: Mapping[str, int]) -> Descriptor | Iqei:
    """The fields of a PASID-cache invalidation (type 7)."""
    if values["G"] not in _VALUES[PasidCacheGranularity]:
        return Iqei.RESERVED
    return PasidCacheInvalidate(
        granularity=PasidCacheGranularity(values["G"]), did=Did(values["DID"]), pasid=Pasid(values["PASID"])
    )


def _page_group_response(values: Mapping[str, int]) -> Descriptor | Iqei:
    """Type 9; every code is legal here, what it means is the device's business."""
    return PageGroupResponse(
        sid=StreamId(values["RID"]),
        prgi=Prgi(values["PRGI"]),
        code=values["CODE"],
        pasid=Pasid(values["PASID"]) if values["PASID_P"] else NO_PASID,
        last=bool(values["LPIG"]),
        private_data=bool(values["PDP"]),
    )


_DECODERS: Mapping[DescriptorType, Callable[[Mapping[str, int]], Descriptor | Iqei]] = {
    DescriptorType.CONTEXT: _context,
    DescriptorType.IOTLB: _iotlb,
    DescriptorType.DEVICE_TLB: _device_tlb,
    DescriptorType.INTERRUPT_ENTRY: _interrupt_entry,
    DescriptorType.WAIT: _wait,
    DescriptorType.PASID_IOTLB: _pasid_iotlb,
    DescriptorType.PASID_CACHE: _pasid_cache,
    DescriptorType.PASID_DEVICE_TLB: _device_tlb,
    DescriptorType.PAGE_GROUP_RESPONSE: _page_group_response,
}
