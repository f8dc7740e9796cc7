"""An idxd-like driver: one dedicated work queue, configured for one PASID at a time (vtd-pcie §3.9)."""

from __future__ import annotations

from dataclasses import dataclass

from hw.bus import Pasid, PhysAddr

from ..cpu import Cpu
from .iommu import Contexts
from .memory.mm import Mm
from .memory.pasid import Bond, Pasids

DONE, DISABLE_WQ, DRAIN_WQ, RESET_WQ, ENABLE_WQ = 0, 1, 2, 3, 4
"""What the command register says; the device writes DONE."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WqRegisters:
    """One work queue: the PASID in its WQCFG, and the command register."""

    pasid: PhysAddr
    command: PhysAddr


class Idxd:
    """Drain WQ, then Reset WQ, then a new WQCFG: nothing of the old owner is left in the device (October 2025)."""

    def __init__(self, wq: WqRegisters, pasids: Pasids, contexts: Contexts) -> None:
        self._wq = wq
        self._pasids = pasids
        self._contexts = contexts

    async def release(self, cpu: Cpu, bond: Bond) -> None:
        """The file is closed: stop the queue, then unbind. The PASID belongs to the process and stays with it."""
        await self.disable(cpu)
        await self._contexts.clear(cpu, bond)

    async def open(self, cpu: Cpu, mm: Mm) -> None:
        """Bind a process and let the queue work for it."""
        bond = await self._pasids.allocate(cpu, mm)
        await self._contexts.write(cpu, bond)
        await self.configure(cpu, bond.pasid)

    async def configure(self, cpu: Cpu, pasid: Pasid) -> None:
        """Program the PASID, then switch the queue on."""
        await cpu.store(self._wq.pasid, pasid, f"WQCFG.PASID = {pasid}")
        await self.command(cpu, ENABLE_WQ, "Enable WQ")

    async def disable(self, cpu: Cpu) -> None:
        """Nothing is pending in the device when this returns."""
        await self.command(cpu, DRAIN_WQ, "Drain WQ")
        await self.command(cpu, RESET_WQ, "Reset WQ")

    async def command(self, cpu: Cpu, command: int, name: str) -> None:
        """Issue one, and wait until the device says that it is done."""
        await cpu.store(self._wq.command, command, f"device COMMAND = {name}")
        await cpu.poll(self._wq.command, lambda word: word == DONE, f"{name} is done")


class DisablesWq(Idxd):
    """BUG: Disable WQ aborts works, but not the translations that they wait for (erratum 843306; VTD-R33)."""

    async def disable(self, cpu: Cpu) -> None:
        """Give the one command Disable WQ."""
        await self.command(cpu, DISABLE_WQ, "Disable WQ")


STOPS: dict[str, type[Idxd]] = {"disable": DisablesWq, "drain-reset": Idxd}
