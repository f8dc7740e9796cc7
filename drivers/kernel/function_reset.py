"""Function Level Reset with page requests about (vtd-pcie §1.6): when to drain; `reset_drains` says how.

The right order is written once: FLR, then answer every old request end to end, then let the function ask again.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Coroutine
from typing import Any, Protocol

from hw.pcie.tlp import ConfigRegister

from ..cpu import Cpu, Lock, OwnCpu
from ..events.reset import InvalidationWithheld
from .memory.pasid import Bond


class Function(Protocol):
    """What software sees of a function's page request interface."""

    async def stopped(self, cpu: Cpu) -> None:
        """Wait for PRI Status.Stopped."""
        ...

    async def enabled(self, cpu: Cpu) -> bool:
        """Look at PRI Control.Enable."""
        ...


class ConfigSpace(Protocol):
    """The configuration space of the function, behind a link of whatever runs the driver."""

    async def write(self, cpu: OwnCpu, register: ConfigRegister, value: int) -> None:
        """Write a control bit, and wait for the completion, which may pass page requests."""
        ...

    async def read(self, cpu: OwnCpu, what: str) -> None:
        """Read, and wait for the data, which pushes page requests ahead of it."""
        ...


class Drain(Protocol):
    """Answers what the function has asked, on whichever IOMMU."""

    async def run(self, cpu: Cpu, bond: Bond) -> None:
        """Take the page requests of a PASID, wait for the answers, and bring these to the function."""
        ...


class ResetGate(Protocol):
    """What is done for the translation of a function around its reset."""

    async def prepare(self, cpu: Cpu, bond: Bond) -> None:
        """Before the reset."""
        ...

    async def done(self, cpu: Cpu, bond: Bond) -> None:
        """After it, before the function may ask for pages again."""
        ...


class AtsGate(ABC):
    """pci_dev_reset_iommu_prepare and _done (2025), on either IOMMU (vtd-pcie §1.6; races VTD-R23, SMMU-R50).

    The attachment moves to the blocking domain and every invalidation of that is waited for; then the notifier's are
    held back. What these also do, refuse new attachments with -EBUSY, is not modelled: nobody attaches meanwhile.
    """

    def __init__(self, gate: Lock) -> None:
        """`gate` is held by whoever sends invalidations, and by whoever stops them."""
        self.lock = gate
        self.blocked = False

    @abstractmethod
    async def clear(self, cpu: Cpu, bond: Bond) -> None:
        """The driver takes the entry away, and waits until TLB and ATC have nothing of it."""

    @abstractmethod
    async def write(self, cpu: Cpu, bond: Bond) -> None:
        """The driver puts the entry back."""

    async def prepare(self, cpu: Cpu, bond: Bond) -> None:
        """No ATC invalidation from here on, as the ATC is empty and stays so; those under way hold the lock."""
        await self.block(cpu, bond)
        await cpu.lock(self.lock)
        self.blocked = True
        await cpu.unlock(self.lock)

    async def done(self, cpu: Cpu, bond: Bond) -> None:
        """Nothing was owed meanwhile; invalidations reach the function again before it can translate again."""
        await self.open(cpu)
        await self.restore(cpu, bond)

    async def open(self, cpu: Cpu) -> None:
        """ATC invalidations are sent again."""
        await cpu.lock(self.lock)
        self.blocked = False
        await cpu.unlock(self.lock)

    async def block(self, cpu: Cpu, bond: Bond) -> None:
        """Move to the blocking domain, while the function still answers."""
        await self.clear(cpu, bond)

    async def restore(self, cpu: Cpu, bond: Bond) -> None:
        """Move back to the domain that it came from."""
        await self.write(cpu, bond)

    async def unless_blocked(
        self, cpu: Cpu, bond: Bond, invalidate: Callable[[Any, Bond], Coroutine[Any, Any, None]]
    ) -> None:
        """Nothing while ATS is blocked; and it is not blocked meanwhile."""
        await cpu.lock(self.lock)
        if self.blocked:
            cpu.emit(InvalidationWithheld(pasid=bond.pasid))
        else:
            await invalidate(cpu, bond)
        await cpu.unlock(self.lock)


class LeavesAtsOn:
    """BUG: the notifier of a function in reset sends it an invalidation, and it may ignore it (VTD-R23, SMMU-R50)."""

    async def prepare(self, cpu: Cpu, bond: Bond) -> None:
        """Translation stays as it is."""

    async def done(self, cpu: Cpu, bond: Bond) -> None:
        """Nothing was blocked, so nothing is opened."""


