"""Process A: gives its PASID back, either by closing the device file or by being killed."""

from __future__ import annotations

from drivers.kernel.endpoint import CLEAN, Endpoint
from drivers.kernel.memory.mm import Mm
from drivers.kernel.memory.pasid import Bond
from drivers.kernel.sva import Sva

from ..runtime.world import Cpu, World


def add_process(world: World, trigger: str, mm: Mm, bond: Bond, sva: Sva, endpoint: Endpoint) -> None:
    """`trigger` "unbind": close, unbind, then munmap. "exit": the address space dies first, the file closes after."""

    async def close(cpu: Cpu) -> None:
        flags = await endpoint.stop(cpu, bond.pasid) if sva.device_stops_first else CLEAN
        error = await sva.unbind(cpu, mm, bond.pasid, flags)
        if not sva.device_stops_first:
            await endpoint.stop(cpu, bond.pasid)
        if error == "":
            for page in mm.pages:
                await mm.unmap(cpu, page)

    async def die(cpu: Cpu) -> None:
        if await mm.put(cpu):
            await mm.exit_mmap(cpu)
        await sva.unbind(cpu, mm, bond.pasid, 0)

    world.add_actor("process", close if trigger == "unbind" else die)
