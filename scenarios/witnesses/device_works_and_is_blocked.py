"""The witness: a device writes to memory in a run in which its translation is blocked."""

from __future__ import annotations

from typing import ClassVar

from drivers.kernel.blocking import TranslationBlocked
from hw.events.link import DmaLanded


class DeviceWorksAndIsBlocked:
    """Reached when both happened, in whatever order."""

    watches: ClassVar[tuple[type, ...]] = (DmaLanded, TranslationBlocked)

    def __init__(self) -> None:
        self.reached = False
        self._seen: list[type] = []

    def observe(self, event: DmaLanded | TranslationBlocked) -> None:
        """One of each."""
        self._seen.append(type(event))
        self.reached = DmaLanded in self._seen and TranslationBlocked in self._seen
