"""A device that uses its PASID after bind has returned is let through (smmuv3 §1.4)."""

from __future__ import annotations

from actors.runtime.primitives.events import Violation
from drivers.events.attach import AccessRefused

from .oracle import EventOracle


class BoundPasidIsNotRefused(EventOracle):
    """No access is refused, in worlds whose devices wait for the end of bind."""

    watches = (AccessRefused,)

    def observe(self, event: AccessRefused) -> None:
        """Every refusal breaks it."""
        raise Violation(
            f"{event.who} uses a PASID that is bound, and the SMMU refuses it ({event.why}): "
            "it still goes by what was there before",
            f"stream {event.sid}",
        )