class KeepsTranslation(AtsGate):
    """BUG: the gate alone. Until the reset the ATC has what the notifier does not take from it any more."""

    async def block(self, cpu: Cpu, bond: Bond) -> None:
        """The entry stays as it is."""

    async def restore(self, cpu: Cpu, bond: Bond) -> None:
        """Nothing was taken, so nothing is put back."""


class RestoresFirst(AtsGate):
    """BUG: the function can translate again while the notifier's invalidations are still held back."""

    async def done(self, cpu: Cpu, bond: Bond) -> None:
        """Put the entry back before invalidations are sent again."""
        await self.restore(cpu, bond)
        await self.open(cpu)


class ResetFlow:
    """Drain after the FLR and before PRI is on again. The right order."""

    def __init__(self, config: ConfigSpace, drain: Drain, bond: Bond, gate: ResetGate) -> None:
        """`bond` is whose page requests are drained; the function has no other."""
        self.config = config
        self.gate = gate
        self._drain = drain
        self._bond = bond

    async def run(self, cpu: Cpu) -> None:
        """Reset the function and let it work again."""
        await self.gate.prepare(cpu, self._bond)
        await self.before(cpu)
        await self.config.write(cpu, ConfigRegister.INITIATE_FLR, 1)
        await self.ready(cpu)
        await self.after(cpu)
        await self.gate.done(cpu, self._bond)
        await self.config.write(cpu, ConfigRegister.PRI_ENABLE, 1)

    async def drain(self, cpu: Cpu) -> None:
        """As the IOMMU's driver does it."""
        await self._drain.run(cpu, self._bond)

    async def before(self, cpu: Cpu) -> None:
        """Nothing is done yet: the function may still ask for pages."""

    async def ready(self, cpu: Cpu) -> None:
        """pci_dev_wait: read until the function answers. The data brings what it had asked before to the IOMMU."""
        await self.config.read(cpu, "is the FLR over?")

    async def after(self, cpu: Cpu) -> None:
        """The function has forgotten its tags and asks for nothing: what is on its way now is old."""
        await self.drain(cpu)


class DrainAround(ResetFlow):
    """Drains twice; the first time buys nothing but a shorter second."""

    async def before(self, cpu: Cpu) -> None:
        """Drain what is queued by now."""
        await self.drain(cpu)


class WaitsForTheTime(ResetFlow):
    """BUG where completions pass page requests: an old one may still be on the link when the drain looks."""

    async def ready(self, cpu: Cpu) -> None:
        """The driver waits 100 ms after the write, and does not read."""


class ResetWithoutDrain(ResetFlow):
    """BUG: answers to requests of the old life reach the function in its new one, which uses the same tags."""

    async def after(self, cpu: Cpu) -> None:
        """Nothing is drained."""


class DrainBefore(ResetWithoutDrain):
    """BUG: a function that may still ask does so behind the drain's last look."""

    async def before(self, cpu: Cpu) -> None:
        """Drain what is queued by now."""
        await self.drain(cpu)


class HaltThenDrain(DrainBefore):
    """Nothing new, answer everything, then reset (SMMU-R51).

    BUG where completions pass page requests and the drain does not ask the function: it asked last on its way.
    """

    async def before(self, cpu: Cpu) -> None:
        """Switch PRI off, then drain."""
        await self.config.write(cpu, ConfigRegister.PRI_ENABLE, 0)
        await DrainBefore.before(self, cpu)


class HaltReadThenDrain(DrainBefore):
    """As SMMU-R51 asks: right where the drain is end to end."""

    async def before(self, cpu: Cpu) -> None:
        """Switch PRI off and read it back: the data pushes the last request ahead of it."""
        await self.config.write(cpu, ConfigRegister.PRI_ENABLE, 0)
        await self.config.read(cpu, "is PRI off?")
        await DrainBefore.before(self, cpu)


ORDERS: dict[str, type[ResetFlow]] = {
    "none": ResetWithoutDrain,
    "before": DrainBefore,
    "halt-before": HaltThenDrain,
    "halt-read-before": HaltReadThenDrain,
    "after": ResetFlow,
    "after-unread": WaitsForTheTime,
    "around": DrainAround,
}
