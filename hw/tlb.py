"""What every TLB is: pages under the tag of an address space, which each IOMMU makes of what it tags by.

The tag is the IOMMU's own (`hw.smmuv3.tlb`, `hw.vtd.iotlb`); who may share one is the heart of many a race.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable
from dataclasses import dataclass
from typing import Generic, TypeVar

from hw.bus import PAGE_SHIFT, PhysAddr, VirtAddr

EVERYTHING_ORDER = 52
"""The order of a range that is the whole address space."""

Tag = TypeVar("Tag", bound=Hashable)


@dataclass(frozen=True, slots=True, kw_only=True)
class TlbEntry(Generic[Tag]):
    """One cached page; `root`, the table it came from, is for oracles only and never takes part in a look-up."""

    tag: Tag
    virtual_page: VirtAddr
    page: PhysAddr
    readable: bool
    writable: bool
    root: PhysAddr
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


class TaggedPages(Generic[Tag]):
    """A few entries per tag, oldest out first.

    The capacity counts per tag: were it shared, a fill could evict an entry of another address space, and the footprint
    of a fill would no longer be one resource.
    """

    def __init__(self, capacity: int = 4) -> None:
        """Start empty."""
        if capacity < 1:
            raise ValueError(f"TLB capacity {capacity}: at least 1 entry is needed")
        self.capacity = capacity
        self._spaces: dict[Tag, dict[int, TlbEntry[Tag]]] = {}

    def lookup(self, tag: Tag, address: VirtAddr) -> TlbEntry[Tag] | None:
        """The entry that translates `address`, if there is one."""
        space = self._spaces.get(tag)
        return None if space is None else space.get(address >> PAGE_SHIFT)

    def fill(
        self,
        tag: Tag,
        address: VirtAddr,
        page: PhysAddr,
        *,
        readable: bool,
        writable: bool,
        root: PhysAddr,
        clean: bool = False,
    ) -> TlbEntry[Tag]:
        """Cache a translation; the oldest entry of the same tag makes room."""
        number = address >> PAGE_SHIFT
        space = self._spaces.setdefault(tag, {})
        if number not in space and len(space) == self.capacity:
            del space[next(iter(space))]
        entry = TlbEntry(
            tag=tag,
            virtual_page=VirtAddr(number << PAGE_SHIFT),
            page=page,
            readable=readable,
            writable=writable,
            root=root,
            clean=clean,
        )
        space[number] = entry
        return entry

    def drop(self, hit: Callable[[Tag], bool]) -> None:
        """Drop all entries of the tags that are hit."""
        self._spaces = {tag: space for tag, space in self._spaces.items() if not hit(tag)}

    def drop_pages(self, hit: Callable[[TlbEntry[Tag]], bool]) -> None:
        """Drop the entries that are hit, whatever their tag."""
        for space in self._spaces.values():
            for number in [number for number, entry in space.items() if hit(entry)]:
                del space[number]

    def entries(self) -> tuple[TlbEntry[Tag], ...]:
        """All entries, oldest tag first: for oracles and renderers."""
        return tuple(entry for space in self._spaces.values() for entry in space.values())
