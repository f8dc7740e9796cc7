"""Descriptors of the invalidation queue, bit by bit, and what stops the queue."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hw.bus import Pasid, PhysAddr, Prgi, StreamId, VirtAddr
from hw.pcie.tlp import NO_PASID, InvalidateRequest
from hw.tlb import PageRange, pages_from
from hw.vtd import invalidation
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
    WaitDescriptor,
    domain_iotlb,
    pasid_cache,
    pasid_iotlb,
)
from hw.vtd.invalidation import DescriptorType, Iqei
from hw.vtd.pasid import Did

SID = StreamId(0x12)
P3 = Pasid(3)
D7 = Did(7)


def pages(address: int, order: int) -> PageRange:
    """An aligned range."""
    return PageRange(address=VirtAddr(address), order=order)


GOLDEN: list[tuple[Descriptor, int, int]] = [
    # G at 4, DID at 16, PASID or SID at 32
    (ContextInvalidate(granularity=ContextGranularity.GLOBAL), 0x11, 0),
    (
        ContextInvalidate(granularity=ContextGranularity.DEVICE, did=D7, sid=SID, function_mask=3),
        0x3_0012_0007_0031,
        0,
    ),
    (pasid_cache(D7, P3), 0x3_0007_0017, 0),
    (PasidCacheInvalidate(granularity=PasidCacheGranularity.DOMAIN, did=D7), 0x0007_0007, 0),
    (PasidCacheInvalidate(granularity=PasidCacheGranularity.GLOBAL), 0x37, 0),
    (pasid_iotlb(D7, P3), 0x3_0007_0026, 0),
    (pasid_iotlb(D7, P3, pages(0x1234_5000, 0)), 0x3_0007_0036, 0x1234_5000),
    (pasid_iotlb(D7, P3, pages(0x1234_4000, 2), hint=True), 0x3_0007_0036, 0x1234_4042),
    (domain_iotlb(D7), 0x0007_0022, 0),
    # SID at 16, PASID at 32, QDEP at 4; S at 11
    (DeviceTlbInvalidate(sid=SID, pasid=P3, pages=pages(0x9000, 0)), 0x3_0012_0008, 0x9000),
    (DeviceTlbInvalidate(sid=SID, pasid=P3, pages=pages(0x8000, 1)), 0x3_0012_0008, 0x8800),
    (DeviceTlbInvalidate(sid=SID, pasid=P3, pages=pages(0x8000, 3)), 0x3_0012_0008, 0xB800),
    (DeviceTlbInvalidate(sid=SID, pasid=P3), 0x3_0012_0008, 0x7FFF_FFFF_FFFF_F800),
    (
        DeviceTlbInvalidate(sid=SID, pasid=P3, pages=pages(0, 0), queue_depth=31, pfsid=StreamId(0xABC), global_=True),
        0x0AB0_0003_0012_C1F8,
        1,
    ),
    (DeviceTlbInvalidate(sid=SID, pages=pages(0x8000, 1), queue_depth=4, pfsid=SID), 0x10_0012_0004_2003, 0x8001),
    (InterruptEntryInvalidate(selective=True, index_mask=3, index=5), 0x5_1800_0014, 0),
    # IF 4, SW 5, FN 6, PD 7, status data at 32
    (WaitDescriptor(interrupt=True), 0x15, 0),
    (WaitDescriptor(status_write=True, status_data=2, status_address=PhysAddr(0x5004)), 0x2_0000_0025, 0x5004),
    (WaitDescriptor(fence=True), 0x45, 0),
    (WaitDescriptor(drain=True), 0x85, 0),
    # PASID_P 4, code at 12, RID at 16, PASID at 32; LPIG 2, PRGI at 3
    (PageGroupResponse(sid=SID, pasid=P3, prgi=Prgi(5), code=0), 0x3_0012_0019, 0x2C),
    (PageGroupResponse(sid=SID, pasid=P3, prgi=Prgi(0x1FF), code=1, last=False), 0x3_0012_1019, 0xFF8),
    (PageGroupResponse(sid=SID, prgi=Prgi(0), code=15), 0x0012_F009, 4),
]


@pytest.mark.parametrize(("descriptor", "q0", "q1"), GOLDEN)
def test_golden(descriptor: Descriptor, q0: int, q1: int) -> None:
    assert invalidation.encode(descriptor) == (q0, q1, 0, 0)
    assert invalidation.decode((q0, q1, 0, 0)) == descriptor


SAMPLE_02: list[tuple[int, int, Descriptor]] = [
    (
        0x100E2,
        0,
        IotlbInvalidate(
            granularity=IotlbGranularity.DOMAIN, did=Did(1), pages=EVERYTHING, drain_reads=True, drain_writes=True
        ),
    ),
    (0x10_0000_0003, 0x7FFF_FFFF_FFFF_F001, DeviceTlbInvalidate(sid=StreamId(0x10))),
    (
        0x800F2,
        0xF9A0_0005,
        IotlbInvalidate(
            granularity=IotlbGranularity.PAGES,
            did=Did(8),
            pages=pages(0xF9A0_0000, 5),
            drain_reads=True,
            drain_writes=True,
        ),
    ),
]


@pytest.mark.parametrize(("q0", "q1", "descriptor"), SAMPLE_02)
def test_the_descriptors_of_sample_02(q0: int, q1: int, descriptor: Descriptor) -> None:
    assert invalidation.decode((q0, q1, 0, 0)) == descriptor
    assert invalidation.encode(descriptor) == (q0, q1, 0, 0)


@pytest.mark.parametrize(
    ("first", "last", "mask"),
    [
        (0xEAB0_0000, 0xEAB1_AFFF, 5),
        (0xEAA4_0000, 0xEAA5_1FFF, 5),
        (0x98DE_0000, 0x98DE_4FFF, 3),
        (0xE982_8000, 0xE982_8FFF, 0),
        (0x7000, 0x8FFF, 4),
        (0, (1 << 64) - 1, 52),
    ],
)
def test_ranges_of_sample_03(first: int, last: int, mask: int) -> None:
    found = pages_from(VirtAddr(first), (last - first + 1) >> 12)
    assert found.order == mask
    assert found.meets(VirtAddr(first)) and found.meets(VirtAddr(last))
    with pytest.raises(ValueError, match="at least 1"):
        pages_from(VirtAddr(first), 0)


@pytest.mark.parametrize(
    ("q0", "q1", "q2", "reason"),
    [
        (0x0, 0, 0, Iqei.TYPE),
        (0xA, 0, 0, Iqei.TYPE),
        (0xF, 0, 0, Iqei.TYPE),
        (0x01, 0, 0, Iqei.RESERVED),
        (0x02, 0, 0, Iqei.RESERVED),
        (0x06, 0, 0, Iqei.RESERVED),
        (0x16, 0, 0, Iqei.RESERVED),
        (0x27, 0, 0, Iqei.RESERVED),
        (0x105, 0, 0, Iqei.RESERVED),
        (0x215, 0, 0, Iqei.RESERVED),
        (0x05, 1, 0, Iqei.RESERVED),
        (0x17, 1, 0, Iqei.RESERVED),
        (0x08, 2, 0, Iqei.RESERVED),
        (0x26, 0, 1, Iqei.RESERVED),
        (0x09, 0, 1, Iqei.RESERVED),
    ],
)
def test_what_hardware_cannot_execute(q0: int, q1: int, q2: int, reason: Iqei) -> None:
    assert invalidation.decode((q0, q1, q2, 0)) is reason


def test_private_data_may_follow_a_response() -> None:
    found = invalidation.decode((0x29, 4, 1, 2))
    assert isinstance(found, PageGroupResponse)
    assert found.private_data


def test_all_ones_is_everything() -> None:
    found = invalidation.decode((0x8, 0xFFFF_FFFF_FFFF_F800, 0, 0))
    assert isinstance(found, DeviceTlbInvalidate)
    assert found.pages == EVERYTHING


def test_messages_to_the_device() -> None:
    some = DeviceTlbInvalidate(sid=SID, pasid=P3, pages=pages(0x8000, 3))
    assert some.message(4) == InvalidateRequest(
        sid=SID, pasid=P3, address=VirtAddr(0x8000), pages=8, everything=False, itag=4
    )
    every = DeviceTlbInvalidate(sid=SID).message(0)
    assert (every.pasid, every.everything) == (NO_PASID, True)


def test_what_does_not_fit_is_refused() -> None:
    with pytest.raises(ValueError, match="multiple of 4"):
        invalidation.encode(WaitDescriptor(status_write=True, status_address=PhysAddr(0x5002)))
    with pytest.raises(ValueError, match=r"bits \[51:32\]"):
        invalidation.encode(pasid_cache(D7, Pasid(1 << 20)))


@given(st.sampled_from(DescriptorType), st.integers(0, 2**60 - 1), st.integers(0, 2**64 - 1))
def test_whatever_decodes_encodes_to_the_same_meaning(kind: DescriptorType, rest: int, q1: int) -> None:
    keep = [sum(field.mask for field in table.values()) for table in invalidation.LAYOUTS[kind]]
    found = invalidation.decode(((rest << 4 | kind) & keep[0], q1 & keep[1], 0, 0))
    if isinstance(found, Iqei):
        assert found is Iqei.RESERVED, "a reserved granularity"
        return
    assert invalidation.type_of(found) is kind
    assert invalidation.decode(invalidation.encode(found)) == found


@given(st.tuples(*[st.integers(0, 2**64 - 1)] * 4))
def test_no_words_are_an_exception(qwords: tuple[int, int, int, int]) -> None:
    assert invalidation.decode(qwords) is not None


@pytest.mark.parametrize("kind", DescriptorType)
def test_fields_do_not_overlap(kind: DescriptorType) -> None:
    for table in invalidation.LAYOUTS[kind]:
        taken = 0
        for name, field in table.items():
            assert not taken & field.mask, name
            taken |= field.mask
