"""Posted writes that carry a virtual address (AT=00), in a traffic class of their own.

Nothing orders them with page requests or translated writes, which go over the link (vtd-pcie §1.1, rule 4).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

from hw.bus import Resource

from ..runtime.primitives.ports import Port
from ..runtime.primitives.step import Step, perform
from ..runtime.world import Cpu
from .iommu_units import IommuUnits

DONE: Resource = ("untranslated writes", "done")


@dataclass(slots=True)
class UntranslatedWrites:
    """One write after the other."""

    port: Port
    done: int = 0
    """Writes that have ended, which is when they have arrived."""

    def add(self, units: IommuUnits, lane: str) -> None:
        """A daemon of an IOMMU that takes them from the port."""
        units.world.add_actor(f"{lane}.dma", partial(self.serve, units=units), daemon=True, hardware=True)

    async def serve(self, cpu: Cpu, units: IommuUnits) -> None:
        """Take them from the port, and let the IOMMU do the rest."""
        done = units.world.mask(DONE)

        async def arrive(what: str, reads: int, writes: int) -> None:
            await perform(Step(what, reads, writes | done))

        while True:
            await units.untranslated_write(cpu, await self.port.receive(cpu, "take untranslated DMA"), arrive)
            self.done += 1
