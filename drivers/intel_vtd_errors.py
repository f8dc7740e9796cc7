"""qi_submit_sync where a device may not answer: whoever sees ITE cleans up for everybody (vtd-pcie.md §2.4; R21, R23).

A time-out aborts every wait that hardware had fetched, so whoever spins on any of them has to submit again.
"""

from __future__ import annotations

from typing import Any, Protocol

from hw.bus import PhysAddr
from hw.vtd.descriptors import Descriptor, DeviceTlbInvalidate
from hw.vtd.registers import ITE, fsts_after

from .cpu import Cpu
from .function_reset import AtsGate
from .intel_vtd import PasidTable, Published, Qi
from .pasid import Bond
from .reset_events import Resubmitted

ABORT = 1 << 33
"""What software puts into the status word of a wait that will never complete, beside its ticket (QI_ABORT)."""

RETRIES = 1
"""A bound of the model: once is enough to see that the driver would go on for ever."""


class Presence(Protocol):
    """What software can learn about a device that may be gone."""

    disconnected: PhysAddr
    """The hotplug code has noticed (pci_dev_is_disconnected): a word of memory."""

    async def is_present(self, cpu: Any) -> bool:
        """Read the Vendor ID (pci_device_is_present): one step."""
        ...


class Retries(Qi):
    """BUG: submits again after each time-out, also when the device will never answer: a hard lockup (before 2024)."""

    device: Presence
    """Set when the world is built."""

    async def submit(
        self, cpu: Cpu, *batch: Descriptor, drain: bool = False, published: Published | None = None
    ) -> bool:
        """Return when the wait is complete (True), or when the device is known to be gone."""
        device_tlb = any(isinstance(each, DeviceTlbInvalidate) for each in batch)
        times = 0
        while not await super().submit(cpu, *batch, drain=drain, published=published):
            times += 1
            if device_tlb and (times > RETRIES or await self.gives_up(cpu)):
                return False
            cpu.emit(Resubmitted(device_tlb=device_tlb))
        return True

    async def gives_up(self, cpu: Cpu) -> bool:
        """Never."""
        return False

    async def completed(self, cpu: Cpu, status: PhysAddr, ticket: int) -> bool:
        """Spin on the status word and on FSTS; False if the wait was aborted."""
        while True:
            words = (status, self._registers.FSTS)
            word, _ = await cpu.poll_words(
                words, lambda word, fsts: word >= ticket or bool(fsts & ITE.mask), "the wait, or ITE"
            )
            if word >= ticket:
                return not word & ABORT
            await self.check_fault(cpu)

    async def check_fault(self, cpu: Cpu) -> None:
        """qi_check_fault: mark the waits that were fetched and are not complete, then let the queue run again."""
        registers = self._registers
        await cpu.lock(self._lock)
        if await cpu.load(registers.FSTS, "FSTS") & ITE.mask:
            ahead = self._ring.used(await cpu.load(registers.IQH, "IQH"), self._tail)
            for each in self._waits:
                fetched = each.ticket <= self._count - ahead
                if fetched and await cpu.load(each.status, "wait status") < each.ticket:
                    await cpu.store(each.status, ABORT | each.ticket, f"wait #{each.ticket - 1} = ABORT")
            await cpu.rmw(registers.FSTS, lambda word: fsts_after(word, ITE.mask), "clear ITE")
        await cpu.unlock(self._lock)


class LooksForDevice(Retries):
    """80a9b50c0b9e (2024): a time-out of a device that is not there any more is the end of the matter."""

    async def gives_up(self, cpu: Cpu) -> bool:
        """If the device is gone."""
        return not await self.device.is_present(cpu)


class SkipsDisconnected(PasidTable):
    """4fc82cd907ac (2024): no device-TLB invalidation to a device that is known to be disconnected."""

    device: Presence
    """Set when the world is built."""

    async def invalidate_atc(self, cpu: Cpu, bond: Bond) -> None:
        """What is unplugged has no translations."""
        if not await cpu.load(self.device.disconnected, "disconnected?"):
            await super().invalidate_atc(cpu, bond)


class BlocksAts(AtsGate, SkipsDisconnected):
    """The series of 2025: nor one to a device in reset."""

    async def invalidate_atc(self, cpu: Cpu, bond: Bond) -> None:
        """Through the gate."""
        await self.unless_blocked(cpu, bond, super().invalidate_atc)
