"""The footprint audit: every actual access is compared with what the step declared.

Reduction is only as sound as the footprints, so this runs over every scenario in CI. It sees memory words, and the
resources that events say they depend on; other state is behind ports and locks, whose footprints are tested apart.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from hw.bus import PhysAddr
from hw.memory import Memory

from .step import Step

if TYPE_CHECKING:
    from .world import World


class FootprintError(Exception):
    """A step touched what it did not declare; the scenario's proofs cannot be trusted until it does."""


class AuditedMemory(Memory):
    """Memory that knows which step is being performed; outside of steps (set-up, conditions) everything is allowed."""

    def __init__(self, frames: int, world: World) -> None:
        super().__init__(frames)
        self._world = world
        self._step: Step | None = None
        self._used = 0
        """What was read or written so far in that step."""

    def narrow(self, announced: Step, step: Step) -> int:
        """`announced` is being performed, and says that it is only `step`: what it has used and does not name now."""
        if self._step is not announced:
            self._used = 0
        self._step = step
        return self._used & ~(step.reads | step.writes)

    def _use(self, step: Step, word: int) -> None:
        if self._step is not step:
            self._step, self._used = step, 0
        self._used |= word

    def read(self, address: PhysAddr) -> int:
        """Read a word that the step declared, either way."""
        step, word = self._world.step, self._world.mask(("word", address))
        if step is not None:
            if not (step.reads | step.writes) & word:
                raise FootprintError(f"step `{step.what}` reads word {address:#x}, which it does not declare")
            self._use(step, word)
        return super().read(address)

    def write(self, address: PhysAddr, value: int) -> None:
        """Write a word that the step declared as written."""
        step, word = self._world.step, self._world.mask(("word", address))
        if step is not None:
            if not step.writes & word:
                raise FootprintError(f"step `{step.what}` writes word {address:#x}, which it does not declare")
            self._use(step, word)
        super().write(address, value)


def audit_event(world: World, event: object) -> None:
    """An event's `touches` must be within the footprint of the step that emits it."""
    step = world.step
    if step is None:
        return
    declared = step.reads | step.writes
    for resource in getattr(event, "touches", ()):
        if not declared & world.mask(resource):
            raise FootprintError(
                f"step `{step.what}` emits {type(event).__name__}, which touches {resource}, without declaring it"
            )
