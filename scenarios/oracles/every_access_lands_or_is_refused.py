"""Each access of the device is in memory in the end, or software refused it (seed 001: until present or failure)."""

from __future__ import annotations

from actors.runtime.primitives.events import Violation
from hw.events.link import DmaLanded
from hw.pcie.events import AccessEnded, AccessOutcome

from .oracle import EventOracle


class EveryAccessLandsOrIsRefused(EventOracle):
    """As many writes land as the device holds for written, and it gives nothing up of its own accord."""

    watches = (AccessEnded, DmaLanded)

    def __init__(self) -> None:
        self._written = 0
        self._landed = 0

    def observe(self, event: AccessEnded | DmaLanded) -> None:
        """Count what the device believes to be written, and what memory got."""
        match event:
            case AccessEnded(outcome=AccessOutcome.GIVEN_UP, job=job):
                raise Violation(f"the device gives access {job} up, though software had answered Success", "given up")
            case AccessEnded(outcome=AccessOutcome.WRITTEN):
                self._written += 1
            case DmaLanded():
                self._landed += 1

    def at_quiescence(self) -> None:
        """Nothing was lost on the way."""
        if self._landed < self._written:
            raise Violation(
                f"the device takes {self._written} accesses for done and {self._landed} are in memory: the rest was "
                "dropped on the way, and nobody told it",
                "lost",
            )
