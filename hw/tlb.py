"""The SMMU's TLB, tagged by (ASID, VMID, page) and not by StreamID or SSID (smmuv3.md section 1.3): two CDs with one
ASID share entries, which is the heart of seed 004."""

from __future__ import annotations

from dataclasses import dataclass

from hw.bus import Asid, PhysAddr, Resource, VirtAddr, Vmid

PAGE_SHIFT = 12


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


class Tlb:
    """A few entries per address space, oldest out first.

    The capacity counts per (ASID, VMID): were it shared, a fill could evict another ASID's entry, and the footprint
    of a fill would no longer be the one resource ("TLB", asid).
    """

    def __init__(self, capacity: int = 4) -> None:
        """Start empty."""
        if capacity < 1:
            raise ValueError(f"TLB capacity {capacity}: at least 1 entry is needed")
        self.capacity = capacity
        self._spaces: dict[tuple[Asid, Vmid], dict[int, TlbEntry]] = {}

    @staticmethod
    def resource(asid: Asid) -> Resource:
        """What a step names that looks up, fills or invalidates entries of `asid`."""
        return ("TLB", asid)

    def lookup(self, asid: Asid, vmid: Vmid, address: VirtAddr) -> TlbEntry | None:
        """The entry that translates `address`, if there is one."""
        space = self._spaces.get((asid, vmid))
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
    ) -> TlbEntry:
        """Cache a translation; the oldest entry of the same address space makes room."""
        number = address >> PAGE_SHIFT
        space = self._spaces.setdefault((asid, vmid), {})
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
        )
        space[number] = entry
        return entry

    def invalidate_asid(self, asid: Asid, vmid: Vmid) -> None:
        """Drop every entry of one address space."""
        self._spaces.pop((asid, vmid), None)

    def invalidate_va(self, asid: Asid, vmid: Vmid, address: VirtAddr) -> None:
        """Drop the entry of one page of one address space."""
        space = self._spaces.get((asid, vmid))
        if space is not None:
            space.pop(address >> PAGE_SHIFT, None)

    def invalidate_va_all_asid(self, vmid: Vmid, address: VirtAddr) -> None:
        """Drop the entries of one page in every address space of `vmid`."""
        for (_, space_vmid), space in self._spaces.items():
            if space_vmid == vmid:
                space.pop(address >> PAGE_SHIFT, None)

    def invalidate_all(self, vmid: Vmid | None = None) -> None:
        """Drop everything, or everything of one VMID."""
        if vmid is None:
            self._spaces.clear()
        else:
            self._spaces = {tag: space for tag, space in self._spaces.items() if tag[1] != vmid}

    def entries(self) -> tuple[TlbEntry, ...]:
        """All entries, oldest address space first: for oracles and renderers."""
        return tuple(entry for space in self._spaces.values() for entry in space.values())
