"""A program as a world, made with nothing but the public face."""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass

from stopmarker import Cpu, Note, World

from .program import Body, Op, Program, Property

WORDS, BOXES, PORTS, LOCKS, LINES, LINKS = 3, 2, 2, 2, 2, 2
MODULUS = 4
"""Values of words stay below it."""

State = tuple[object, ...]
Operations = Callable[[Cpu, Op], Coroutine[None, None, None]]


@dataclass(frozen=True, slots=True)
class Number:
    """A message."""

    value: int


class Machine:
    """A program in a world; `state` is all that can be told of a run when it is over."""

    def __init__(self, program: Program, world: World) -> None:
        self._world = world
        self._read, self._write = world.memory.read, world.memory.write
        self._words = [world.word(f"w{n}") for n in range(WORDS)]
        self._boxes = [0] * BOXES
        self._ports = [world.port(f"p{n}", Number) for n in range(PORTS)]
        self._mutexes = [world.mutex(f"m{n}") for n in range(LOCKS)]
        self._spinlocks = [world.spinlock(f"s{n}") for n in range(LOCKS)]
        self._rwlock = world.rwsem("rw")
        self._lines = [world.interrupt(f"i{n}") for n in range(LINES)]
        kinds = {"posted": (Number,), "non_posted": (Number,), "completion": (Number,)}
        self._links = [world.link(f"k{n}", **kinds) for n in range(LINKS)]
        self._works = world.workqueue("wq", Number)
        self._seen: dict[str, list[int]] = {}
        self._children: dict[str, int] = {}
        self._notes: dict[str, list[tuple[str, int | str]]] = {}
        self._groups: dict[str, Operations] = {}
        for names, group in (
            ("load store put rmw both setboth fetch", self._memory),
            ("peek poke bump select glance pickone raise raiseif", self._access),
            ("wait waitboth waitany down downany idle irq", self._wait),
            ("poll pollnot spin pollsum", self._poll),
            ("waitlast downlast polllast spinlast waitsoon pollsoon sleep", self._time_out),
            ("send recv queue work flush", self._messages),
            ("post takeposted nonposted takenonposted complete takecompletion flushlink", self._cross),
            ("note noteseen emit", self._say),
            ("lock spinlock grab drop readlock writelock", self._hold),
            ("if loop choose pick spawn spawndaemon", self._steer),
        ):
            self._groups.update(dict.fromkeys(names.split(), group))
        for actor in program.actors:
            world.add_actor(actor.name, self._main(actor.body), actor.daemon)
        for number, wanted in enumerate(program.properties):
            self._state_property(f"{wanted.kind}-{number}", wanted)

    def state(self) -> State:
        """Memory, boxes, what each actor saw, and the notes of each subject in their order."""
        words = tuple(map(self._read, self._words))
        seen = tuple(sorted((name, tuple(values)) for name, values in self._seen.items()))
        notes = tuple(sorted((subject, tuple(values)) for subject, values in self._notes.items()))
        return words, tuple(self._boxes), seen, notes

    def _main(self, body: Body) -> Callable[[Cpu], Coroutine[None, None, None]]:
        async def main(cpu: Cpu) -> None:
            self._seen[cpu.name] = []
            await self._run(cpu, body)

        return main

    async def _run(self, cpu: Cpu, body: Sequence[Op]) -> None:
        for op in body:
            await self._groups[op.name](cpu, op)

    def _last(self, cpu: Cpu) -> int:
        """What the actor saw last, 0 at first."""
        seen = self._seen[cpu.name]
        return seen[-1] if seen else 0

    async def _memory(self, cpu: Cpu, op: Op) -> None:
        seen, words = self._seen[cpu.name], self._words
        match op.name, op.numbers:
            case "load", (n,):
                seen.append(await cpu.load(words[n]))
            case "store", (n, value):
                await cpu.store(words[n], value)
            case "put", (n,):
                await cpu.store(words[n], self._last(cpu) % MODULUS)
            case "rmw", (n,):
                seen.append(await cpu.rmw(words[n], lambda word: (word + 1) % MODULUS))
            case "both", ():
                first, second = await cpu.load_words(words[0], 2, "both")
                seen.append(first * MODULUS + second)
            case "setboth", (value, other):
                await cpu.store_words(words[0], (value, other), "both")
            case "fetch", ():
                first, second = await cpu.load_apart(words[0], 2, [(0,), (1,)], "pieces")
                seen.append(first * MODULUS + second)
            case _:
                raise TypeError(f"no such operation: {op}")

    async def _access(self, cpu: Cpu, op: Op) -> None:
        """Named state that is no memory word, and steps that come to touch less than they announced."""
        seen, read, words = self._seen[cpu.name], self._read, [("word", word) for word in self._words]
        match op.name, op.numbers:
            case "peek", (n,):
                await cpu.access("peek", reads=[("box", n)])
                seen.append(self._boxes[n])
            case "poke", (n, value):
                await cpu.access("poke", writes=[("box", n)])
                self._boxes[n] = value
            case "bump", (n,):
                await cpu.access("bump", reads=[("box", n)], writes=[("box", n)])
                seen.append(self._boxes[n])
                self._boxes[n] = (self._boxes[n] + 1) % MODULUS
            case "select", (value,):
                await cpu.access("select", reads=words[2:], writes=words[:2])
                n = read(self._words[2]) % 2
                self._write(self._words[n], value)
            case "glance", ():
                await cpu.access("glance", reads=words)
                n = read(self._words[2]) % 2
                seen.append(read(self._words[n]))
            case "pickone", ():
                n = await cpu.choose("pick one", 2, reads=words[:2])
                seen.append(read(self._words[n]))
            case "raise", (n,):
                await cpu.access("raise", writes=[self._lines[n].resource])
                self._lines[n].raise_now()
            case "raiseif", (n, word, value):
                await cpu.access("raise if", reads=[words[word]], writes=[self._lines[n].resource])
                if read(self._words[word]) == value:
                    self._lines[n].raise_now()
            case _:
                raise TypeError(f"no such operation: {op}")

    async def _wait(self, cpu: Cpu, op: Op) -> None:
        read, words = self._read, self._words
        two = [("word", word) for word in words[:2]]
        match op.name, op.numbers:
            case "wait" | "idle", (n, value):
                await cpu.wait(
                    "word", lambda: read(words[n]) == value, reads=[("word", words[n])], idle=op.name == "idle"
                )
            case "waitboth", (value,):
                await cpu.wait("both", lambda: read(words[0]) == value == read(words[1]), reads=two)
            case "waitany", (value,):
                await cpu.wait("any", lambda: value in (read(words[0]), read(words[1])), reads=two)
            case "down", (n,):
                await cpu.wait("down", lambda: read(words[n]) > 0, writes=[("word", words[n])])
                self._write(words[n], read(words[n]) - 1)
            case "downany", ():
                await cpu.wait("down any", lambda: read(words[0]) > 0 or read(words[1]) > 0, writes=two)
                n = 0 if read(words[0]) else 1
                self._write(words[n], read(words[n]) - 1)
            case "irq", (n,):
                await self._lines[n].take(cpu)
            case _:
                raise TypeError(f"no such operation: {op}")

    async def _poll(self, cpu: Cpu, op: Op) -> None:
        seen, words = self._seen[cpu.name], self._words
        match op.name, op.numbers:
            case "poll", (n, value):
                seen.append(await cpu.poll(words[n], lambda found: found == value, "poll"))
            case "pollnot", (n, value):
                seen.append(await cpu.poll(words[n], lambda found: found != value, "poll not"))
            case "spin", (n, value):
                seen.append(await cpu.poll(words[n], lambda found: found == value, "spin", sleeps=False))
            case "pollsum", (value,):
                found = await cpu.poll_words(words[:2], lambda a, b: a + b == value, "poll sum")
                seen.append(found[0])
            case _:
                raise TypeError(f"no such operation: {op}")

    async def _time_out(self, cpu: Cpu, op: Op) -> None:
        """Waits that end when nothing else can move, at any moment, or after some looks; they see whether they did."""
        seen, read, words = self._seen[cpu.name], self._read, self._words
        match op.name, op.numbers:
            case "sleep", ():
                await cpu.sleep()
            case "waitlast", (n, value):
                named = [("word", words[n])]
                seen.append(await cpu.wait_timeout("w", lambda: read(words[n]) == value, reads=named, time_out="last"))
            case "waitsoon", (n, value):
                named = [("word", words[n])]
                seen.append(await cpu.wait_timeout("w", lambda: read(words[n]) == value, reads=named))
            case "downlast", (n,):
                named = [("word", words[n])]
                seen.append(await cpu.wait_timeout("d", lambda: read(words[n]) > 0, writes=named, time_out="last"))
                if seen[-1]:
                    self._write(words[n], read(words[n]) - 1)
            case "polllast", (n, value):
                found = await cpu.poll_timeout(words[n], lambda found: found == value, "poll", time_out="last")
                seen.append(found is not None)
            case "spinlast", (n, value):
                found = await cpu.poll_timeout(
                    words[n], lambda found: found == value, "poll", time_out="last", sleeps=False
                )
                seen.append(found is not None)
            case "pollsoon", (n, value):
                found = await cpu.poll_timeout(words[n], lambda found: found == value, "poll", time_out=2)
                seen.append(found is not None)
            case _:
                raise TypeError(f"no such operation: {op}")

    async def _messages(self, cpu: Cpu, op: Op) -> None:
        seen = self._seen[cpu.name]
        match op.name, op.numbers:
            case "send", (n, value):
                await cpu.send(self._ports[n], Number(value))
            case "recv", (n,):
                seen.append((await cpu.receive(self._ports[n])).value)
            case "queue", (value,):
                await self._works.queue(Number(value))
            case "work", ():
                number, work = await self._works.take(cpu)
                seen.append(work.value)
                await self._run(cpu, op.bodies[0])
                await self._works.finish(number)
            case "flush", ():
                await self._works.flush(cpu)
            case _:
                raise TypeError(f"no such operation: {op}")

    async def _cross(self, cpu: Cpu, op: Op) -> None:
        """The ordering classes of a link. A posted request that arrives writes the word of the link's number."""
        seen, link = self._seen[cpu.name], self._links[op.numbers[0]]
        match op.name, op.numbers:
            case "post", (_, value):
                await link.send_posted(Number(value), "post")
            case "takeposted", (n,):
                number = await link.receive_posted(cpu)
                await self._run(cpu, op.bodies[0])
                await link.deliver("deliver", writes=self._world.mask(("word", self._words[n])))
                self._write(self._words[n], number.value)
            case "nonposted", (_, value):
                await link.send_ordered("non-posted", Number(value))
            case "takenonposted", (_,):
                seen.append((await link.receive_ordered(cpu, "non-posted")).value)
            case "complete", (_, value):
                await link.send_ordered("completion", Number(value))
            case "takecompletion", (_,):
                seen.append((await link.receive_ordered(cpu, "completion")).value)
            case "flushlink", (_,):
                await link.flush(cpu)
            case _:
                raise TypeError(f"no such operation: {op}")

    async def _say(self, cpu: Cpu, op: Op) -> None:
        subject = f"n{op.numbers[0]}"
        match op.name, op.numbers:
            case "note", (_, value):
                await cpu.note(subject, value)
            case "noteseen", (_,):
                await cpu.note(subject, value := self._last(cpu))
            case "emit", (_, value):
                await cpu.access("emit", writes=[("note", subject)])
                cpu.emit(Note(subject=subject, value=value))
            case _:
                raise TypeError(f"no such operation: {op}")
        self._notes.setdefault(subject, []).append((cpu.name, value))

    async def _hold(self, cpu: Cpu, op: Op) -> None:
        match op.name, op.numbers:
            case ("lock" | "spinlock") as kind, (n,):
                lock = self._mutexes[n] if kind == "lock" else self._spinlocks[n]
                await cpu.lock(lock)
                await self._run(cpu, op.bodies[0])
                await cpu.unlock(lock)
            case "grab", (n,):
                await cpu.lock(self._mutexes[n])
            case "drop", (n,):
                await cpu.unlock(self._mutexes[n])
            case "readlock", ():
                await self._rwlock.acquire_read(cpu)
                await self._run(cpu, op.bodies[0])
                await self._rwlock.release_read(cpu)
            case "writelock", ():
                await self._rwlock.acquire_write(cpu)
                await self._run(cpu, op.bodies[0])
                await self._rwlock.release_write(cpu)
            case _:
                raise TypeError(f"no such operation: {op}")

    async def _steer(self, cpu: Cpu, op: Op) -> None:
        seen = self._seen[cpu.name]
        match op.name, op.numbers:
            case "if", (value,):
                then, *otherwise = op.bodies
                await self._run(cpu, then if self._last(cpu) == value else otherwise[0] if otherwise else ())
            case "loop", (times,):
                for _ in range(times):
                    await self._run(cpu, op.bodies[0])
            case "choose", (options,):
                seen.append(await cpu.choose("choice", options))
            case "pick", (n,):
                outcome = await cpu.choose("pick", 2, reads=[("word", self._words[n])])
                seen.append(self._read(self._words[n]) if outcome else 0)
            case ("spawn" | "spawndaemon") as kind, ():
                child = self._children[cpu.name] = self._children.get(cpu.name, 0) + 1
                await cpu.spawn(f"{cpu.name}.{child}", self._main(op.bodies[0]), daemon=kind == "spawndaemon")
            case _:
                raise TypeError(f"no such operation: {op}")

    def _state_property(self, name: str, wanted: Property) -> None:
        world, (first, *others) = self._world, wanted.numbers
        subject = f"n{first}"
        match wanted.kind, others:
            case "always", (value,):
                world.always(name, lambda note: "bad" if (note.subject, note.value) == (subject, value) else None)
            case "rising", ():
                world.always(name, _rising(subject))
            case "rest", (value,):
                word = self._words[first]
                world.eventually(name, lambda: None if self._read(word) == value else "wrong at rest")
            case "seen", (value,):
                world.sometimes(name, lambda note: (note.subject, note.value) == (subject, value))
            case _:
                raise TypeError(f"no such property: {wanted}")


def _rising(subject: str) -> Callable[[Note], str | None]:
    """A property with a memory of its own: only the order of notes of one subject matters to it."""
    highest = 0

    def check(note: Note) -> str | None:
        nonlocal highest
        if note.subject != subject or not isinstance(note.value, int):
            return None
        fell, highest = note.value < highest, max(highest, note.value)
        return "fell" if fell else None

    return check
