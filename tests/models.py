"""Two small models with known numbers of interleavings: a page request that crosses an unbind (BASE and HARD).

Five actors, four queues, one word: exact counts of traces, of buggy traces and of schedules are published with them
(BASE 6/20/50 traces for k = 1, 2, 3; HARD 10/42/120), so they tell whether an engine is right.
"""

from __future__ import annotations

from dataclasses import dataclass

from actors.runtime.primitives.events import Note
from actors.runtime.primitives.step import Step, perform
from actors.runtime.world import Cpu, World
from scenarios.parameters import number, one_of
from scenarios.scenario import scenario


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """A page request, with the owner of the PASID when it was issued."""

    number: int
    issued_under: int


COMMAND = Request(number=0, issued_under=0)
"""What unbind tells the hardware; nobody reads it."""


@scenario(
    k=number(1, 4, default=2, meaning="page requests"),
    kind=one_of("base", "hard", default="base", meaning="HARD checks before it uses, and unbind takes eight steps"),
)
def pri_window(world: World, k: int, kind: str) -> None:
    """A page request issued under one owner of a PASID is looked up under the next."""
    bind = world.word("bind", value=1)
    ghost = world.mask(("word", bind))
    q0, hw, sw, rq, commands = [world.port(name, Request) for name in ("q0", "hw", "sw", "rq", "cmdq")]
    read = world.memory.read

    async def issue(request: int) -> None:
        step = Step("issue PPR", ghost, q0.tail)
        await perform(step)
        step.gives = q0.push(q0.codec.encode(Request(number=request, issued_under=read(bind))))

    @world.actor
    async def device(cpu: Cpu) -> None:
        for request in range(k):
            await issue(request)
        for _ in range(k):
            await cpu.receive(rq)

    @world.actor
    async def smmu(cpu: Cpu) -> None:
        for _ in range(k):
            await cpu.send(hw, await cpu.receive(q0))

    @world.actor
    async def pri_thread(cpu: Cpu) -> None:
        for _ in range(k):
            await cpu.send(sw, await cpu.receive(hw))

    @world.actor
    async def worker(cpu: Cpu) -> None:
        for _ in range(k):
            request = await cpu.receive(sw)
            checked = await cpu.load(bind, "bind") if kind == "hard" else request.issued_under
            # In the same step it may say that the unbind was crossed, which is what the property looks at.
            await cpu.access("load bind", reads=[("word", bind)], writes=[("note", "cross")])
            used = read(bind)
            if request.issued_under == checked == 1 and used == 2:
                cpu.emit(Note(subject="cross", value=request.number))
            await cpu.send(rq, request)

    @world.actor
    async def unbind(cpu: Cpu) -> None:
        await cpu.store(bind, 0, "bind")
        for _ in range(6 if kind == "hard" else 0):
            await cpu.send(commands, COMMAND)
        await cpu.store(bind, 2, "bind")

    world.always("looked up under the owner it was issued under", cross)


def cross(note: Note) -> str:
    """Any note is the bug: issued under A (1), used under B (2)."""
    return f"request {note.value} crossed the unbind"
