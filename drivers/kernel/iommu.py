"""What bind, unbind and the notifiers need of an IOMMU's driver, whichever IOMMU it is."""

from __future__ import annotations

from typing import Protocol

from hw.bus import VirtAddr

from ..cpu import Cpu
from .faults.page_requests import Intake
from .memory.pasid import Bond


class Contexts(Protocol):
    """Where the IOMMU finds what a PASID is bound to: CDs on SMMUv3, PASID entries on VT-d."""

    async def write(self, cpu: Cpu, bond: Bond) -> None:
        """Let the device translate through an address space."""
        ...

    async def clear(self, cpu: Cpu, bond: Bond) -> None:
        """Take it away: nothing uses what was cached of it when this returns."""
        ...

    async def invalidate(self, cpu: Cpu, bond: Bond) -> None:
        """Its page tables have changed: nothing uses old translations when this returns."""
        ...

    async def invalidate_pages(self, cpu: Cpu, bond: Bond, address: VirtAddr, pages: int) -> None:
        """As `invalidate`, but of so many pages from an address at least."""
        ...


class QuietContexts(Contexts, Protocol):
    """Also knows what to do when an address space dies before its device has stopped."""

    async def quiet(self, cpu: Cpu, bond: Bond) -> None:
        """As `clear`, but the accesses to come are expected: they end without a record."""
        ...


class RequestQueue(Protocol):
    """The queue in memory that page requests wait in for software."""

    intake: Intake

    async def thread(self, cpu: Cpu) -> None:
        """Wait for the interrupt, empty the queue, again."""
        ...

    async def drain(self, cpu: Cpu) -> None:
        """Hand on all that is queued, and keep everybody else away meanwhile."""
        ...
