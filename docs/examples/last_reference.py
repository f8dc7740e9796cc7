"""A worker drops the last reference of a device, whose release flushes the queue that the worker serves."""

from stopmarker import Cpu, World, one_of, scenario
from stopmarker.kernel import RefCount, WorkqueueStruct, WorkStruct


@scenario(release=one_of("flush", "queue", default="flush", meaning="what the last put does"))
def last_reference(world: World, release: str) -> None:
    """A fault's work and an unbind hold a reference each; who drops the last one releases the device."""
    faults, cleanup, refs = (
        WorkqueueStruct(world, "faults"),
        WorkqueueStruct(world, "cleanup"),
        RefCount(world, "dev", 2),
    )
    released = []

    async def put(cpu: Cpu) -> None:
        if await refs.put(cpu):
            if release == "queue":
                await cleanup.queue(cpu, clean)
            else:
                await clean_up(cpu)

    async def clean_up(cpu: Cpu) -> None:
        await faults.flush(cpu)
        released.append(cpu.name)

    fault, clean = WorkStruct("fault", put), WorkStruct("clean", clean_up)

    @world.actor
    async def unbind(cpu: Cpu) -> None:
        await put(cpu)

    @world.actor
    async def irq(cpu: Cpu) -> None:
        await faults.queue(cpu, fault)

    world.eventually("released once", lambda: None if len(released) == 1 else f"released {len(released)} times")
