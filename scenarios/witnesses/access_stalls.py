"""The witness: an access of the device stalls, and software resumes it."""

from __future__ import annotations

from typing import ClassVar

from hw.events.faults import StallDecided


class AccessStalls:
    """Reached by the first decision that meets a stall."""

    watches: ClassVar[tuple[type, ...]] = (StallDecided,)

    def __init__(self) -> None:
        self.reached = False

    def observe(self, event: StallDecided) -> None:
        """A stale STAG does not count."""
        self.reached = self.reached or event.stall >= 0
