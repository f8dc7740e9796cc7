"""More than one context of a function on a board: a second PASID at work, or the next owner of the first one."""

from __future__ import annotations

from actors.devices.job import Job
from actors.devices.second_context import SecondContext
from actors.runtime.world import Cpu, World
from drivers.kernel.endpoint import Endpoint
from drivers.kernel.memory.mm import Mm
from drivers.kernel.memory.pasid import Bond
from drivers.kernel.sva import Sva
from hw.bus import Pasid

from .endpoint import Platform


def second_context(
    world: World, board: Platform, pasid: Pasid, mm: Mm, kind: type[SecondContext] = SecondContext
) -> SecondContext:
    """A context that asks for one page of `mm`, under a PASID of its own or one that it inherits.

    It has registers of its own, and shares links, groups, credits and PRI Enable with the first one.
    """
    first, own = board.device, world.word
    endpoint = Endpoint(own("CONTROL 2"), own("STATUS 2"), board.endpoint.pri_enable, 0, announces=False)
    return kind(
        world,
        endpoint,
        first.upstream,
        first.downstream,
        first.pri,
        [Job(1, mm.pages[:1])],
        pasid,
        meant_for=mm.name,
        host=first.host,
        by_prgi=first.by_prgi,
    )


def add_second_pasid(world: World, board: Platform) -> Bond:
    """Process B has the next PASID from the beginning, and the device works for it; its bond. The board has two PASIDs
    at least."""
    bond = board.pasids.bind_now(board.mm_b)
    world.add_actor("device.second", second_context(world, board, bond.pasid, board.mm_b).engine, hardware=True)
    return bond


def add_next_owner(world: World, board: Platform, sva: Sva) -> None:
    """Process B binds the PASID as soon as it is free, and then has the device work for it.

    Both are daemons: where no PASID is ever free, there is nothing to do.
    """
    start = world.word("START 2")
    context = second_context(world, board, board.bond.pasid, board.mm_b)

    async def binder(cpu: Cpu) -> None:
        await sva.bind(cpu, board.mm_b)
        await cpu.store(start, 1, "START 2")

    async def work(cpu: Cpu) -> None:
        await cpu.poll(start, bool, "START 2", idle=True)
        await context.engine(cpu)

    world.add_actor("binder", binder, daemon=True)
    world.add_actor("device.second", work, daemon=True, hardware=True)
