"""ITags: what tells the completions of several invalidations apart."""

from __future__ import annotations

from functools import partial

from actors.devices.streamer import Streamer
from actors.runtime.world import Cpu, World
from hw.bus import VirtAddr
from hw.tlb import pages_from
from hw.vtd.qi import InvalidationQueue, ItagReusingQueue

from ..boards.vtd import vtd_platform
from ..oracles.no_itag_has_two_owners import NoItagHasTwoOwners
from ..parameters import number, one_of
from ..scenario import Expected, scenario
from ..witnesses.invalidations_overlap import InvalidationsOverlap

UNITS: dict[str, type[InvalidationQueue]] = {"right": InvalidationQueue, "reuses": ItagReusingQueue}

EXPECTED = (
    Expected(
        params={"unit": "reuses"},
        verdict="violated",
        oracle="no-itag-has-two-owners",
        why="two requests go out under one tag, and their completions cannot be told apart",
    ),
    Expected(
        params={"unit": "reuses", "cpus": 2},
        verdict="holds",
        why="there are as many tags as requests, which is why nobody notices",
    ),
    Expected(params={"unit": "right"}, verdict="holds", why="the third request waits for the tag of the first"),
    Expected(
        params={"unit": "right", "itags": 1},
        verdict="vacuous",
        why="with one tag there is never more than one request under way",
    ),
)


@scenario(
    source="PCIe 10.3.1: an ITag is unique until its Invalidate Completion; VT-d defers a request that finds none free",
    expected=EXPECTED,
    unit=one_of(*UNITS, default="reuses", meaning="when the IOMMU takes a tag for free again"),
    itags=number(1, 2, default=2, meaning="how many it has"),
    cpus=number(2, 3, default=3, meaning="CPUs that ask the device to forget a page each"),
)
def itag_reuse(world: World, *, unit: str, itags: int, cpus: int) -> None:
    """Several CPUs take pages away from a device at the same time."""
    board = vtd_platform(
        world, device=Streamer, requests=cpus, repeats=0, invalidations=partial(UNITS[unit], itags=itags)
    )

    async def forget(cpu: Cpu, page: VirtAddr) -> None:
        await board.qi.submit(cpu, board.contexts.device_tlb(board.bond, pages_from(page, 1)))

    board.add_hardware(world)
    for page in board.mm_a.pages:
        world.add_actor("CPU", partial(forget, page=page))

    world.check(NoItagHasTwoOwners())
    world.expect(InvalidationsOverlap())
