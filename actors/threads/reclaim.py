"""Reclaim: another CPU takes a page of the process away while its device works on it."""

from __future__ import annotations

from drivers.kernel.memory.mm import Mm
from drivers.kernel.sva import Sva
from hw.bus import VirtAddr

from ..runtime.world import Cpu, World


def add_reclaim(world: World, mm: Mm, sva: Sva) -> None:
    """An actor that unmaps the first page, and the notifier callback (in the caller's context, as in the kernel)."""

    async def invalidate(cpu: Cpu, start: VirtAddr, end: int) -> None:
        await sva.mm_invalidate(cpu, mm)

    async def reclaim(cpu: Cpu) -> None:
        await mm.unmap(cpu, mm.pages[0])

    mm.register(invalidate=invalidate)
    world.add_actor("reclaim", reclaim)
