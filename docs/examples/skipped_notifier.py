"""An mmu notifier skips the invalidation because nobody is bound: true when it looked, and too early."""

from stopmarker import Cpu, World, one_of, scenario


@scenario(
    bind=one_of("start-first", "count-first", default="start-first", meaning="what bind does first"),
    barrier=one_of("mb", "none", default="mb", meaning="between the store of the pte and the look at the count"),
)
def skipped_notifier(world: World, bind: str, barrier: str) -> None:
    """Bind counts itself and starts the device; an unmap invalidates only if somebody is counted."""
    users, pte, start = world.word("users"), world.word("pte", 1), world.word("start")
    tlb, walk = [0], world.spinlock("walk")

    async def device(cpu: Cpu) -> None:
        await cpu.poll(start, bool, "start", idle=True)
        await cpu.lock(walk)
        tlb[0] = await cpu.load(pte)
        await cpu.unlock(walk)

    @world.actor
    async def binder(cpu: Cpu) -> None:
        if bind == "start-first":
            await cpu.store(start, 1)
        await cpu.rmw(users, lambda count: count + 1)
        if bind == "count-first":
            await cpu.store(start, 1)

    @world.actor
    async def notifier(cpu: Cpu) -> None:
        await cpu.store(pte, 0)
        if barrier == "mb":
            await cpu.mb()
        if await cpu.load(users):
            await cpu.lock(walk)  # an invalidation waits for walks that have begun
            tlb[0] = 0
            await cpu.unlock(walk)

    world.add_actor("device", device, daemon=True, hardware=True)
    world.eventually("no stale entry", lambda: "the page is gone, the device still maps it" if tlb[0] else None)
