"""Posted writes that carry a virtual address (AT=00), in a traffic class of their own.

Nothing orders them with page requests or translated writes, which go over the link (vtd-pcie §1.1, rule 4).
"""

from __future__ import annotations

from dataclasses import dataclass

from hw.bus import Resource

from .iommu_units import IommuUnits
from .runtime.ports import Port
from .runtime.step import Step, perform
from .runtime.world import Cpu

DONE: Resource = ("untranslated writes", "done")


@dataclass(slots=True)
class UntranslatedWrites:
    """One write after the other, through whatever IOMMU there is."""

    units: IommuUnits
    port: Port
    done: int = 0
    """Writes that have ended, which is when they have arrived."""

    async def serve(self, cpu: Cpu) -> None:
        """Take them from the port, and let the IOMMU do the rest."""
        done = self.units.world.mask(DONE)

        async def arrive(what: str, reads: int, writes: int) -> None:
            await perform(Step(what, reads, writes | done))

        while True:
            await self.units.untranslated_write(cpu, await self.port.receive(cpu, "take untranslated DMA"), arrive)
            self.done += 1
