"""No device write lands in a frame that is free or belongs to anybody but the process it works for (I3)."""

from __future__ import annotations

from typing import ClassVar

from actors.runtime.events import Violation
from hw.events import DmaLanded


class NoDmaIntoForeignFrame:
    """The owner of the frame, when the write lands, is the process whose job it is."""

    watches: ClassVar[tuple[type, ...]] = (DmaLanded,)

    def observe(self, event: DmaLanded) -> None:
        """Compare the owners."""
        if event.owner != event.meant_for:
            raise Violation(
                f"a write for {event.meant_for} lands in {event.page:#x}, which is {event.owner}: memory corruption",
                event.owner,
            )

    def at_quiescence(self) -> None:
        """Nothing more."""
