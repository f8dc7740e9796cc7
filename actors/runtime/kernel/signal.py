"""Signals (include/linux/sched/signal.h): one that is fatal ends the killable waits of its task."""

from __future__ import annotations

from collections.abc import Generator
from typing import ClassVar

from ..primitives.step import Step, operation
from ..world import Cpu, World
from .primitive import Primitive


class FatalSignal(Primitive):
    """SIGKILL to one task, which has it from the moment when somebody sends it until it ends.

    It is given to the waits of that task that can be killed: `lock.acquire_killable(cpu, signal)`,
    `rwsem.acquire_read_killable`, `rwsem.acquire_write_killable`, `completion.wait_killable`,
    `queue.wait_event_killable`.
    """

    space: ClassVar[str] = "signal"

    def __init__(self, world: World, name: str = "SIGKILL") -> None:
        super().__init__(world, name)
        self.mask = self._mask("pending")
        """What who sends it writes, and who looks at it reads."""
        self.look = Step(f"fatal_signal_pending {self.name}", self.mask)
        self._sent = False

    def state(self) -> tuple[object, ...]:
        """Whether it was sent."""
        return self.name, self._sent

    def is_pending(self) -> bool:
        """Whether it was sent, within a step that reads `mask`."""
        return self._sent

    @operation
    def send(self, cpu: Cpu) -> Generator[Step, int, None]:
        """send_sig(): one step; who sleeps in a killable wait can go. A second one changes nothing."""
        what = f"send {self.name}"
        cpu.acts(what)
        yield Step(what, writes=self.mask)
        self._sent = True

    @operation
    def pending(self, cpu: Cpu) -> Generator[Step, int, bool]:
        """fatal_signal_pending(): one step; whether it was sent."""
        cpu.acts(self.look.what)
        yield self.look
        return self._sent
