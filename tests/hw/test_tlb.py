"""The TLB is tagged by ASID, not by stream."""

from __future__ import annotations

import pytest

from hw.bus import Asid, PhysAddr, VirtAddr, Vmid
from hw.smmuv3.tlb import StreamWorld, Tlb

VM = Vmid(0)


def fill(tlb: Tlb, asid: int, page: int, vmid: int = 0) -> None:
    """Cache page number `page` of an address space."""
    tlb.fill(
        asid=Asid(asid),
        vmid=Vmid(vmid),
        address=VirtAddr(page << 12),
        page=PhysAddr(page << 12),
        readable=True,
        writable=True,
        ttb=PhysAddr(0x1000),
    )


def cached(tlb: Tlb) -> list[tuple[int, int, int]]:
    """(VMID, ASID, page number) of every entry."""
    return [(entry.tag.vmid, entry.tag.asid, entry.virtual_page >> 12) for entry in tlb.entries()]


def test_every_byte_of_a_page_hits_and_other_tags_miss() -> None:
    tlb = Tlb()
    fill(tlb, 1, 5)
    hit = tlb.lookup(Asid(1), VM, VirtAddr(0x5FFF))
    assert hit is not None
    assert hit.page == 0x5000
    assert tlb.lookup(Asid(1), VM, VirtAddr(0x6000)) is None
    assert tlb.lookup(Asid(2), VM, VirtAddr(0x5000)) is None
    assert tlb.lookup(Asid(1), Vmid(1), VirtAddr(0x5000)) is None


def test_the_oldest_entry_of_the_same_space_makes_room() -> None:
    tlb = Tlb(capacity=2)
    for asid, page in ((1, 1), (2, 1), (1, 2), (1, 1), (1, 3)):
        fill(tlb, asid, page)
    assert cached(tlb) == [(0, 1, 2), (0, 1, 3), (0, 2, 1)]


def test_invalidations_reach_exactly_what_they_name() -> None:
    def fresh() -> Tlb:
        tlb = Tlb()
        for vmid, asid, page in ((0, 1, 1), (0, 1, 2), (0, 2, 1), (1, 1, 1)):
            fill(tlb, asid, page, vmid)
        return tlb

    tlb = fresh()
    tlb.invalidate_asid(Asid(1), VM)
    assert cached(tlb) == [(0, 2, 1), (1, 1, 1)]
    tlb = fresh()
    tlb.invalidate_va(Asid(1), VM, VirtAddr(0x1ABC))
    assert cached(tlb) == [(0, 1, 2), (0, 2, 1), (1, 1, 1)]
    tlb = fresh()
    tlb.invalidate_va_all_asid(VM, VirtAddr(0x1000))
    assert cached(tlb) == [(0, 1, 2), (1, 1, 1)]
    tlb = fresh()
    tlb.invalidate_all(Vmid(0))
    assert cached(tlb) == [(1, 1, 1)]
    tlb.invalidate_all()
    assert cached(tlb) == []
    tlb.invalidate_va(Asid(9), VM, VirtAddr(0))


def test_capacity_must_be_positive() -> None:
    with pytest.raises(ValueError, match="TLB capacity 0"):
        Tlb(0)


def test_streams_of_another_world_have_entries_of_their_own() -> None:
    tlb = Tlb()
    for world in StreamWorld:
        tlb.fill(
            asid=Asid(1),
            vmid=VM,
            address=VirtAddr(0x5000),
            page=PhysAddr(0x1000 + 0x1000 * world),
            readable=True,
            writable=True,
            ttb=PhysAddr(0x1000),
            world=world,
        )
    pages = {world: tlb.lookup(Asid(1), VM, VirtAddr(0x5000), world) for world in StreamWorld}
    assert {world: entry.page for world, entry in pages.items() if entry} == {
        StreamWorld.NS_EL1: 0x1000,
        StreamWorld.EL2_E2H: 0x3000,
    }
    tlb.invalidate_va(Asid(1), VM, VirtAddr(0x5000), StreamWorld.EL2_E2H)
    tlb.invalidate_asid(Asid(1), VM, StreamWorld.EL2_E2H)
    tlb.invalidate_va_all_asid(VM, VirtAddr(0x5000), StreamWorld.EL2_E2H)
    tlb.invalidate_all(world=StreamWorld.EL2_E2H)
    assert [entry.tag.world for entry in tlb.entries()] == [StreamWorld.NS_EL1]
    tlb.invalidate_all(VM)
    assert tlb.entries() == ()
