"""Contexts of an SMMU that hold back ATC invalidations while the function is reset (SMMU-R23, SMMU-R50)."""

from __future__ import annotations

from hw.bus import PhysAddr, StreamId

from ..cpu import Cpu, Lock
from ..kernel.function_reset import AtsGate, KeepsTranslation
from ..kernel.memory.pasid import Bond
from .cmdq import Cmdq
from .contexts import StreamContexts


class ResetContexts(StreamContexts, AtsGate):
    """The contexts behind the gate on SMMUv3; on VT-d they are `drivers.vtd.qi_errors.BlocksAts`."""

    def __init__(self, table: PhysAddr, sid: StreamId, cmdq: Cmdq, streams: PhysAddr, *, gate: Lock) -> None:
        """Of contexts and of the gate."""
        StreamContexts.__init__(self, table, sid, cmdq, streams)
        AtsGate.__init__(self, gate)

    async def invalidate_atc(self, cpu: Cpu, bond: Bond) -> None:
        """Invalidate the ATC, unless the gate is closed."""
        await self.unless_blocked(cpu, bond, super().invalidate_atc)


class ResetKeepsTranslation(KeepsTranslation, ResetContexts):
    """BUG: the gate alone, on SMMUv3."""


GATES: dict[str, type[ResetContexts]] = {
    "on": ResetContexts,
    "blocked": ResetContexts,
    "gate-alone": ResetKeepsTranslation,
}
"""With `on` nobody closes the gate."""
