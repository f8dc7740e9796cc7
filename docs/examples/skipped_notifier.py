"""An mmu notifier skips the invalidation because nobody is bound: true when it looked, and too early."""

from stopmarker import Cpu, World, one_of, scenario


@scenario(
    bind=one_of("walk-first", "count-first", default="walk-first", meaning="what bind does first"),
    barrier=one_of("mb", "none", default="mb", meaning="between the store of the pte and the look at the count"),
)
def skipped_notifier(world: World, bind: str, barrier: str) -> None:
    """Bind counts itself and lets the device walk; an unmap invalidates only if somebody is counted."""
    users, pte, tlb = world.word("users"), world.word("pte", 1), [0]

    async def walk(cpu: Cpu) -> None:
        tlb[0] = await cpu.atomically("the device walks", lambda: world.memory.read(pte), reads=[pte], writes=["tlb"])

    @world.actor
    async def binder(cpu: Cpu) -> None:
        if bind == "walk-first":
            await walk(cpu)
        await cpu.rmw(users, lambda count: count + 1, "users")
        if bind == "count-first":
            await walk(cpu)

    @world.actor
    async def notifier(cpu: Cpu) -> None:
        await cpu.store(pte, 0, "pte")
        if barrier == "mb":
            await cpu.mb()
        if await cpu.load(users, "users"):
            await cpu.access("invalidate", writes=["tlb"])
            tlb[0] = 0

    world.eventually("no stale entry", lambda: "the page is gone, the device still maps it" if tlb[0] else None)
