"""Interrupts (include/linux/interrupt.h): MSIs in flight, hard handlers on a line that may be shared, and threads."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Generator
from functools import partial
from typing import ClassVar

from ..primitives.ordering import Made
from ..primitives.processor import Processor
from ..primitives.step import BrokenRule, Step, operation
from ..world import Cpu, Main, World
from .primitive import Primitive

HardHandler = Callable[[Cpu], Awaitable[bool]]
"""Runs in hard interrupt context, where nothing may sleep; True wakes the thread (IRQ_WAKE_THREAD)."""


class IrqAction:
    """struct irqaction: one handler on a line, and perhaps its thread; it belongs to one line of one world."""

    def __init__(self, name: str, handler: HardHandler, thread: Main | None = None) -> None:
        self.name = name
        self.handler = handler
        self.thread = thread
        self.is_woken = False
        """IRQTF_RUNTHREAD: the thread is to run."""
        self.is_running = False
        self.is_stopping = False
        self.has_ended = thread is None

    def has_to_go(self) -> bool:
        """Whether its thread has something to do."""
        return self.is_woken or self.is_stopping

    def is_idle(self) -> bool:
        """Whether its thread neither runs nor is to run."""
        return not (self.is_woken or self.is_running)


class IrqLine(Primitive):
    """An interrupt whose message is in flight after it was raised, until it arrives in a step of its own.

    What arrives while the line is disabled or handled is latched, once. The handlers run in an actor called `NAME irq`,
    one after the other, each thread in one called `irq/NAME-ACTION`. IRQF_ONESHOT is not modelled: the line is not
    masked while a thread runs.

    `on` is the processor on which handlers run: they interrupt the threads that share it, unless these have interrupts
    off, and return before these go on. Without it nobody is interrupted.
    """

    space: ClassVar[str] = "irq line"

    def __init__(self, world: World, name: str, *actions: IrqAction, on: Processor | None = None) -> None:
        super().__init__(world, name)
        self._on = on
        self._line = self._mask("line")
        self._tail = self._mask("raised")
        self._raised: list[int] = []
        """What each message gave that is in flight."""
        self._sent = 0
        self._is_pending = False
        self._in_progress = False
        self._depth = 0
        self._actions = list(actions)
        world.add_actor(f"{self.name} msi", self._arrive, daemon=True)
        world.add_handler(f"{self.name} irq", self._handle, on)
        for action in actions:
            if action.thread is not None:
                world.add_actor(self._thread_name(action), partial(self._thread, action), daemon=True)

    def state(self) -> tuple[object, ...]:
        """What is in flight, what is latched, and what runs."""
        line = (self.name, len(self._raised), self._is_pending, self._in_progress, self._depth)
        return *line, *((action.name, action.is_woken, action.is_running) for action in self._actions)

    @operation
    def raise_msi(self, cpu: Cpu) -> Generator[Step, int, None]:
        """The device's step: its message is on the way, and nobody can tell before it arrives."""
        what = f"MSI {self.name}"
        cpu.acts(what)
        yield Step(what, writes=self._tail)
        self._sent += 1
        gives = self._mask("raised", self._sent)
        self._session.became(gives=gives)
        self._raised.append(gives)

    async def request(self, cpu: Cpu, action: IrqAction) -> None:
        """request_threaded_irq(): a step that adds a handler to the line, behind one that starts its thread."""
        if action.thread is not None:
            await cpu.spawn(self._thread_name(action), partial(self._thread, action), daemon=True)
        await self._change(cpu, f"request_irq {self.name} {action.name}")
        self._actions.append(action)

    async def synchronize(self, cpu: Cpu) -> None:
        """synchronize_irq(): two steps, offered when no hard handler is in progress, and when no thread is to run or
        runs. What is still in flight is not waited for. It may sleep."""
        what = f"synchronize_irq {self.name}"
        cpu.might_sleep(what)
        await self._no_handler(what)
        await self._no_thread(what)

    async def disable_nosync(self, cpu: Cpu) -> None:
        """disable_irq_nosync(): one step; no handler begins before `enable` was called as often."""
        await self._change(cpu, f"disable_irq {self.name}")
        self._depth += 1

    async def disable(self, cpu: Cpu) -> None:
        """disable_irq(): `disable_nosync`, then `synchronize`."""
        cpu.might_sleep(f"disable_irq {self.name}")
        await self.disable_nosync(cpu)
        await self.synchronize(cpu)

    async def enable(self, cpu: Cpu) -> None:
        """enable_irq(): one step; what was latched meanwhile is handled now. BrokenRule if it is not disabled."""
        await self._change(cpu, f"enable_irq {self.name}")
        if not self._depth:
            cpu.refuse(BrokenRule(f"{cpu.name} enables irq {self.name}, which is not disabled"))
        self._depth -= 1

    async def free(self, cpu: Cpu, action: IrqAction) -> None:
        """free_irq(): a step that takes the handler off the line; then it waits for handlers in progress, and for the
        thread, which runs once more if it was woken, to end. It may sleep. BrokenRule if the line has no such handler.
        """
        what = f"free_irq {self.name} {action.name}"
        cpu.might_sleep(what)
        await self._change(cpu, what)
        if action not in self._actions:
            cpu.refuse(BrokenRule(f"{cpu.name} frees {action.name}, which is not on irq {self.name}"))
        self._actions.remove(action)
        await self._no_handler(what)
        if action.thread is not None:
            await self._stop(action, what)

    @operation
    def _change(self, cpu: Cpu, what: str) -> Generator[Step, int, None]:
        cpu.acts(what)
        yield Step(what, writes=self._line)
        self._session.made_of(Made.LOCKED)

    @operation
    def _no_handler(self, what: str) -> Generator[Step, int, None]:
        yield Step(f"{what}: handlers", self._line, ready=self._is_quiet, blocked=self._blocked)
        self._session.made_of(Made.LOCKED)

    @operation
    def _no_thread(self, what: str) -> Generator[Step, int, None]:
        actions = tuple(action for action in self._actions if action.thread is not None)
        mask = 0
        for action in actions:
            mask |= self._of(action)
        if mask:
            threads = ", ".join(self._thread_name(action) for action in actions)
            yield Step(f"{what}: threads", mask, ready=partial(_are_idle, actions), blocked=lambda: threads)
            self._session.made_of(Made.LOCKED)

    @operation
    def _stop(self, action: IrqAction, what: str) -> Generator[Step, int, None]:
        """kthread_stop()."""
        of = self._of(action)
        yield Step(f"{what}: stop its thread", writes=of)
        self._session.made_of(Made.LOCKED)
        action.is_stopping = True
        thread = self._thread_name(action)
        yield Step(f"{what}: thread", of, ready=lambda: action.has_ended, blocked=lambda: f"the end of {thread}")
        self._session.made_of(Made.LOCKED)

    async def _arrive(self, cpu: Cpu) -> None:
        while True:
            await self._arrival()

    @operation
    def _arrival(self) -> Generator[Step, int, None]:
        head = self._mask("arrived")
        yield Step(
            f"MSI {self.name} arrives",
            writes=self._line | head,
            ready=self._is_in_flight,
            blocked=lambda: f"an MSI of {self.name}",
            idle=True,
            wakes=self._tail | head,
        )
        self._session.became(takes=self._raised.pop(0))
        self._is_pending = True

    async def _handle(self, cpu: Cpu) -> None:
        context = f"handles irq {self.name}"
        while True:
            actions = await self._begin(cpu)
            cpu.spinning.append(context)
            for number, action in enumerate(actions):
                if number:
                    await self._look(action)
                if action in self._actions or not number:
                    wakes = await action.handler(cpu)
                    cpu.returns(f"handler {action.name}")
                    if wakes and action.thread is not None:
                        await self._wake(action)
            cpu.spinning.remove(context)
            await self._end()

    @operation
    def _begin(self, cpu: Cpu) -> Generator[Step, int, tuple[IrqAction, ...]]:
        on, claims, restored = self._on, 0, 0
        if on is not None:
            claims, restored = on.claim, on.restored
        yield Step(
            f"handle irq {self.name}",
            writes=self._line | claims,
            takes=restored,
            ready=self._can_begin,
            blocked=lambda: f"an interrupt of {self.name}",
            idle=True,
            wakes=self._line | claims | restored,
        )
        self._session.made_of(Made.LOCKED)
        self._is_pending = False
        self._in_progress = True
        if on is not None:
            on.begins(cpu)
        return tuple(self._actions)

    @operation
    def _look(self, action: IrqAction) -> Generator[Step, int, None]:
        yield Step(f"irq {self.name}: next is {action.name}", self._line)

    @operation
    def _end(self) -> Generator[Step, int, None]:
        on = self._on
        yield Step(f"irq {self.name} handled", writes=self._line, gives=0 if on is None else on.restored)
        self._session.made_of(Made.LOCKED)
        self._in_progress = False
        if on is not None:
            on.ends()

    @operation
    def _wake(self, action: IrqAction) -> Generator[Step, int, None]:
        yield Step(f"wake {self._thread_name(action)}", writes=self._of(action))
        self._session.made_of(Made.LOCKED)
        action.is_woken = True

    async def _thread(self, action: IrqAction, cpu: Cpu) -> None:
        assert action.thread is not None
        while await self._has_to_run(action):
            await action.thread(cpu)
            cpu.returns(f"the thread of {action.name}")
            await self._has_run(action)

    @operation
    def _has_to_run(self, action: IrqAction) -> Generator[Step, int, bool]:
        thread = self._thread_name(action)
        yield Step(
            f"{thread} wakes",
            writes=self._of(action),
            ready=action.has_to_go,
            blocked=lambda: f"a wake-up of {thread}",
            idle=True,
        )
        self._session.made_of(Made.LOCKED)
        action.is_running, action.is_woken = action.is_woken, False
        action.has_ended = not action.is_running
        return action.is_running

    @operation
    def _has_run(self, action: IrqAction) -> Generator[Step, int, None]:
        yield Step(f"{self._thread_name(action)} done", writes=self._of(action))
        self._session.made_of(Made.LOCKED)
        action.is_running = False

    def _of(self, action: IrqAction) -> int:
        return self._mask("thread", action.name)

    def _thread_name(self, action: IrqAction) -> str:
        return f"irq/{self.name}-{action.name}"

    def _is_in_flight(self) -> bool:
        return bool(self._raised)

    def _can_begin(self) -> bool:
        can = self._on is None or self._on.can_interrupt()
        return can and self._is_pending and not self._depth and bool(self._actions)

    def _is_quiet(self) -> bool:
        return not self._in_progress

    def _blocked(self) -> str:
        return f"the handlers of irq {self.name}"


def _are_idle(actions: tuple[IrqAction, ...]) -> bool:
    return all(action.is_idle() for action in actions)
