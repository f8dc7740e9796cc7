"""The code of one world: functions of C that are called now, or are actors."""

from __future__ import annotations

import ctypes
from bisect import bisect_right
from collections.abc import Callable, Coroutine, Generator, Sequence
from functools import partial
from typing import Any

import numpy as np

from actors.runtime.kernel.completion import Completion
from actors.runtime.primitives.audit import FootprintError
from actors.runtime.primitives.events import Note
from actors.runtime.primitives.memory_models.cpu import WeakCpu
from actors.runtime.primitives.step import MisuseError, Step, operation
from actors.runtime.world import SC, Cpu, World
from hw.bus import PhysAddr
from hw.memory import FRAME_BYTES, KERNEL, WORD_BYTES, Memory

from .announcing import CALL, DONE, FAULT, OTHER, Announcements, text_at
from .errors import CompileError
from .image import ARENA, DMA, HEAP, MOST_DMA, SLOTS, STACK, STACKS, THREADS, Image, control, thread
from .weak import CAccesses, Cells, is_primitive

Main = Callable[[Cpu], Coroutine[Any, Any, None]]
_MOST_ARGUMENTS = 6


class Code:
    """The code of one world; its functions can be called, or be actors."""

    def __init__(self, world: World, image: Image) -> None:
        self._world = world
        self._image = image
        self._entered = image.entered
        self._steps = world.session.lend(Announcements, str(image.path))
        self._steps.is_weak = world.memory_model != SC
        self._cells = Cells()
        self._threads = 0
        self._exports: dict[str, Callable[..., Coroutine[Any, Any, int | None]]] = {}
        self._returns: dict[str, int] = {}
        self._ends: dict[str, Completion] = {}
        """Of the actors that others come after."""
        self._notes: dict[int, Note] = {}
        self.resume = image.resume
        self.known = self._steps.known.get
        world.parts.append(self.state)
        world.at_end(self._forget)

    def _forget(self) -> None:
        """The run is over: let go of its world, which knows this code."""
        self._exports.clear()
        self._ends.clear()
        del self._world

    def __reduce_ex__(self, protocol: Any) -> tuple[Any, ...]:
        """For those who compare states: what can change of it is in `state`."""
        return Code, ()

    def call(self, name: str, *arguments: int) -> int:
        """Call a function now, as no step: before the race begins, or from a property; what it returns.

        CFault if it does what it must not, or would have to wait; MisuseError while the race goes on.
        """
        self._refuse_race(f"call {name}")
        self._called_now(name, self._image.address(name), arguments)
        result = self._steps.places.result(name)
        if result is None:
            return 0
        size, is_signed = result
        return int.from_bytes(
            (thread(THREADS).result & (1 << 8 * size) - 1).to_bytes(size, "little"), "little", signed=is_signed
        )

    def begin_with(self, constructor: int) -> None:
        """Call a function that comes before any other; CFault if it does what it must not."""
        self._called_now("a constructor", constructor, (0, 0, 0))

    def _called_now(self, name: str, address: int, arguments: Sequence[int]) -> None:
        self._prepare(THREADS, name, arguments)
        key = self._image.call(address)
        while key == CALL and (number := self._returned()) is not None:
            thread(THREADS).result = number
            key = self.resume(THREADS)
        if key in (FAULT, CALL):
            raise self._steps.fault(THREADS)

    def _returned(self) -> int | None:
        """What the function that is called and that no file defines returns, if that has been said."""
        return self._returns.get(text_at(self._image.stop.address))

    def _refuse_race(self, what: str) -> None:
        """MisuseError while the race goes on: what is looked at then, no step declares."""
        world: World | None = getattr(self, "_world", None)  # nobody has it once the run is over
        if world is not None and world.is_racing:
            raise MisuseError(
                f"{what} while the race goes on: no step says so, and searches would miss what it decides. Do it "
                "before the race or in a property of the world at rest (`world.eventually`), or have C take a note"
            )

    def has(self, name: str) -> bool:
        """Whether the C files define a function or a variable of that name."""
        return self._image.has(name)

    def value(self, name: str) -> int:
        """What a variable holds now, as a number without a sign; MisuseError while the race goes on."""
        self._refuse_race(f"look at {name}")
        address, size = self._image.address(name), self._steps.places.size(name)
        return int.from_bytes(ctypes.string_at(address, size), "little")

    def address(self, name: str) -> int:
        """Where a variable or a function is: to be an argument."""
        return self._image.address(name)

    def attach(self, pool: int = 0) -> None:
        """Have C see the world's memory, with what devices and IOMMU read and write; `pool` frames of it are what
        dma_alloc_coherent hands out. CompileError if there is too much of it.
        """
        world, memory = self._world, self._world.memory
        size = memory.frames * FRAME_BYTES
        if size > MOST_DMA:
            raise CompileError(f"attach memory of {size:,} bytes: at most {MOST_DMA:,} are possible")
        shared = control()
        if pool:
            first = world.frames.allocate_run(KERNEL, pool)
            shared.pool, shared.pool_end = DMA + first, DMA + first + pool * FRAME_BYTES
        shown: Any = (ctypes.c_uint64 * (size // WORD_BYTES)).from_address(DMA)
        memory.move(np.frombuffer(shown, dtype=np.uint64))
        world.at_end(partial(_take_back, memory))
        shared.dma = size

    def pointer(self, address: PhysAddr, name: str = "", size: int = WORD_BYTES) -> int:
        """What C knows an address of the world's memory as; steps that touch `size` bytes there call it `name`."""
        if name:
            self._steps.labels.append((DMA + address, size, name))
        return DMA + address

    def export(self, name: str, function: Callable[..., Coroutine[Any, Any, int | None]]) -> None:
        """Have C find a function of that name which is Python's: an `async def` of the actor's cpu and of numbers.

        Its steps are steps of the actor that calls it; what it returns is what C gets.
        """
        self._exports[name] = function

    def returns(self, name: str, number: int = 0) -> None:
        """Have C find a function of that name, which no file defines, that only returns a number; it is no step."""
        self._returns[name] = number & (1 << 64) - 1

    def thread(self, name: str, *arguments: int, after: Sequence[str] = ()) -> Main:
        """An actor's main function that is the C function `name`.

        It begins when the actors in C named in `after` have ended: what its callers promise, such as that no reports
        come any more when a device is removed.
        """
        self._image.address(name)
        main = self._main(name, arguments)
        if not after:
            return main
        ends = [self._ends.setdefault(each, Completion(self._world, f"end of {each}")) for each in after]

        async def later(cpu: Cpu) -> None:
            for end in ends:
                await end.wait(cpu)
            await main(cpu)

        return later

    def interrupt(self, number: int) -> Main:
        """An actor's main function that is one interrupt: the handler that C has requested for it, and its thread."""
        return self._main("c_interrupt", (number,))

    def worker(self, name: str) -> Main:
        """The one worker of a work queue, an actor for `daemon=True`; `name` is what it was allocated as.

        CompileError if set-up has allocated none of that name.
        """
        text = ctypes.create_string_buffer(name.encode())
        queue = self._image.function("c_queue", 1)(ctypes.addressof(text))
        if not queue:
            raise CompileError(
                f"serve work queue {name}: no alloc_workqueue of that name was called before, or it has a worker "
                "already"
            )
        return self._main("c_worker", (queue,))

    def _main(self, name: str, arguments: Sequence[int]) -> Main:
        number = self._threads
        self._threads += 1
        if number >= THREADS:
            raise CompileError(f"thread {name}: a world has at most {THREADS} threads of C")

        async def main(cpu: Cpu) -> None:
            if self._image.entered != self._entered:
                raise MisuseError(f"run {name}: another world with the same C was made after this one")
            self._steps.names[number] = cpu.name
            self._prepare(number, name, arguments)
            self._image.begin(number, self._image.address(name))
            self._image.own_signal_stack()
            if isinstance(cpu, WeakCpu):
                await self._run_weak(number, cpu)
            else:
                await (self._run_audited(number, cpu) if self._world.session.audit else self._run(number, cpu))
            if cpu.name in self._ends:
                await self._ends[cpu.name].complete_all(cpu)

        return main

    def _prepare(self, number: int, name: str, arguments: Sequence[int]) -> None:
        if len(arguments) > _MOST_ARGUMENTS:
            raise CompileError(f"call {name}: {len(arguments)} arguments, allowed are {_MOST_ARGUMENTS}")
        for place, argument in enumerate(arguments):
            thread(number).argument[place] = argument & (1 << 64) - 1

    @operation
    def _run(self, number: int, cpu: Cpu) -> Generator[Step, int, None]:
        while True:
            key = self.resume(number)
            step = self.known(key)
            if step is None:
                if key == DONE:
                    return
                if key == FAULT:
                    raise self._steps.fault(number)
                if key == CALL:
                    yield from self._called(number, cpu)
                    continue
                step = self._steps.step(number, key)
                self._say(number)
            yield step
            if key == OTHER and number in self._notes:
                self._world.emit(self._notes.pop(number))

    @operation
    def _run_weak(self, number: int, cpu: WeakCpu) -> Generator[Step, int, None]:
        """The same on memory that is not sequentially consistent."""
        accesses, stop = CAccesses(cpu, self._cells), self._image.stop
        key = self.resume(number)
        while key != DONE:
            accesses.barriers()
            if key == FAULT:
                raise self._steps.fault(number)
            if key == CALL:
                yield from self._called(number, cpu)
                key = self.resume(number)
            elif stop.verb is None and not is_primitive(stop):
                made = accesses.announced(stop, *self._steps.accessed())
                outcome = yield made.step
                place = accesses.begins(made, outcome)
                key = self.resume(number)
                accesses.ends(made, place, outcome)
            else:
                behind = accesses.behind(stop)
                step = self._steps.step(number, key)
                self._say(number)
                yield step
                if number in self._notes:
                    self._world.emit(self._notes.pop(number))
                behind()
                key = self.resume(number)

    @operation
    def _run_audited(self, number: int, cpu: Cpu) -> Generator[Step, int, None]:
        """The same, with a look at all memory after each step: what changed must have been declared."""
        run: Any = self._run(number, cpu)
        try:
            step = run.send(None)
        except StopIteration:  # a function that takes no step
            return
        while True:
            outcome = yield step
            before, taken = self._image.memory(), step
            try:
                step = run.send(outcome)
            except StopIteration:
                return
            finally:
                self._compare(taken, before)

    def _compare(self, step: Step, before: list[tuple[int, bytes]]) -> None:
        """FootprintError if memory that the step did not declare is another now."""
        for start, held in before:
            now = ctypes.string_at(start, len(held))
            if now == held:
                continue
            for place in np.flatnonzero(np.frombuffer(held, np.uint8) != np.frombuffer(now, np.uint8)).tolist():
                if not step.writes & self._steps.words(start + place, 1):
                    name = self._steps.name_of(start + place)
                    raise FootprintError(f"step `{step.what}` writes {name}, which it does not declare")

    def _called(self, caller: int, cpu: Cpu) -> Any:
        """The steps of a function of Python's that C calls; the fault that nobody defines it otherwise."""
        number = self._returned()
        if number is not None:
            thread(caller).result = number
            return
        function = self._exports.get(text_at(self._image.stop.address))
        if function is None:
            raise self._steps.fault(caller)
        wanted: Any = function
        count = wanted.__code__.co_argcount - 1
        given = [int(argument) for argument in thread(caller).argument[:count]]
        thread(caller).result = ((yield from function(cpu, *given).__await__()) or 0) & (1 << 64) - 1

    def _say(self, number: int) -> None:
        """Keep what a thread wants to have recorded until it is."""
        stop = self._image.stop
        if stop.verb == b"note":
            self._notes[number] = Note(subject=text_at(stop.address), value=ctypes.c_int64(stop.value).value)

    def objects(self) -> int:
        """How many objects are allocated and not freed; MisuseError while the race goes on."""
        self._refuse_race("count objects")
        return len(self._image.live_objects())

    def leaks(self) -> str | None:
        """What was allocated, not freed, and cannot be reached from the statics any more; None if there is nothing.

        A property of the world at rest: `world.eventually("nothing leaks", code.leaks)`.
        """
        self._refuse_race("look for what leaks")
        live = self._image.live_objects()
        starts, reached = [start for start, _, _ in live], set[int]()
        areas = [*self._image.users, self._image.queues] if live else []
        while areas:
            for pointer in self._image.pointers(*areas.pop()):
                place = bisect_right(starts, pointer) - 1
                if place >= 0 and place not in reached and pointer < starts[place] + max(live[place][1], 1):
                    reached.add(place)
                    areas.append(live[place][:2])
        lost = [
            self._steps.name(start, start, made) for place, (start, _, made) in enumerate(live) if place not in reached
        ]
        return f"nobody can reach {', '.join(lost)} any more" if lost else None

    def state(self, is_whole: bool) -> bytes | None:
        """All memory of C that can change; None if it is another world's by now.

        A stack is its thread's own, and what dead registers have left on it no step decides: unless it is to be the
        whole, stacks are left out.
        """
        if self._image.entered != self._entered:
            return None
        used = self._image.used
        parts = [self._image.state()]
        parts += [ctypes.string_at(HEAP + number * ARENA, used[number]) for number in range(SLOTS) if used[number]]
        for number in range(self._threads if is_whole else 0):
            turn = thread(number)
            parts.append(ctypes.string_at(ctypes.addressof(turn), ctypes.sizeof(turn)))
            if turn.sp:
                parts.append(ctypes.string_at(turn.sp, STACKS + (number + 1) * STACK - turn.sp))
        return b"".join(parts)


def _take_back(memory: Memory) -> None:
    """The run is over: the memory has its words to itself again."""
    memory.move(np.empty_like(memory.array))
