"""The first PASID of a range: the SMMU may have cached that there is no leaf for it."""

from __future__ import annotations

from actors.runtime.world import Cpu, World
from drivers.smmuv3.attach.cd_leaf import TABLES, LeafBind, LeafMaster
from hw.bus import StreamId

from ..boards.invalidations import add_reader
from ..boards.leaf import ADDRESS, PASID, LeafBoard
from ..oracles.bound_pasid_is_not_refused import BoundPasidIsNotRefused
from ..parameters import number, one_of
from ..scenario import Expected, scenario
from ..witnesses.level1_is_fetched_invalid import Level1IsFetchedInvalid

SID = StreamId(0)
REFUSED = "bound-pasid-is-not-refused"
EXPECTED = (
    Expected(
        params={"cfgi": "leaf-0"},
        verdict="holds",
        why="Leaf=0 drops the L1CD too, and its SYNC waits for whoever is reading it",
    ),
    Expected(
        params={"cfgi": "leaf-1"},
        verdict="violated",
        oracle=REFUSED,
        why="the invalid L1CD stays cached: the bound PASID gets C_BAD_SUBSTREAMID",
    ),
    Expected(
        params={"cfgi": "none"},
        verdict="violated",
        oracle=REFUSED,
        why="the CFGI_CD behind the CD itself has Leaf=1, so nothing ever drops the L1CD",
    ),
    Expected(
        params={"cfgi": "leaf-1", "leaf": "present"},
        verdict="vacuous",
        why="with the leaf in place no L1CD changes: why the bug hides until many PASIDs are in use",
    ),
    Expected(
        params={"cfgi": "leaf-1", "prefetches": 0},
        verdict="vacuous",
        why="without prefetch nobody looks at the range before its first PASID is bound",
    ),
    Expected(
        params={"cfgi": "leaf-0", "prefetches": 2},
        verdict="holds",
        why="what is fetched again after the SYNC is valid",
    ),
)


@scenario(
    source="smmuv3 §1.2, §1.4: an invalid L1CD may be cached, and only CFGI_CD with Leaf=0 drops it",
    expected=EXPECTED,
    cfgi=one_of(*TABLES, default="leaf-0", meaning="what software invalidates after it has stored the L1CD"),
    leaf=one_of("missing", "present", default="missing", meaning="whether the range of PASIDs was used before"),
    prefetches=number(0, 2, default=1, meaning="fetches that the SMMU makes without traffic"),
)
def cd_leaf(world: World, *, cfgi: str, leaf: str, prefetches: int) -> None:
    """A PASID is bound in a range without a leaf, while the SMMU prefetches; then the device uses it."""
    board = LeafBoard(world)
    master = LeafMaster(board.table(SID, TABLES[cfgi], present=leaf == "present"))
    sva = LeafBind([master], world.spinlock("devices_lock"), world.mutex("sva_lock"))
    doorbell = world.word("doorbell of M")

    async def bind(cpu: Cpu) -> None:
        await sva.bind(cpu, master, board.process)
        await cpu.store(doorbell, 1, "doorbell of M")

    world.add_actor("bind", bind)
    add_reader(world, board.units, "M", SID, PASID, ADDRESS, 1, doorbell)
    if prefetches:
        world.add_actor("smmu.prefetch", board.units.prefetcher(SID, PASID, prefetches), hardware=True)
    world.check(BoundPasidIsNotRefused())
    world.expect(Level1IsFetchedInvalid())
