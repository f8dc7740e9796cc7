"""Page request threads of the past, each with one step wrong (docs/races.md)."""

from __future__ import annotations

from hw.smmuv3.queues import OVERFLOW_FLAG

from .arm_smmu_v3 import PriQueue
from .cpu import Cpu
from .intel_vtd_prq import PageRequestQueue


class NeverWritesOvackflg(PriQueue):
    """BUG: acknowledges in its own copy of CONS only; the PRIQ refuses every request from then on (SMMU-R02)."""

    async def acknowledge(self, cpu: Cpu) -> None:
        """The register keeps the old flag."""
        self._cons ^= OVERFLOW_FLAG


class AcknowledgesFirst(PriQueue):
    """BUG: acknowledges while entries are queued; they outlive their group and join a later one (SMMU-R07)."""

    def may_recover(self, prod: int) -> bool:
        """At first sight of the overflow."""
        return True


class NeverClearsPro(PageRequestQueue):
    """BUG: the same on VT-d: PRO stays set."""

    async def recover(self, cpu: Cpu) -> None:
        """Nothing."""


class ClearsProEarly(PageRequestQueue):
    """BUG: clears PRO with entries in the queue, and discards partial groups that are not complete yet (VTD-R03)."""

    async def may_recover(self, cpu: Cpu) -> bool:
        """Always."""
        return True


ACKNOWLEDGE: dict[str, type[PriQueue]] = {
    "never": NeverWritesOvackflg,
    "first": AcknowledgesFirst,
    "last": PriQueue,
}
CLEAR_PRO: dict[str, type[PageRequestQueue]] = {
    "never": NeverClearsPro,
    "first": ClearsProEarly,
    "last": PageRequestQueue,
}
"""The same moments on VT-d."""
