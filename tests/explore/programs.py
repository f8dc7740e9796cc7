"""Small random programs over everything that an actor can do, for comparing search with brute force."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from hypothesis import strategies as st

from actors.runtime.causality import Causality
from actors.runtime.execution import Execution
from actors.runtime.world import Cpu, Session, World

WORDS, PORTS, LOCKS, IRQS = 2, 2, 2, 1

Op = tuple[object, ...]
Program = tuple[tuple[Op, ...], ...]
"""The operations of each actor."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Number:
    """A message."""

    value: int


WORD = st.integers(0, WORDS - 1)
PORT = st.integers(0, PORTS - 1)
LOCK = st.integers(0, LOCKS - 1)
SIMPLE = st.one_of(
    st.tuples(st.just("load"), WORD),
    st.tuples(st.just("store"), WORD, st.integers(0, 2)),
    st.tuples(st.just("rmw"), WORD),
    st.tuples(st.just("fetch")),
    st.tuples(st.just("wait"), WORD, st.integers(0, 2)),
    st.tuples(st.just("poll"), WORD, st.integers(0, 2)),
    st.tuples(st.just("wait both"), st.integers(1, 2)),
    st.tuples(st.just("send"), PORT, st.integers(0, 2)),
    st.tuples(st.just("receive"), PORT),
    st.tuples(st.just("raise")),
    st.tuples(st.just("irq")),
    st.tuples(st.just("choose"), st.integers(2, 3)),
    st.tuples(st.just("queue"), st.integers(0, 2)),
    st.tuples(st.just("work")),
    st.tuples(st.just("flush")),
    st.tuples(st.just("post"), st.integers(0, 2)),
    st.tuples(st.just("take posted")),
    st.tuples(st.just("complete"), st.integers(0, 2)),
    st.tuples(st.just("take completion")),
    st.tuples(st.just("flush link")),
)
BODY = st.lists(SIMPLE, max_size=2).map(tuple)
OP = st.one_of(
    SIMPLE,
    SIMPLE,
    SIMPLE,
    st.tuples(st.just("locked"), LOCK, BODY),
    st.tuples(st.just("read locked"), BODY),
    st.tuples(st.just("write locked"), BODY),
    st.tuples(st.just("spawn"), BODY),
)
PROGRAMS = st.lists(st.lists(OP, min_size=1, max_size=4).map(tuple), min_size=2, max_size=4).map(tuple)


