"""The interrupt thread of a queue that the SMMU fills: EVTQ and PRIQ differ in what becomes of an entry (smmuv3 §3.9,
§4.4)."""

from __future__ import annotations

from abc import ABC, abstractmethod

from hw.bus import PhysAddr
from hw.smmuv3.queues import OVERFLOW_FLAG, Ring

from ..cpu import Cpu, Interrupt
from ..events.faults import OverflowAcknowledged


class QueueThread(ABC):
    """Software's side of one queue: the interrupt, the pointers, and the flag of an overflow."""

    def __init__(self, name: str, prod: PhysAddr, cons: PhysAddr, ring: Ring, irq: Interrupt) -> None:
        """`name` is the queue's in the specification; `prod` and `cons` are the addresses of its two registers."""
        self._name = name
        self._prod_register = prod
        self._cons_register = cons
        self._prod_name, self._cons_name = f"{name}_PROD", f"{name}_CONS"
        self._ring = ring
        self._irq = irq
        self._cons = 0
        self._taken = 0

    async def thread(self, cpu: Cpu) -> None:
        """Wait for the interrupt, empty the queue, again."""
        while True:
            await self._irq.take(cpu)
            await self.drain(cpu)

    @abstractmethod
    async def drain(self, cpu: Cpu) -> None:
        """Take entries until the queue is seen empty, and acknowledge an overflow."""

    @abstractmethod
    async def take(self, cpu: Cpu) -> None:
        """Take one entry, and see to it."""

    async def _look(self, cpu: Cpu) -> int:
        prod = await cpu.load(self._prod_register, self._prod_name)
        await self.prod_read(cpu)
        return prod

    async def prod_read(self, cpu: Cpu) -> None:
        """No entry is read before PROD says that it is there: PROD is read by readl."""
        await cpu.dma_rmb()

    async def entry_read(self, cpu: Cpu) -> None:
        """The SMMU writes to the slot once it sees CONS, so the entry must have been read by then."""
        await cpu.mb()

    async def _next(self, cpu: Cpu) -> tuple[int, tuple[int, ...]]:
        """The number and the words of the next entry, whose slot is given back at once: handling it may take long."""
        number, index = self._taken, self._ring.index(self._cons)
        words = await cpu.load_words(self._ring.slot(self._cons), self._ring.entry_words, f"{self._name}[{index}]")
        self._cons = self._ring.next(self._cons)
        self._taken += 1
        await self.entry_read(cpu)
        await cpu.store(self._cons_register, self._cons, self._cons_name)
        return number, tuple(words)

    async def acknowledge(self, cpu: Cpu) -> None:
        """Copy OVFLG into OVACKFLG: only from then on the hardware queues again."""
        self._cons ^= OVERFLOW_FLAG
        await cpu.store(self._cons_register, self._cons, f"{self._cons_name} (acknowledge overflow)")
        cpu.emit(OverflowAcknowledged(queue=self._name))
