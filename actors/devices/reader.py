"""A function without an ATC that reads memory by virtual address, one read after the other, and then is done."""

from __future__ import annotations

from dataclasses import dataclass

from hw.bus import Pasid, PhysAddr, StreamId, VirtAddr
from hw.pcie.tlp import Dma, DmaCompletion

from ..runtime.primitives.link import Link
from ..runtime.world import Cpu


@dataclass(slots=True, kw_only=True)
class MemoryReader:
    """`count` reads of `address`, once somebody has rung its doorbell, if it has one."""

    upstream: Link
    downstream: Link
    sid: StreamId
    pasid: Pasid
    address: VirtAddr
    count: int
    doorbell: PhysAddr | None = None
    """A register: its driver writes 1 when the device can work."""

    async def engine(self, cpu: Cpu) -> None:
        """Each read has its completion, with data or with an error, before the next one leaves."""
        if self.doorbell is not None:
            await cpu.poll(self.doorbell, lambda rung: rung == 1, "the doorbell is rung", idle=True)
        for tag in range(self.count):
            read = Dma(
                sid=self.sid, pasid=self.pasid, address=self.address, write=False, translated=False, tag=tag, value=0
            )
            await self.upstream.send_ordered("non-posted", read, "send DMA read")
            completion: DmaCompletion = await self.downstream.receive_ordered(cpu, "completion", "take read completion")
            assert completion.tag == tag
