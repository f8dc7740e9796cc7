"""A device translates for a work under the PASID that the work came with (VTD-R33)."""

from __future__ import annotations

from actors.runtime.primitives.events import Violation
from hw.pcie.events import WorkTranslated

from .oracle import EventOracle


class WorkKeepsItsIdentity(EventOracle):
    """The PASID of the request is that of the work."""

    watches = (WorkTranslated,)

    def observe(self, event: WorkTranslated) -> None:
        """Compare the two."""
        if event.pasid != event.work:
            raise Violation(
                f"a work of PASID {event.work} is translated as PASID {event.pasid}: "
                f"the device caches a translation of another process for it",
                f"PASID {event.work}",
            )
