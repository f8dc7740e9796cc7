"""Small worlds for tests of the tools: one of each ending, with events that have labels and arrows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from actors.runtime.primitives.sync import Lock
from actors.runtime.world import Cpu
from hw.bus import PhysAddr
from stopmarker import Violation, World, number, one_of, scenario


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """Something happened, perhaps to somebody else."""

    label: str
    target: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class LookedUp:
    """A request was looked up under an owner."""

    owner: str

    @property
    def label(self) -> str:
        return f"lookup P1 = mm {self.owner}"


class NoCross:
    """A request is looked up under the owner that it was issued under."""

    watches: ClassVar[tuple[type, ...]] = (LookedUp,)

    def observe(self, event: LookedUp) -> None:
        if event.owner == "B":
            raise Violation("request of mm A resolved against mm B", "P1")

    def at_quiescence(self) -> None:
        """Nothing is owed."""


@scenario(drain=one_of("none", "full", default="none", meaning="whether unbind waits for the queue"))
def unbinding(world: World, drain: str) -> None:
    """A request waits while its PASID is bound to another process."""
    bind = world.word("bind", value=1)
    link = world.port("link", Told)
    drained = world.port("drained", Told)
    world.check(NoCross())

    async def device(cpu: Cpu) -> None:
        message = Told(label="PPR P1 g7", target="smmu")
        await cpu.send(link, message)
        cpu.emit(message)

    world.add_actor("device", device, hardware=True)

    async def priq(cpu: Cpu) -> None:
        await cpu.receive(link)
        cpu.emit(Told(label="PRIQ[0]={P1 gen1 g7}"))
        owner = await cpu.load(bind, "CD[1]")
        cpu.emit(LookedUp(owner="-AB"[owner]))
        await cpu.send(drained, Told(label="done"))

    world.add_actor("smmu.priq", priq, hardware=True)

    @world.actor
    async def driver(cpu: Cpu) -> None:
        if drain == "full":
            await cpu.receive(drained)
        await cpu.store(bind, 2, "CD[1]")
        cpu.emit(Told(label="CD[1] = mm B", target="smmu.cmdq"))
        await cpu.access("free")
        cpu.emit(Told(label="free PASID 1 (gen1 -> gen2), a label too long for either side"))


@scenario(way=one_of("deadlock", "error", "stillborn", "bound", "quiet", default="quiet", meaning="how it ends"))
def ending(world: World, way: str) -> None:
    """Each way in which a run can end."""
    port = world.port("never", Told)
    world.step_bound = 12

    @world.actor
    async def first(cpu: Cpu) -> None:
        if way == "stillborn":
            raise ValueError("before any step")
        await cpu.note("begun")
        if way == "deadlock":
            await cpu.receive(port)
        if way == "error":
            raise ValueError("a bug\nin two lines")
        turns = 0
        while way == "bound":
            turns += 1  # so no state comes back: it is not known to be a livelock
            await cpu.access("spin")

    @world.actor
    async def second(cpu: Cpu) -> None:
        await cpu.note("also begun")
        if await cpu.choose("early retry", 3) == 2:
            await cpu.note("retried")


@scenario(reachable=number(0, 1, default=0, meaning="whether the witness can be reached"))
def vacuous(world: World, reachable: int) -> None:
    """A witness that nothing reaches."""
    world.sometimes("the queue is full", lambda note: note.subject == "full" and note.value == 1)

    @world.actor
    async def one(cpu: Cpu) -> None:
        await cpu.note("full", reachable)

    @world.actor
    async def two(cpu: Cpu) -> None:
        await cpu.note("other")


@scenario(lanes=number(1, 9, default=7, meaning="how many actors"))
def crowd(world: World, lanes: int) -> None:
    """More actors than a ladder has lanes."""

    def member(position: int) -> None:
        async def act(cpu: Cpu) -> None:
            await cpu.access("act")
            cpu.emit(Told(label=f"hello from {position}", target=None if position else "worker_3"))

        world.add_actor(f"worker_{position}", act)

    for position in range(lanes):
        member(position)


@scenario(n=number(1, 9, default=3, meaning="how many actors"))
def writers(world: World, n: int) -> None:
    """Everybody writes one word: n! inequivalent schedules of n steps."""
    word = world.word("word")

    def member(position: int) -> None:
        async def act(cpu: Cpu) -> None:
            await cpu.store(word, position)

        world.add_actor(f"writer_{position}", act)

    for position in range(n):
        member(position)


@scenario()
def lock_order(world: World) -> None:
    """Two locks, taken in two orders."""
    one, two = world.mutex("one"), world.mutex("two")

    @world.actor
    async def a(cpu: Cpu) -> None:
        await cpu.lock(one)
        await cpu.lock(two)
        await cpu.unlock(two)
        await cpu.unlock(one)

    @world.actor
    async def b(cpu: Cpu) -> None:
        await cpu.lock(two)
        await cpu.lock(one)
        await cpu.unlock(one)
        await cpu.unlock(two)


class Forgotten:
    """An oracle with a bug in what it does at the end."""

    watches: ClassVar[tuple[type, ...]] = ()

    def observe(self, event: object) -> None:
        """Nothing is watched."""

    def at_quiescence(self) -> None:
        """Fails, but not with a Violation."""
        raise KeyError("P1")


@scenario()
def broken_oracle(world: World) -> None:
    """The property itself is wrong."""
    world.check(Forgotten())

    @world.actor
    async def only(cpu: Cpu) -> None:
        await cpu.note("done")


@scenario(tries=number(0, 9, default=0, meaning="after how many tries each gives up; 0 for never"))
def polite(world: World, tries: int) -> None:
    """Two threads each take a lock, try the other one's, and step back if they do not get it."""
    locks = world.word("left"), world.word("right")

    async def try_lock(cpu: Cpu, word: PhysAddr, what: str) -> bool:
        return await cpu.rmw(word, lambda _: 1, f"try {what}") == 0

    def thread(name: str, mine: PhysAddr, other: PhysAddr) -> None:
        async def take_both(cpu: Cpu) -> None:
            tried = 0
            while not tries or tried < tries:
                tried += bool(tries)
                if await try_lock(cpu, mine, "mine"):
                    if await try_lock(cpu, other, "other"):
                        await cpu.store(other, 0, "other")
                        await cpu.store(mine, 0, "mine")
                        return
                    await cpu.store(mine, 0, "mine")

        world.add_actor(name, take_both)

    thread("a", *locks)
    thread("b", *reversed(locks))


@scenario()
def spinning(world: World) -> None:
    """Two actors take two locks in opposite orders, behind one that spins until a third lets it go."""
    world.step_bound = 8
    stop, x, y = world.word("stop"), world.mutex("x"), world.mutex("y")

    @world.actor
    async def spinner(cpu: Cpu) -> None:
        while not await cpu.load(stop, "stop"):
            pass

    @world.actor
    async def stopper(cpu: Cpu) -> None:
        await cpu.access("one")
        await cpu.access("two")
        await cpu.store(stop, 1, "stop")

    for name, locks in (("a", (x, y)), ("b", (y, x))):

        async def locker(cpu: Cpu, locks: tuple[Lock, Lock] = locks) -> None:
            for lock in locks:
                await cpu.lock(lock)
            for lock in reversed(locks):
                await cpu.unlock(lock)

        world.add_actor(name, locker)


@scenario()
def violated_and_busy(world: World) -> None:
    """A property breaks, and then the run never comes to an end."""
    world.step_bound = 20
    count = world.word("count")

    @world.actor
    async def only(cpu: Cpu) -> None:
        await cpu.note("bad")
        while True:
            await cpu.rmw(count, lambda value: value + 1, "count")

    world.always("never", lambda note: "it was noted")
