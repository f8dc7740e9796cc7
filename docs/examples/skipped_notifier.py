"""An mmu notifier skips the invalidation because nobody is bound: true when it looked, and too early."""

from stopmarker import Cpu, World, one_of, scenario


@scenario(bind=one_of("walk-first", "count-first", default="walk-first", meaning="what bind does first"))
def skipped_notifier(world: World, bind: str) -> None:
    """Bind counts itself and lets the device walk; an unmap invalidates only if somebody is counted."""
    users, pte, tlb = world.word("users"), world.word("pte", 1), world.word("tlb")
    read, write = world.memory.read, world.memory.write

    async def walk(cpu: Cpu) -> None:
        await cpu.atomically("the device walks", lambda: write(tlb, read(pte)), reads=[pte], writes=[tlb])

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
        if await cpu.load(users, "users"):
            await cpu.store(tlb, 0, "tlb")

    world.eventually("no stale entry", lambda: "the page is gone, the device still maps it" if read(tlb) else None)
