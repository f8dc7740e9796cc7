"""A device translates for a work under the PASID that the work came with (VTD-R33)."""

from __future__ import annotations

from typing import ClassVar

from actors.runtime.events import Violation
from hw.pcie.events import WorkTranslated


class WorkKeepsItsIdentity:
    """The PASID of the request is that of the work."""

    watches: ClassVar[tuple[type, ...]] = (WorkTranslated,)

    def observe(self, event: WorkTranslated) -> None:
        """Compare the two."""
        if event.pasid != event.work:
            raise Violation(
                f"a work of PASID {event.work} is translated as PASID {event.pasid}: "
                f"the device caches a translation of another process for it",
                f"PASID {event.work}",
            )

    def at_quiescence(self) -> None:
        """Nothing more."""
