"""The one completion of an IOMMU that all drainers of its page request queue share (vtd-pcie §3.5, §3.6)."""

from __future__ import annotations

from typing import Any

from ..cpu import Cpu, Lock
from ..kernel.memory.pasid import Bond
from .prq import BATCHES, PageRequestQueue, PrqDrain


class CompletesOne(PageRequestQueue):
    """complete(prq_complete), unless it is done already: one waiter goes on, or the next one who comes."""

    done = False

    async def complete(self, cpu: Cpu) -> None:
        """completion_done and complete, in one step: a waiter takes what is done under the same lock."""
        await cpu.access("complete(prq_complete), if not done", writes=(BATCHES,))
        self.done = True


class SharedCompletionDrain(PrqDrain):
    """BUG with two drainers: who begins to wait takes away what the other one has not seen yet, and nothing repeats it.

    It is right only where somebody lets one drainer in at a time.
    """

    queue: CompletesOne

    async def batches(self, cpu: Cpu) -> int:
        """reinit_completion: done, whoever it was for, is forgotten."""
        await cpu.access("reinit_completion(prq_complete)", writes=(BATCHES,))
        self.queue.done = False
        return 0

    async def next_batch(self, cpu: Cpu, seen: int) -> None:
        """wait_for_completion: only one waiter gets what is done."""
        await cpu.wait("prq_complete", lambda: self.queue.done, writes=(BATCHES,))
        self.queue.done = False


class LockedDrain(SharedCompletionDrain):
    """Right: one drainer at a time, as iommu_sva_lock has it for those who come through iommu_sva_unbind_device."""

    def __init__(self, lock: Lock, *parts: Any) -> None:
        """`parts` are those of every drain."""
        PrqDrain.__init__(self, *parts)
        self._lock = lock

    async def run(self, cpu: Cpu, bond: Bond) -> None:
        """All of it under the lock."""
        await cpu.lock(self._lock)
        await PrqDrain.run(self, cpu, bond)
        await cpu.unlock(self._lock)
