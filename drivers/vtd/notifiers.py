"""What a notifier waits for on VT-d when a page goes away, before mm frees it (seed 001; vtd-pcie §3.4)."""

from __future__ import annotations

from ..cpu import Cpu
from ..kernel.memory.pasid import Bond
from .invalidation_orders import OneWait
from .pasid_table import PasidTable


class LeavesDeviceTlbPending(PasidTable):
    """BUG: nobody looks at the status of the wait; the page is freed while the device still writes to it."""

    async def invalidate_atc(self, cpu: Cpu, bond: Bond) -> None:
        """The invalidation is submitted, and nobody waits for it."""
        await self._qi.post(cpu, self.device_tlb(bond))


VTD_NOTIFIERS: dict[str, type[PasidTable]] = {
    "waits": PasidTable,
    "one-sync": OneWait,
    "no-wait": LeavesDeviceTlbPending,
}
