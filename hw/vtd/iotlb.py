"""IOTLB and paging-structure cache, both tagged by (DID, PASID, address) and not by source (vtd-pcie §2.1):
every SVA entry has the same DID, so that a PASID used again meets what its former owner left."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from hw.aarch64 import Translation
from hw.bus import Asid, Pasid, PhysAddr, Resource, VirtAddr, Vmid
from hw.tlb import PageRange, Tlb, TlbEntry
from hw.vtd.pasid import Did
from hw.x86 import Reached, root

_COVERED_SHIFT = {1: 39, 2: 30, 3: 21}
"""How much of the address space an upper entry stands for, by the level of the table that it points to."""


@dataclass(frozen=True, slots=True, kw_only=True)
class UpperEntry:
    """What a paging-structure cache remembers of one table on the way to a page."""

    did: Did
    pasid: Pasid
    address: VirtAddr
    reached: Reached

    @property
    def shift(self) -> int:
        """The bit above which addresses have this table in common."""
        return _COVERED_SHIFT[self.reached.level]


class Iotlb:
    """`hw.tlb.Tlb` with the PASID in the place of the ASID and the DID in that of the VMID, and the upper levels.

    Capacities count per (DID, PASID), oldest out first; an `upper_capacity` of 0 is hardware without a paging-structure
    cache. G of a page is not looked at: the global pages are the kernel's, which an unprivileged request cannot use.
    """

    def __init__(self, capacity: int = 4, upper_capacity: int = 4) -> None:
        """Start empty."""
        if upper_capacity < 0:
            raise ValueError(f"paging-structure cache of {upper_capacity} entries: at least 0 are needed")
        self.upper_capacity = upper_capacity
        self._pages = Tlb(capacity)
        self._upper: dict[tuple[Did, Pasid, int, int], UpperEntry] = {}

    @staticmethod
    def resource(pasid: Pasid) -> Resource:
        """What a step names that looks up, fills or invalidates anything of `pasid`."""
        return ("IOTLB", pasid)

    def lookup(self, did: Did, pasid: Pasid, address: VirtAddr) -> TlbEntry | None:
        """The entry that translates `address`, if there is one."""
        return self._pages.lookup(Asid(pasid), Vmid(did), address)

    def start(self, did: Did, pasid: Pasid, address: VirtAddr, table: PhysAddr) -> Reached:
        """Where a walk may start: at the lowest table that is remembered, else at the root `table`."""
        for level in sorted(_COVERED_SHIFT, reverse=True):
            entry = self._upper.get((did, pasid, level, address >> _COVERED_SHIFT[level]))
            if entry is not None:
                return entry.reached
        return root(table)

    def fill(self, did: Did, pasid: Pasid, address: VirtAddr, found: Translation, table: PhysAddr) -> TlbEntry:
        """Cache a page; `table` is the root that it came from."""
        return self._pages.fill(
            asid=Asid(pasid),
            vmid=Vmid(did),
            address=address,
            page=found.page,
            readable=found.readable,
            writable=found.writable,
            ttb=table,
            clean=found.clean,
        )

    def fill_upper(self, did: Did, pasid: Pasid, address: VirtAddr, trail: Iterable[Reached]) -> None:
        """Remember the tables that a walk passed."""
        if not self.upper_capacity:
            return
        for reached in trail:
            key = (did, pasid, reached.level, address >> _COVERED_SHIFT[reached.level])
            space = [other for other in self._upper if other[:2] == (did, pasid)]
            if key not in self._upper and len(space) == self.upper_capacity:
                del self._upper[space[0]]
            self._upper[key] = UpperEntry(did=did, pasid=pasid, address=address, reached=reached)

    def invalidate_pasid(self, did: Did, pasid: Pasid) -> None:
        """Drop everything of one PASID of one domain."""
        self._pages.invalidate_asid(Asid(pasid), Vmid(did))
        self._drop_upper(lambda entry: (entry.did, entry.pasid) == (did, pasid))

    def invalidate_did(self, did: Did) -> None:
        """Drop everything of a domain, whatever the PASID."""
        self._pages.invalidate_all(Vmid(did))
        self._drop_upper(lambda entry: entry.did == did)

    def invalidate_all(self) -> None:
        """Drop everything."""
        self._pages.invalidate_all()
        self._upper.clear()

    def invalidate_range(self, did: Did, pasid: Pasid | None, pages: PageRange, *, keep_upper: bool) -> None:
        """Drop the pages of a range, of one PASID or of all; `keep_upper` is the hint that only leaves changed (IH)."""
        for entry in self._pages.entries():
            same = entry.vmid == Vmid(did) and (pasid is None or entry.asid == Asid(pasid))
            if same and pages.meets(entry.virtual_page):
                self._pages.invalidate_va(entry.asid, entry.vmid, entry.virtual_page)
        if not keep_upper:
            self._drop_upper(
                lambda entry: (
                    entry.did == did and pasid in (None, entry.pasid) and pages.meets(entry.address, entry.shift)
                )
            )

    def entries(self) -> tuple[TlbEntry, ...]:
        """All pages, oldest address space first: for oracles and renderers."""
        return self._pages.entries()

    def upper_entries(self) -> tuple[UpperEntry, ...]:
        """All remembered tables, oldest first: for oracles and renderers."""
        return tuple(self._upper.values())

    def _drop_upper(self, hit: Callable[[UpperEntry], bool]) -> None:
        """Forget some tables."""
        self._upper = {key: entry for key, entry in self._upper.items() if not hit(entry)}
