"""Race SMMU-R31: a bind walks the devices of a domain under a spin lock, and allocates on the way."""

from __future__ import annotations

from actors.runtime.world import Cpu, World
from drivers.smmuv3.attach.cd_leaf import INSTALL, LeafMaster
from hw.bus import StreamId

from ..boards.leaf import LeafBoard
from ..oracles.no_use_after_free import NoUseAfterFree
from ..parameters import one_of
from ..scenario import Expected, scenario
from ..witnesses.leaf_is_allocated import LeafIsAllocated

SLEEP = "BrokenRule"
EXPECTED = (
    Expected(
        params={"install": "walk-devices"},
        verdict="violated",
        oracle=SLEEP,
        why="the leaf is allocated with GFP_KERNEL, which may sleep, while devices_lock is held",
    ),
    Expected(params={"install": "one-master"}, verdict="holds", why="the master is known, so no list has to be walked"),
    Expected(
        params={"install": "walk-devices", "leaf": "present"},
        verdict="vacuous",
        why="with the leaf in place nothing is allocated: why the bug stayed unseen",
    ),
)


@scenario(
    source="b5bf7778b722 (February 2024): iommu/arm-smmu-v3: Do not use GFP_KERNEL under as spinlock",
    expected=EXPECTED,
    install=one_of(*INSTALL, default="walk-devices", meaning="whose CD tables a bind writes to"),
    leaf=one_of("missing", "present", default="missing", meaning="whether the device used PASIDs before"),
)
def spinlock_alloc(world: World, *, install: str, leaf: str) -> None:
    """A PASID is bound while another device is attached to the domain."""
    board = LeafBoard(world, streams=2)
    first, second = (LeafMaster(board.table(StreamId(number), present=leaf == "present")) for number in range(2))
    sva = INSTALL[install]([first], world.spinlock("devices_lock"), world.mutex("sva_lock"))

    async def bind(cpu: Cpu) -> None:
        await sva.bind(cpu, first, board.process)

    async def attach(cpu: Cpu) -> None:
        await sva.attach(cpu, second)

    world.add_actor("bind", bind)
    world.add_actor("attach", attach)
    world.check(NoUseAfterFree())
    world.expect(LeafIsAllocated())
