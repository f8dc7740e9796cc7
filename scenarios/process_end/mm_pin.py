"""Race SMMU-R32: an mm is freed while a bond still has its ASID pinned."""

from __future__ import annotations

from actors.runtime.world import Cpu, World
from drivers.kernel.memory.objects import Counted
from drivers.smmuv3.asid_pin import PIN

from ..oracles.no_double_free import NoDoubleFree
from ..oracles.no_use_after_free import NoUseAfterFree
from ..parameters import one_of
from ..scenario import Expected, scenario
from ..witnesses.process_is_gone_first import ProcessIsGoneFirst

EXPECTED = (
    Expected(
        params={"pin": "no-grab"},
        verdict="violated",
        oracle="no-use-after-free",
        why="the process dies, the last mmdrop frees its mm, and the unbind of the file's other owner unpins it",
    ),
    Expected(params={"pin": "grab"}, verdict="holds", why="the bond itself holds the mm's last reference"),
    Expected(
        params={"pin": "no-grab", "closer": "self"},
        verdict="vacuous",
        why="who exits closes its files before its last mmdrop",
    ),
)


@scenario(
    source="cbd23144f766, CVE-2022-49426 (April 2022): iommu/arm-smmu-v3-sva: Fix mm use-after-free",
    expected=EXPECTED,
    pin=one_of(*PIN, default="no-grab", meaning="whether a bond holds a reference to the mm"),
    closer=one_of("self", "other", default="other", meaning="who closes the device file last"),
)
def mm_pin(world: World, *, pin: str, closer: str) -> None:
    """A process exits; the file that binds its address space is closed by another process that shares it."""
    mm = Counted("mm A")
    bond = PIN[pin](mm)
    bound = world.interrupt("the file descriptor was passed on")

    async def process(cpu: Cpu) -> None:
        await bond.bind(cpu)
        await cpu.access("pass the file descriptor on", writes=(bound.resource,))
        bound.raise_now()
        if closer == "self":
            await bond.unbind(cpu)
        await mm.put(cpu)

    async def other(cpu: Cpu) -> None:
        await bound.take(cpu)
        await bond.unbind(cpu)

    world.add_actor("process", process)
    if closer == "other":
        world.add_actor("other", other)
    world.check(NoUseAfterFree(), NoDoubleFree())
    world.expect(ProcessIsGoneFirst())
