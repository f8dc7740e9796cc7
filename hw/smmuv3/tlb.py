"""The SMMU's TLB, tagged by (ASID, VMID, StreamWorld, page) and not by StreamID or SSID (smmuv3 §1.3): two
CDs with one ASID share entries, which is the heart of seed 004."""

from __future__ import annotations

from enum import IntEnum
from typing import NamedTuple

from hw.bus import PAGE_SHIFT, Asid, PhysAddr, Resource, VirtAddr, Vmid
from hw.tlb import TaggedPages, TlbEntry

RESOURCES = 32
"""ASIDs that are equal modulo this share a resource, so that all of them can be named at once."""


class StreamWorld(IntEnum):
    """The translation regime of a stream, as STE.STRW selects it."""

    NS_EL1 = 0
    EL2_E2H = 2


class TlbTag(NamedTuple):
    """What tells address spaces apart."""

    asid: Asid
    vmid: Vmid
    world: StreamWorld


class Tlb:
    """Pages by what the commands of the SMMU name; the capacity counts per address space."""

    def __init__(self, capacity: int = 4) -> None:
        """Start empty."""
        self._pages: TaggedPages[TlbTag] = TaggedPages(capacity)

    @staticmethod
    def resource(asid: Asid) -> Resource:
        """What a step names that looks up, fills or invalidates entries of `asid`."""
        return ("TLB", asid % RESOURCES)

    @staticmethod
    def resources() -> tuple[Resource, ...]:
        """What a step names that invalidates entries of whatever ASID."""
        return tuple([("TLB", number) for number in range(RESOURCES)])

    def lookup(
        self, asid: Asid, vmid: Vmid, address: VirtAddr, world: StreamWorld = StreamWorld.NS_EL1
    ) -> TlbEntry[TlbTag] | None:
        """The entry that translates `address`, if there is one."""
        return self._pages.lookup(TlbTag(asid, vmid, world), address)

    def fill(
        self,
        *,
        asid: Asid,
        vmid: Vmid,
        address: VirtAddr,
        page: PhysAddr,
        readable: bool,
        writable: bool,
        ttb: PhysAddr,
        world: StreamWorld = StreamWorld.NS_EL1,
        clean: bool = False,
    ) -> TlbEntry[TlbTag]:
        """Cache a translation; the oldest entry of the same address space makes room."""
        tag = TlbTag(asid, vmid, world)
        return self._pages.fill(tag, address, page, readable=readable, writable=writable, root=ttb, clean=clean)

    def invalidate_asid(self, asid: Asid, vmid: Vmid, world: StreamWorld = StreamWorld.NS_EL1) -> None:
        """Drop every entry of one address space."""
        self._pages.drop(lambda tag: tag == (asid, vmid, world))

    def invalidate_va(self, asid: Asid, vmid: Vmid, address: VirtAddr, world: StreamWorld = StreamWorld.NS_EL1) -> None:
        """Drop the entry of one page of one address space."""
        page = address >> PAGE_SHIFT << PAGE_SHIFT
        self._pages.drop_pages(lambda entry: entry.tag == (asid, vmid, world) and entry.virtual_page == page)

    def invalidate_va_all_asid(self, vmid: Vmid, address: VirtAddr, world: StreamWorld = StreamWorld.NS_EL1) -> None:
        """Drop the entries of one page in every address space of `vmid`."""
        page = address >> PAGE_SHIFT << PAGE_SHIFT
        self._pages.drop_pages(
            lambda entry: (entry.tag.vmid, entry.tag.world) == (vmid, world) and entry.virtual_page == page
        )

    def invalidate_all(self, vmid: Vmid | None = None, world: StreamWorld | None = None) -> None:
        """Drop everything, or everything of one VMID, of one StreamWorld, or of both."""
        self._pages.drop(lambda tag: vmid in (None, tag.vmid) and world in (None, tag.world))

    def entries(self) -> tuple[TlbEntry[TlbTag], ...]:
        """All entries, oldest address space first: for oracles and renderers."""
        return self._pages.entries()
