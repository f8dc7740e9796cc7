"""In which order an address space and its binding end (vtd-pcie §3.1): five orders, one life."""

from __future__ import annotations

from drivers.events.faults import ReleaseBegun
from drivers.kernel.memory.mm import Mm
from drivers.kernel.pasid_lifetime import Lifetime

from ..runtime.primitives.sync import SpinLock
from ..runtime.world import Cpu, World

ORDERS = ("O1", "O2", "O3", "O4", "O5")


def add_exit(world: World, order: str, mm: Mm, life: Lifetime, srcu: SpinLock, *, atomic: bool = True) -> None:
    """`order`: O1 killed, so that release comes first; O2 closed first; O3 the file's other owner closes it long after
    the process is gone; O4 as O1, where the fault worker drops the last pin; O5 the other owner closes it meanwhile.

    The release callback runs under the read side of `srcu`. Where it walks its bindings `atomic`, nothing may sleep;
    such readers do not exclude each other, but there is only one.
    """
    gone = world.interrupt("the process is gone")

    async def release(cpu: Cpu) -> None:
        await cpu.lock(srcu)
        cpu.emit(ReleaseBegun(mm=mm.name, by=cpu.name))
        await life.release(cpu)
        await cpu.unlock(srcu)

    async def process(cpu: Cpu) -> None:
        if order == "O2":
            await life.unbind(cpu)
        await life.exit(cpu)
        if order in ("O1", "O4"):
            await life.unbind(cpu)
        if order == "O3":
            await cpu.access("the process is gone", writes=(gone.resource,))
            gone.raise_now()

    async def closer(cpu: Cpu) -> None:
        if order == "O3":
            await gone.take(cpu)
        await life.unbind(cpu)

    mm.register(release=release if atomic else life.release)
    world.add_actor("process", process)
    if order in ("O3", "O5"):
        world.add_actor("closer", closer)
