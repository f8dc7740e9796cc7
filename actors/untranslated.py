"""The SMMU's way with posted writes that carry a virtual address: into memory, or dropped with a record.

The stream is PCIe, so nothing stalls (domain/smmuv3 §2.1); a traffic class of its own, so nothing orders these writes
with page requests or translated ones (domain/vtd-pcie §1.1, rule 4).
"""

from __future__ import annotations

from dataclasses import dataclass

from hw.bus import PhysAddr, Resource, VirtAddr
from hw.events import FRAMES
from hw.pcie.events import WriteDropped
from hw.pcie.tlp import Dma
from hw.smmuv3.state import IN_FLIGHT
from hw.smmuv3.translate import Disposition, untranslated_access

from .runtime.ports import Port
from .runtime.world import Cpu
from .smmu import SmmuUnits

DONE: Resource = ("untranslated writes", "done")


@dataclass(slots=True)
class UntranslatedWrites:
    """One write after the other."""

    units: SmmuUnits
    port: Port
    done: int = 0
    """Writes that have ended, which is when they have arrived."""

    async def serve(self, cpu: Cpu) -> None:
        """Configuration, TLB, walk, and then the write or its end."""
        units = self.units
        while True:
            write: Dma = await self.port.receive(cpu, "take untranslated DMA")
            answer = await untranslated_access(
                cpu, units.smmu, sid=write.sid, pasid=write.pasid, address=VirtAddr(write.address), write=True
            )
            if answer.disposition is Disposition.PROCEED:
                await self._land(cpu, write, answer.address)
            else:
                if answer.event is not None:
                    await units.events.record(cpu, answer.event)
                await cpu.access("untranslated DMA is dropped", writes=(IN_FLIGHT, DONE))
                cpu.emit(WriteDropped(pasid=write.pasid, address=write.address))
            units.smmu.finish(answer.transaction)
            self.done += 1

    async def _land(self, cpu: Cpu, write: Dma, where: PhysAddr) -> None:
        await cpu.access(f"DMA write to {where:#x}", reads=(FRAMES,), writes=(("word", where), IN_FLIGHT, DONE))
        self.units.landed(cpu, write, where)
