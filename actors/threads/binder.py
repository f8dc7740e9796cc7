"""The binder: another process that wants a PASID, and takes the freed one at once."""

from drivers.kernel.memory.mm import Mm
from drivers.kernel.sva import Sva

from ..runtime.world import Cpu, World


def add_binder(world: World, mm: Mm, sva: Sva) -> None:
    """An actor that binds `mm` as soon as a PASID is free; where none ever is, it has nothing to do (a daemon)."""

    async def bind(cpu: Cpu) -> None:
        await sva.bind(cpu, mm)

    world.add_actor("binder", bind, daemon=True)
