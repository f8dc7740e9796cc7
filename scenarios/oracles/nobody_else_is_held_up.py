"""No other PASID of the function is kept from asking for its pages while one is unbound (seed 000: the price)."""

from __future__ import annotations

from actors.runtime.primitives.events import Violation
from hw.pcie.events import HeldUp

from .oracle import EventOracle


class NobodyElseIsHeldUp(EventOracle):
    """PRI Enable is one bit for the whole function."""

    watches = (HeldUp,)

    def observe(self, event: HeldUp) -> None:
        """One is enough."""
        raise Violation(
            f"P{event.pasid} needs a page and may not ask for it: page requests are off while another PASID is unbound",
            f"P{event.pasid}",
        )
