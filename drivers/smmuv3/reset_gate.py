"""Contexts of an SMMU that hold back ATC invalidations while the function is reset (SMMU-R23, SMMU-R50)."""

from __future__ import annotations

from ..cpu import Cpu
from ..kernel.function_reset import AtsGate, KeepsTranslation
from ..kernel.memory.pasid import Bond
from .contexts import Contexts


class ResetContexts(Contexts, AtsGate):
    """The contexts behind the gate on SMMUv3; on VT-d they are `drivers.vtd.qi_errors.BlocksAts`."""

    async def invalidate_atc(self, cpu: Cpu, bond: Bond) -> None:
        """Through the gate."""
        await self.unless_blocked(cpu, bond, super().invalidate_atc)


class ResetKeepsTranslation(KeepsTranslation, ResetContexts):
    """BUG: the gate alone, on SMMUv3."""
