"""Use of a PASID after its unbind is refused, and the fault log says so (vtd-pcie I9, §3.8; VTD-R04)."""

from __future__ import annotations

from typing import ClassVar

from actors.runtime.events import Violation
from drivers.fault_events import BondEnded
from hw.pcie.events import UntranslatedSent
from hw.vtd.events import AccessAborted


class FaultAfterUnbindIsVisible:
    """Such an access is a genuine bug of device or driver, which somebody has to find."""

    watches: ClassVar[tuple[type, ...]] = (BondEnded, UntranslatedSent, AccessAborted)

    def __init__(self) -> None:
        self._over: set[int] = set()
        self._late: set[int] = set()

    def observe(self, event: BondEnded | UntranslatedSent | AccessAborted) -> None:
        """Accesses that were sent when unbind was over."""
        match event:
            case BondEnded(pasid=pasid):
                self._over.add(pasid)
            case UntranslatedSent(pasid=pasid, tag=tag) if pasid in self._over:
                self._late.add(tag)
            case AccessAborted(pasid=pasid, tag=tag, logged=False) if tag in self._late:
                why = "FPD is still set" if event.silent else "the fault log is full"
                raise Violation(
                    f"access {tag} of P{pasid}, sent after unbind, is refused and leaves no trace: {why}", why
                )

    def at_quiescence(self) -> None:
        """Nothing more."""
