"""Binding a PASID needs a leaf of the two-level CD table, which is allocated on first use (domain/smmuv3 §1.2; R31)."""

from __future__ import annotations

from hw.bus import Resource

from .cpu import Cpu, Lock
from .lifetime import Object, allocate

DEVICES: Resource = ("domain", "devices")


class Master:
    """A device with its own CD table; `leaf` is None until a PASID needs it."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.leaf: Object | None = None

    async def write_context(self, cpu: Cpu) -> None:
        """arm_smmu_write_ctx_desc: with the leaf it needs."""
        if self.leaf is None:
            self.leaf = await allocate(cpu, f"CD leaf of {self.name}")
        await self.leaf.touch(cpu, f"write CD of {self.name}")


class SvaBind:
    """As since b5bf7778b722: the master and its CD table are known, so no list is walked and no spin lock held."""

    def __init__(self, devices: list[Master], devices_lock: Lock, sva_lock: Lock) -> None:
        """`devices` are those of the RID domain."""
        self._devices = devices
        self._devices_lock = devices_lock
        self._sva_lock = sva_lock

    async def bind(self, cpu: Cpu, master: Master) -> None:
        """Under sva_lock, which is a mutex."""
        await cpu.lock(self._sva_lock)
        await self.install(cpu, master)
        await cpu.unlock(self._sva_lock)

    async def install(self, cpu: Cpu, master: Master) -> None:
        """Write the CD where the PASID belongs."""
        await master.write_context(cpu)

    async def attach(self, cpu: Cpu, master: Master) -> None:
        """Somebody else's RID attach: list_add under devices_lock."""
        await cpu.lock(self._devices_lock)
        await cpu.access(f"list_add {master.name}", writes=(DEVICES,))
        self._devices.append(master)
        await cpu.unlock(self._devices_lock)


class WalksDevices(SvaBind):
    """BUG: writes the CD of every master on the list, and so allocates with GFP_KERNEL under a spin lock."""

    async def install(self, cpu: Cpu, master: Master) -> None:
        """For each device of the RID domain."""
        await cpu.lock(self._devices_lock)
        await cpu.access("walk the devices list", reads=(DEVICES,))
        for each in list(self._devices):
            await each.write_context(cpu)
        await cpu.unlock(self._devices_lock)


INSTALL: dict[str, type[SvaBind]] = {"walk-devices": WalksDevices, "one-master": SvaBind}