class Machine:
    """A program in a world; `state` is all that can be told of a run when it is over."""

    def __init__(self, program: Program, session: Session) -> None:
        self.world = world = World(session, frames=4)
        self.words = [world.word(f"w{n}", 1) for n in range(WORDS)]
        self.ports = [world.port(f"p{n}", Number) for n in range(PORTS)]
        self.locks = [world.mutex(f"l{n}") for n in range(LOCKS)]
        self.rwlock = world.rwlock("rw")
        self.irq = world.interrupt("irq")
        self.link = world.link("link", posted=(Number,), completion=(Number,))
        self.works = world.workqueue("wq", Number)
        self.seen: dict[str, list[int]] = {}
        self.children: dict[str, int] = {}
        for number, ops in enumerate(program):
            self._add(f"a{number}", ops)

    def _add(self, name: str, ops: Sequence[Op]) -> None:
        async def main(cpu: Cpu) -> None:
            self.seen[name] = []
            await self._run(cpu, ops)

        self.world.add_actor(name, main)

    async def _run(self, cpu: Cpu, ops: Sequence[Op]) -> None:
        for op in ops:
            await self._perform(cpu, op)

    async def _perform(self, cpu: Cpu, op: Op) -> None:
        seen = self.seen[cpu.name]
        read = self.world.memory.read
        match op:
            case ("load", int(n)):
                seen.append(await cpu.load(self.words[n]))
            case ("store", int(n), int(value)):
                await cpu.store(self.words[n], value)
            case ("fetch",):
                both = await cpu.load_apart(self.words[0], WORDS, [(0,), (1,)], "both")
                seen.append(both[0] * 8 + both[1])
            case ("rmw", int(n)):
                seen.append(await cpu.rmw(self.words[n], lambda word: (word + 1) % 4))
            case ("wait", int(n), int(value)):
                word = self.words[n]
                await cpu.wait("word", lambda: read(word) == value, reads=[("word", word)])
            case ("poll", int(n), int(value)):
                await cpu.poll(self.words[n], lambda found: found == value, "poll")
            case ("wait both", int(value)):
                words = self.words
                resources = [("word", word) for word in words]
                await cpu.wait("both", lambda: all(read(word) == value for word in words), reads=resources)
            case ("choose", int(options)):
                seen.append(await cpu.choose("choice", options))
            case _:
                await self._communicate(cpu, op)

    async def _communicate(self, cpu: Cpu, op: Op) -> None:
        seen = self.seen[cpu.name]
        match op:
            case ("send", int(n), int(value)):
                await cpu.send(self.ports[n], Number(value=value))
            case ("receive", int(n)):
                seen.append((await cpu.receive(self.ports[n])).value)
            case ("raise",):
                await cpu.access("raise", writes=[self.irq.resource])
                self.irq.raise_now()
            case ("irq",):
                await self.irq.take(cpu)
            case ("queue", int(value)):
                await self.works.queue(Number(value=value))
            case ("work",):
                number, work = await self.works.take(cpu)
                seen.append(work.value)
                await self.works.finish(number)
            case ("flush",):
                await self.works.flush(cpu)
            case _:
                await self._cross(cpu, op)

    async def _cross(self, cpu: Cpu, op: Op) -> None:
        """The ordering classes of a link. A link has one receiver of posted requests, so only one actor takes them."""
        match op:
            case ("post", int(value)):
                await self.link.send_posted(Number(value=value), "post")
            case ("take posted",):
                if cpu.name == "a0":
                    number = await self.link.receive_posted(cpu)
                    await self.link.deliver("deliver", writes=self.world.mask(("word", self.words[0])))
                    self.world.memory.write(self.words[0], number.value)
            case ("complete", int(value)):
                await self.link.send_ordered("completion", Number(value=value))
            case ("take completion",):
                self.seen[cpu.name].append((await self.link.receive_ordered(cpu, "completion")).value)
            case ("flush link",):
                await self.link.flush(cpu)
            case _:
                await self._nest(cpu, op)

    async def _nest(self, cpu: Cpu, op: Op) -> None:
        match op:
            case ("locked", int(n), tuple(body)):
                await cpu.lock(self.locks[n])
                await self._run(cpu, body)
                await cpu.unlock(self.locks[n])
            case ("read locked", tuple(body)):
                await self.rwlock.acquire_read(cpu)
                await self._run(cpu, body)
                await self.rwlock.release_read(cpu)
            case ("write locked", tuple(body)):
                await self.rwlock.acquire_write(cpu)
                await self._run(cpu, body)
                await self.rwlock.release_write(cpu)
            case ("spawn", tuple(body)):
                self.children[cpu.name] = self.children.get(cpu.name, 0) + 1
                name = f"{cpu.name}.{self.children[cpu.name]}"
                await cpu.spawn(name, lambda child: self._child(child, body))
            case _:
                raise TypeError(f"no such operation: {op}")

    async def _child(self, cpu: Cpu, ops: Sequence[Op]) -> None:
        self.seen[cpu.name] = []
        await self._run(cpu, ops)


def final_state(machine: Machine, execution: Execution) -> tuple[object, ...]:
    """Memory, what each actor saw, and who is stuck."""
    words = tuple(machine.world.memory.read(word) for word in machine.words)
    seen = tuple(sorted((name, tuple(values)) for name, values in machine.seen.items()))
    return words, seen, execution.finding.signature if execution.finding else ()


def trace(execution: Execution) -> frozenset[object]:
    """The run without the order of what is independent: each step with what it saw and its causes."""
    causality = Causality()
    names: list[tuple[str, int]] = []
    events = set()
    counts: dict[str, int] = {}
    for index, (actor, step) in enumerate(zip(execution.actors, execution.steps, strict=True)):
        causality.add(actor, step)
        name = execution.world.actors[actor].name
        counts[name] = counts.get(name, 0) + 1
        names.append((name, counts[name]))
        past = frozenset(names[n] for n in range(index) if causality.past[index] >> n & 1)
        events.add((names[-1], execution.outcomes[index], past))
    return frozenset(events)
