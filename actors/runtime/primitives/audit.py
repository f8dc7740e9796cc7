"""The footprint audit: every actual access is compared with what the step declared.

Reduction is only as sound as the footprints, so this runs over every scenario in CI. It sees memory words, and the
resources that events say they depend on; other state is behind ports and locks, whose footprints are tested apart.
"""

from __future__ import annotations

from hw.bus import PhysAddr
from hw.memory import Memory

from .session import Session


class FootprintError(Exception):
    """A step touched what it did not declare; the scenario's proofs cannot be trusted until it does."""


class AuditedMemory(Memory):
    """Memory that knows which step is being performed; outside of steps (set-up, conditions) everything is allowed."""

    def __init__(self, frames: int, session: Session) -> None:
        super().__init__(frames)
        self._session = session
        self._mask = session.resources.mask

    def read(self, address: PhysAddr) -> int:
        """Read a word that the step declared, either way."""
        step, word = self._session.performed, self._mask(("word", address))
        if step is not None and not (step.reads | step.writes) & word:
            read = self._session.word(address)
            raise FootprintError(f"step `{step.what}` reads word {read}, which it does not declare")
        return super().read(address)

    def write(self, address: PhysAddr, value: int) -> None:
        """Write a word that the step declared as written."""
        step, word = self._session.performed, self._mask(("word", address))
        if step is not None and not step.writes & word:
            written = self._session.word(address)
            raise FootprintError(f"step `{step.what}` writes word {written}, which it does not declare")
        super().write(address, value)


def audit_event(session: Session, event: object) -> None:
    """An event's `touches` must be within the footprint of the step that emits it."""
    step = session.performed
    if step is None:
        return
    declared = step.reads | step.writes
    for resource in getattr(event, "touches", ()):
        if not declared & session.resources.mask(resource):
            raise FootprintError(
                f"step `{step.what}` emits {type(event).__name__}, which touches {resource}, without declaring it"
            )
