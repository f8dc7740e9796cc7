"""Function Level Reset with page requests about (vtd-pcie.md §1.6): when to drain, and when the drain is over.

The right order is written once: FLR, then answer every old request end to end, then let the function ask again.
"""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import Any, Protocol

from hw.pcie.tlp import ConfigRegister

from .arm_smmu_v3 import Contexts
from .cpu import Cpu, Lock
from .iommu import RequestQueue
from .iopf import Iopf
from .pasid import Bond
from .reset_events import InvalidationWithheld

Wait = Callable[[Any], Coroutine[Any, Any, None]]
Invalidate = Callable[[Any, Bond], Coroutine[Any, Any, None]]


class ConfigSpace(Protocol):
    """The configuration space of the function."""

    async def write(self, cpu: Any, register: ConfigRegister, value: int) -> None:
        """Write a control bit, and wait for the completion."""
        ...


class AtsGate:
    """Blocks ATS for the reset (pci_dev_reset_iommu_prepare and _done, 2025; race R50), on either IOMMU."""

    lock: Lock
    """Set when the world is built."""
    blocked = False

    async def prepare(self, cpu: Cpu) -> None:
        """No ATC_INV from here on; those that are under way hold the lock."""
        await cpu.lock(self.lock)
        self.blocked = True
        await cpu.unlock(self.lock)

    async def done(self, cpu: Cpu) -> None:
        """The reset has emptied the ATC, so nothing is owed."""
        await cpu.lock(self.lock)
        self.blocked = False
        await cpu.unlock(self.lock)

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


class ResetContexts(AtsGate, Contexts):
    """On SMMUv3."""

    async def barrier(self, cpu: Cpu) -> None:
        """Wait for what was issued so far."""
        await self._cmdq.issue_sync(cpu)

    async def invalidate_atc(self, cpu: Cpu, bond: Bond) -> None:
        """Through the gate."""
        await self.unless_blocked(cpu, bond, super().invalidate_atc)


class LeavesAtsOn(ResetContexts):
    """BUG: the notifier of a function in reset sends it an ATC_INV, which it may ignore: a time-out (R23, R50)."""

    async def prepare(self, cpu: Cpu) -> None:
        """Nothing."""

    async def done(self, cpu: Cpu) -> None:
        """Nothing."""


class Drain:
    """Take what is queued, wait for the answers, and push these out: whatever the wait for them is worth."""

    def __init__(self, queue: RequestQueue, iopf: Iopf, barrier: Wait, stopped: Wait) -> None:
        self.queue = queue
        self.iopf = iopf
        self.barrier = barrier
        self.stopped = stopped

    async def run(self, cpu: Cpu) -> None:
        """PRI queue, partial list, worker, command queue."""
        await self.queue.drain(cpu)
        await self.iopf.discard_partial(cpu, None)
        await self.iopf.flush(cpu)
        await self.push(cpu)

    async def push(self, cpu: Cpu) -> None:
        """A wait in the command queue behind the responses."""
        await self.barrier(cpu)


class DrainsSoftwareOnly(Drain):
    """BUG: when the worker is done its answers are commands in a queue; the function may get them in its next life."""

    async def push(self, cpu: Cpu) -> None:
        """Nothing: flush_workqueue was the last step."""


class DrainsToTheDevice(Drain):
    """Lets the device say that it has every response; only before a reset, after which it knows of none."""

    async def push(self, cpu: Cpu) -> None:
        """PRI Status.Stopped."""
        await self.stopped(cpu)


class FunctionReset:
    """Drain after the FLR and before PRI is on again. The right order."""

    def __init__(self, config: ConfigSpace, drain: Drain, contexts: ResetContexts) -> None:
        self.config = config
        self.drain = drain
        self.contexts = contexts

    async def run(self, cpu: Cpu) -> None:
        """Reset the function and let it work again."""
        await self.contexts.prepare(cpu)
        await self.before(cpu)
        await self.config.write(cpu, ConfigRegister.INITIATE_FLR, 1)
        await self.after(cpu)
        await self.contexts.done(cpu)
        await self.config.write(cpu, ConfigRegister.PRI_ENABLE, 1)

    async def before(self, cpu: Cpu) -> None:
        """The function may still ask."""

    async def after(self, cpu: Cpu) -> None:
        """The function has forgotten its tags and asks for nothing: what is on its way now is old."""
        await self.drain.run(cpu)


class DrainAround(FunctionReset):
    """Drains twice; the first time buys nothing but a shorter second."""

    async def before(self, cpu: Cpu) -> None:
        """What is queued by now."""
        await self.drain.run(cpu)


class NoDrain(FunctionReset):
    """BUG: answers to requests of the old life reach the function in its new one, which uses the same tags."""

    async def after(self, cpu: Cpu) -> None:
        """Nothing."""


class DrainBefore(NoDrain):
    """BUG: a function that may still ask does so between the drain and the FLR."""

    async def before(self, cpu: Cpu) -> None:
        """What is queued by now."""
        await self.drain.run(cpu)


class HaltThenDrain(DrainBefore):
    """Nothing new, answer everything, then reset (domain/smmuv3 R51): right where the drain is end to end."""

    async def before(self, cpu: Cpu) -> None:
        """PRI off: its completion pushes the last request ahead of it."""
        await self.config.write(cpu, ConfigRegister.PRI_ENABLE, 0)
        await DrainBefore.before(self, cpu)


ORDERS: dict[str, type[FunctionReset]] = {
    "none": NoDrain,
    "before": DrainBefore,
    "halt-before": HaltThenDrain,
    "after": FunctionReset,
    "around": DrainAround,
}
