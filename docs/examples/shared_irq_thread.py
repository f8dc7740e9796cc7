"""A driver silences its device and frees what its IRQ thread uses; a shared line wakes that thread all the same."""

from stopmarker import Cpu, World, one_of, scenario
from stopmarker.kernel import IrqAction, IrqLine, NoUseAfterFree, Object


@scenario(first=one_of("kfree", "free_irq", default="kfree", meaning="what the driver of A does first"))
def shared_irq_thread(world: World, first: str) -> None:
    """Devices A and B share a line; A is removed while B raises."""
    data, silent = Object("data of A"), world.word("silent")

    async def wakes(cpu: Cpu) -> bool:
        return True

    async def nothing(cpu: Cpu) -> bool:
        return False

    async def use(cpu: Cpu) -> None:
        await data.touch(cpu, "the thread of A looks at its queue")

    a = IrqAction("A", wakes, use)
    line = IrqLine(world, "line", a, IrqAction("B", nothing))

    @world.actor
    async def remove(cpu: Cpu) -> None:
        await cpu.store(silent, 1, "device A raises no more")
        await line.synchronize(cpu)
        if first == "kfree":
            await data.free(cpu)
        await line.free(cpu, a)
        if first == "free_irq":
            await data.free(cpu)

    world.add_actor("device B", line.raise_msi)
    world.check(NoUseAfterFree())
