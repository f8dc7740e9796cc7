"""The witness: a device writes to memory in a run in which its translation is blocked."""

from __future__ import annotations

from drivers.kernel.blocking import TranslationBlocked
from hw.events.link import DmaLanded

from .witness import EventWitness


class DeviceWorksAndIsBlocked(EventWitness):
    """Reached when both happened, in whatever order."""

    watches = (DmaLanded, TranslationBlocked)

    def __init__(self) -> None:
        self._seen: list[type] = []

    def observe(self, event: DmaLanded | TranslationBlocked) -> None:
        """One event of each type is needed."""
        self._seen.append(type(event))
        self.reached = DmaLanded in self._seen and TranslationBlocked in self._seen
