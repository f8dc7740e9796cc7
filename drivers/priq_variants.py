"""PRI threads of the past, each with one step wrong (domain/smmuv3 §6.1)."""

from __future__ import annotations

from hw.smmuv3.queues import OVERFLOW_FLAG

from .arm_smmu_v3 import PriQueue
from .cpu import Cpu


class NeverWritesOvackflg(PriQueue):
    """BUG: acknowledges in its own copy of CONS only; the PRIQ refuses every request from then on (R02)."""

    async def acknowledge(self, cpu: Cpu) -> None:
        """The register keeps the old flag."""
        self._cons ^= OVERFLOW_FLAG


class AcknowledgesFirst(PriQueue):
    """BUG: acknowledges while entries are queued; they outlive their group and join a later one (R07)."""

    def may_recover(self, prod: int) -> bool:
        """At first sight of the overflow."""
        return True


ACKNOWLEDGE: dict[str, type[PriQueue]] = {
    "never": NeverWritesOvackflg,
    "first": AcknowledgesFirst,
    "last": PriQueue,
}
