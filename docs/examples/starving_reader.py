"""A seqcount reader begins again as long as writers come: nobody keeps it waiting, and yet it need not finish."""

from stopmarker import Count, Cpu, World, one_of, scenario


@scenario(reads=one_of("seqcount", "lock", default="seqcount", meaning="how the reader gets a copy that is whole"))
def starving_reader(world: World, reads: str) -> None:
    """Writers come for ever; does the reader finish under every fair schedule?"""
    sequence, lock = world.counter("sequence"), world.mutex("writers")
    first, second = world.word("first"), world.word("second")

    async def reader(cpu: Cpu) -> None:
        if reads == "lock":
            await cpu.lock(lock)
            await cpu.load(first, "first")
            await cpu.load(second, "second")
            await cpu.unlock(lock)
            return
        while True:
            before = Count(await cpu.poll(sequence, lambda value: value % 2 == 0, "sequence is even"), sequence)
            await cpu.load(first, "first")
            await cpu.load(second, "second")
            if await cpu.load(sequence, "sequence") == before:
                return

    async def writer(cpu: Cpu) -> None:
        while True:
            await cpu.lock(lock)
            await cpu.rmw(sequence, lambda value: value + 1, "sequence: begin")
            await cpu.store(first, 1, "first")
            await cpu.store(second, 1, "second")
            await cpu.rmw(sequence, lambda value: value + 1, "sequence: end")
            await cpu.unlock(lock)

    world.add_actor("reader", reader)
    world.add_actor("writer", writer, daemon=True)
    world.finishes("reader")
