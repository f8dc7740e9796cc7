"""Reclaim that takes a page several times, whenever it is there: after a Success the page may be gone again."""

from __future__ import annotations

from drivers.kernel.memory.mm import Mm

from ..runtime.world import Cpu, World


def add_page_thief(world: World, mm: Mm, times: int) -> None:
    """A daemon: where the page never comes back, it has nothing to do."""
    page = mm.pages[0]
    leaf = mm.tables.leaf_address(page)

    async def reclaim(cpu: Cpu) -> None:
        for _ in range(times):
            await cpu.poll(leaf, bool, "the first page is present", idle=True)
            await mm.unmap(cpu, page)

    world.add_actor("reclaim", reclaim, daemon=True)
