"""The race of `fault_queue.c` as a model: the same groups, worker and removal, without the lists that hold them."""

from __future__ import annotations

from dataclasses import dataclass

from actors.runtime.primitives.events import Note
from actors.runtime.world import Cpu, World
from drivers.kernel.memory.objects import Object
from scenarios.oracles.no_use_after_free import NoUseAfterFree
from scenarios.scenario import Expected, scenario

from .fault_queue import EXPECTED as IN_C
from .fault_queue import REMOVE

EXPECTED = tuple(
    Expected(params=row.params, verdict=row.verdict, oracle="no-use-after-free" if row.oracle else "", why=row.why)
    for row in IN_C
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """A group of faults that is complete."""

    pages: int


@scenario(source="scenarios/c/fault_queue.c, in Python", expected=EXPECTED, remove=REMOVE)
def fault_queue_model(world: World, *, remove: str) -> None:
    """Page faults are reported and handled while their device is removed: the model beside the C."""
    lock, queue, there = world.mutex("device"), world.workqueue("iopf_wq", Group), world.word("parameter", 1)
    parameter = Object("parameter")

    @world.actor
    async def irq(cpu: Cpu) -> None:
        partial = 0
        for is_last in (False, True):
            await cpu.lock(lock)
            if await cpu.load(there, "parameter"):
                partial += 1
                await parameter.touch(cpu, "look at the partial list")
                if is_last:
                    await queue.queue(Group(pages=partial))
            await cpu.unlock(lock)

    @world.daemon
    async def worker(cpu: Cpu) -> None:
        while True:
            number, group = await queue.take(cpu)
            await parameter.touch(cpu, "count what was handled")
            await cpu.note("pages handled", group.pages)
            await queue.finish(number)

    async def remover(cpu: Cpu) -> None:
        await cpu.lock(lock)
        await cpu.store(there, 0, "parameter")
        await cpu.unlock(lock)
        if remove == "drained":
            await queue.flush(cpu)
        await parameter.free(cpu)

    world.add_actor("remove", remover)
    world.check(NoUseAfterFree())
    world.sometimes("a group of two pages is handled", two_pages)


def two_pages(note: Note) -> bool:
    """Whether a note says that both pages of the group were handled together."""
    return note.subject == "pages handled" and note.value == 2
