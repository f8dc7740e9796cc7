"""A write that a function makes through its ATC, whatever else it does."""

from __future__ import annotations

from hw.bus import VirtAddr

from ..runtime.world import Cpu, World
from .device import ATC, Device
from .job import Job


def add_atc_writer(world: World, device: Device, page: VirtAddr) -> None:
    """One write to a page; the device asks for what its ATC has not, or has no more."""
    job = Job(0, [page])

    async def write(cpu: Cpu) -> None:
        written = False
        while not written:
            await cpu.access("ATC look-up", reads=(ATC,))
            held = device.atc.lookup(device.pasid, page)
            entry = held or await device.translate(cpu, page)
            if entry is None:
                return
            written = await device.dma(cpu, entry, job)

    world.add_actor("device.dma", write, hardware=True)
