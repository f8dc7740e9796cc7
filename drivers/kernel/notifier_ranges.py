"""From what mm says is gone to what the IOMMU is told to forget: two ways to forget too little (VTD-R29, VTD-R30)."""

from __future__ import annotations

from hw.bus import PAGE_SHIFT, VirtAddr

from ..cpu import Cpu
from .iommu import Contexts
from .memory.mm import WHOLE
from .memory.pasid import Bond

_ADDRESSES = 1 << 64
_ALL_PAGES = _ADDRESSES >> PAGE_SHIFT


class SecondaryTlbs:
    """arch_invalidate_secondary_tlbs of one bond: a range, its end not included, or everything (smmuv3 §3.7)."""

    def __init__(self, contexts: Contexts, bond: Bond) -> None:
        self._contexts = contexts
        self._bond = bond

    async def invalidate(self, cpu: Cpu, start: VirtAddr, end: int) -> None:
        """Return when no TLB has any of it."""
        address, pages = self.pages(start, end)
        if pages >= _ALL_PAGES:
            await self._contexts.invalidate(cpu, self._bond)
        elif pages:
            await self._contexts.invalidate_pages(cpu, self._bond, address, pages)

    def pages(self, start: VirtAddr, end: int) -> tuple[VirtAddr, int]:
        """The first address, and how many pages from there."""
        return start, _ALL_PAGES if (start, end) == WHOLE else (end - start) >> PAGE_SHIFT


class SizeOverflows(SecondaryTlbs):
    """BUG: 0 to all ones is 2^64 bytes, which is 0 in 64 bits: "everything" becomes one page at 0 (e7ad6c2a4b1a)."""

    def pages(self, start: VirtAddr, end: int) -> tuple[VirtAddr, int]:
        """The range of the last byte, at least a page."""
        last = end if (start, end) == WHOLE else end - 1
        size = (last - start + 1) % _ADDRESSES
        return start, max(size >> PAGE_SHIFT, 1)


class StartAdvances(SecondaryTlbs):
    """BUG: the loop over the CPU's own TLB has moved `start` to the end before the notifier is called (VTD-R30)."""

    def pages(self, start: VirtAddr, end: int) -> tuple[VirtAddr, int]:
        """Nothing of a range; "everything" does not go through that loop."""
        return SecondaryTlbs.pages(self, start if (start, end) == WHOLE else VirtAddr(end), end)


RANGES: dict[str, type[SecondaryTlbs]] = {
    "exact": SecondaryTlbs,
    "size-overflows": SizeOverflows,
    "start-advances": StartAdvances,
}
