"""A device that uses its PASID after bind has returned is let through (smmuv3 §1.4)."""

from __future__ import annotations

from typing import ClassVar

from actors.runtime.events import Violation
from drivers.attach_events import AccessRefused


class BoundPasidIsNotRefused:
    """No access is refused, in worlds whose devices wait for the end of bind."""

    watches: ClassVar[tuple[type, ...]] = (AccessRefused,)

    def observe(self, event: AccessRefused) -> None:
        """Complain."""
        raise Violation(
            f"{event.who} uses a PASID that is bound, and the SMMU refuses it ({event.why}): "
            "it still goes by what was there before",
            f"stream {event.sid}",
        )

    def at_quiescence(self) -> None:
        """Nothing more."""
