"""The witness: a device asks for the translation that a work needs."""

from __future__ import annotations

from typing import ClassVar

from hw.pcie.events import WorkTranslated


class WorkIsTranslated:
    """Reached by the first one; a work may also be aborted before it begins."""

    watches: ClassVar[tuple[type, ...]] = (WorkTranslated,)

    def __init__(self) -> None:
        self.reached = False

    def observe(self, event: WorkTranslated) -> None:
        """One is enough."""
        self.reached = True
