"""Memory, addresses and identifiers, and the page tables of both architectures.

`KERNEL` and `MMIO` are owners of frames, as `mm_owner(0)` is one: who may have a page is what properties ask.
"""

from hw.bus import Asid, Pasid, PhysAddr, StreamId, VirtAddr, Vmid
from hw.memory import KERNEL, MMIO, WORD_BYTES, mm_owner, owner_name
from hw.paging.aarch64 import PageTables as AArch64PageTables
from hw.paging.x86 import PageTables as X86PageTables
from hw.tlb import pages_from

__all__ = [
    "KERNEL",
    "MMIO",
    "WORD_BYTES",
    "AArch64PageTables",
    "Asid",
    "Pasid",
    "PhysAddr",
    "StreamId",
    "VirtAddr",
    "Vmid",
    "X86PageTables",
    "mm_owner",
    "owner_name",
    "pages_from",
]
