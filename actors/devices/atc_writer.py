"""A write that a function makes through its ATC, whatever else it does."""

from __future__ import annotations

from ..runtime.world import Cpu, World
from .device import ATC, Device


def add_atc_writer(world: World, device: Device) -> None:
    """One write to the first page of the device's buffer; it asks for what its ATC has not, or has no more."""
    job = device.jobs[0]

    async def write(cpu: Cpu) -> None:
        written = False
        while not written:
            await cpu.access("ATC look-up", reads=(ATC,))
            held = device.atc.lookup(device.pasid, job.pages[0])
            entry = held or await device.translate(cpu, job.pages[0])
            if entry is None:
                return
            written = await device.dma(cpu, entry, job)

    world.add_actor("device.dma", write)
