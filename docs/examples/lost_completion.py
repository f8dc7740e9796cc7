"""Two tasks drain a queue and wait for one completion: what one forgets with reinit was the other's."""

from dataclasses import dataclass

from stopmarker import Cpu, World, one_of, scenario
from stopmarker.kernel import Completion


@dataclass(frozen=True)
class Drain:
    """Asks the handler to drain the queue."""


@scenario(completions=one_of("one", "locked", "own", default="one", meaning="how the drainers share a completion"))
def lost_completion(world: World, completions: str) -> None:
    """Unbind and reset drain at the same time."""
    asked, lock = world.port("drain", Drain), world.mutex("drain_lock")
    drained = [Completion(world, "drained"), Completion(world, "drained by reset")]

    async def drain(cpu: Cpu, mine: Completion) -> None:
        if completions == "locked":
            await cpu.lock(lock)
        await mine.reinit(cpu)
        await cpu.send(asked, Drain())
        await mine.wait(cpu)
        if completions == "locked":
            await cpu.unlock(lock)

    async def handler(cpu: Cpu) -> None:
        while True:
            await cpu.receive(asked)
            for each in drained if completions == "own" else drained[:1]:
                await each.complete(cpu)

    world.add_actor("unbind", lambda cpu: drain(cpu, drained[0]))
    world.add_actor("reset", lambda cpu: drain(cpu, drained[1 if completions == "own" else 0]))
    world.add_actor("handler", handler, daemon=True)
