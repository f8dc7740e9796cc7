"""An SMMU driver with one step wrong: it shows that a property can be broken."""

from __future__ import annotations

from ..cpu import Cpu
from ..kernel.memory.pasid import Bond
from .contexts import StreamContexts


class ForgetsAtc(StreamContexts):
    """BUG: invalidates the TLB only; the device goes on through its own cache, into pages that were freed."""

    async def invalidate_atc(self, cpu: Cpu, bond: Bond) -> None:
        """No ATC_INV is sent."""
