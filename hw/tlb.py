"""The SMMU's TLB, tagged by (ASID, VMID, StreamWorld, page) and not by StreamID or SSID (smmuv3 §1.3): two
CDs with one ASID share entries, which is the heart of seed 004."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

from hw.bus import Asid, PhysAddr, Resource, VirtAddr, Vmid

PAGE_SHIFT = 12
RESOURCES = 32
"""ASIDs that are equal modulo this share a resource, so that all of them can be named at once."""
EVERYTHING_ORDER = 52
"""The order of a range that is the whole address space."""


class StreamWorld(IntEnum):
    """The translation regime of a stream, as STE.STRW selects it."""

    NS_EL1 = 0
    EL2_E2H = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class TlbEntry:
    """One cached page; `ttb`, the table it came from, is for oracles only and never takes part in a look-up."""

    asid: Asid
    vmid: Vmid
    virtual_page: VirtAddr
    page: PhysAddr
    readable: bool
    writable: bool
    ttb: PhysAddr
    world: StreamWorld = StreamWorld.NS_EL1
    clean: bool = False
    """A write has to walk again, as hardware would then mark the page dirty."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PageRange:
    """2^`order` pages, aligned to their size; the order is AM of a descriptor."""

    address: VirtAddr
    order: int

    @property
    def shift(self) -> int:
        """The bit above which all addresses of the range agree."""
        return PAGE_SHIFT + self.order

    def meets(self, address: VirtAddr, shift: int = PAGE_SHIFT) -> bool:
        """Whether the range has a page in common with the 2^`shift` bytes around `address`."""
        return self.order >= EVERYTHING_ORDER or not (self.address ^ address) >> max(self.shift, shift)


def pages_from(address: VirtAddr, pages: int) -> PageRange:
    """The smallest aligned range that holds `pages` pages from `address`, as Linux computes AM (sample 03)."""
    if pages < 1:
        raise ValueError(f"range of {pages} pages from {address:#x}: at least 1 is needed")
    first = address >> PAGE_SHIFT
    order = max((pages - 1).bit_length(), (first ^ (first + pages - 1)).bit_length())
    return PageRange(address=VirtAddr((first & -(1 << order)) << PAGE_SHIFT), order=min(order, EVERYTHING_ORDER))


class Tlb:
    """A few entries per address space, oldest out first.

    The capacity counts per address space: were it shared, a fill could evict another ASID's entry, and the footprint
    of a fill would no longer be the one resource ("TLB", asid).
    """

    def __init__(self, capacity: int = 4) -> None:
        """Start empty."""
        if capacity < 1:
            raise ValueError(f"TLB capacity {capacity}: at least 1 entry is needed")
        self.capacity = capacity
        self._spaces: dict[tuple[Asid, Vmid, StreamWorld], dict[int, TlbEntry]] = {}

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
    ) -> TlbEntry | None:
        """The entry that translates `address`, if there is one."""
        space = self._spaces.get((asid, vmid, world))
        return None if space is None else space.get(address >> PAGE_SHIFT)

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
    ) -> TlbEntry:
        """Cache a translation; the oldest entry of the same address space makes room."""
        number = address >> PAGE_SHIFT
        space = self._spaces.setdefault((asid, vmid, world), {})
        if number not in space and len(space) == self.capacity:
            del space[next(iter(space))]
        entry = TlbEntry(
            asid=asid,
            vmid=vmid,
            virtual_page=VirtAddr(number << PAGE_SHIFT),
            page=page,
            readable=readable,
            writable=writable,
            ttb=ttb,
            world=world,
            clean=clean,
        )
        space[number] = entry
        return entry

    def invalidate_asid(self, asid: Asid, vmid: Vmid, world: StreamWorld = StreamWorld.NS_EL1) -> None:
        """Drop every entry of one address space."""
        self._spaces.pop((asid, vmid, world), None)

    def invalidate_va(self, asid: Asid, vmid: Vmid, address: VirtAddr, world: StreamWorld = StreamWorld.NS_EL1) -> None:
        """Drop the entry of one page of one address space."""
        space = self._spaces.get((asid, vmid, world))
        if space is not None:
            space.pop(address >> PAGE_SHIFT, None)

    def invalidate_va_all_asid(self, vmid: Vmid, address: VirtAddr, world: StreamWorld = StreamWorld.NS_EL1) -> None:
        """Drop the entries of one page in every address space of `vmid`."""
        for (_, space_vmid, space_world), space in self._spaces.items():
            if (space_vmid, space_world) == (vmid, world):
                space.pop(address >> PAGE_SHIFT, None)

    def invalidate_all(self, vmid: Vmid | None = None, world: StreamWorld | None = None) -> None:
        """Drop everything, or everything of one VMID, of one StreamWorld, or of both."""
        self._spaces = {
            tag: space
            for tag, space in self._spaces.items()
            if (vmid is not None and tag[1] != vmid) or (world is not None and tag[2] != world)
        }

    def entries(self) -> tuple[TlbEntry, ...]:
        """All entries, oldest address space first: for oracles and renderers."""
        return tuple(entry for space in self._spaces.values() for entry in space.values())
