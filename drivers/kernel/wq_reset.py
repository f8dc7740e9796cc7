"""When to drain around the reset of a work queue (seed 001): PRI stays on, so only the queue's own switch halts it."""

from __future__ import annotations

from ..cpu import Cpu
from .function_reset import Drain
from .idxd import DRAIN_WQ, ENABLE_WQ, RESET_WQ, Idxd
from .memory.pasid import Bond


class WqReset:
    """Reset WQ, which halts it; drain; then let it ask again. The right order."""

    def __init__(self, idxd: Idxd, drain: Drain, bond: Bond) -> None:
        """`drain` is the IOMMU's, for the page requests of `bond`."""
        self.idxd = idxd
        self._drain = drain
        self._bond = bond

    async def run(self, cpu: Cpu) -> None:
        """Before, reset, after, on, behind."""
        await self.before(cpu)
        await self.idxd.command(cpu, RESET_WQ, "Reset WQ")
        await self.after(cpu)
        await self.idxd.command(cpu, ENABLE_WQ, "Enable WQ")
        await self.behind(cpu)

    async def drain(self, cpu: Cpu) -> None:
        """As the IOMMU's driver does it."""
        await self._drain.run(cpu, self._bond)

    async def before(self, cpu: Cpu) -> None:
        """The queue may still ask."""

    async def after(self, cpu: Cpu) -> None:
        """The device has forgotten its tags and asks for nothing: what is on its way now is old."""
        await self.drain(cpu)

    async def behind(self, cpu: Cpu) -> None:
        """The queue asks again."""


class NoWqDrain(WqReset):
    """BUG: an answer to the queue's old life completes a request of its new one, which has the same tag."""

    async def after(self, cpu: Cpu) -> None:
        """Nothing."""


class DrainBeforeWqReset(NoWqDrain):
    """BUG: the drain is not coupled with a stop: the queue asks behind its last look."""

    async def before(self, cpu: Cpu) -> None:
        """What is queued by now."""
        await self.drain(cpu)


class DrainBehindEnable(NoWqDrain):
    """BUG: the queue asks again while old answers are under way."""

    async def behind(self, cpu: Cpu) -> None:
        """Too late."""
        await self.drain(cpu)


class DrainsTheWq(NoWqDrain):
    """Right without the IOMMU's drain: the device's own command waits for its answers before the reset."""

    async def before(self, cpu: Cpu) -> None:
        """Drain WQ."""
        await self.idxd.command(cpu, DRAIN_WQ, "Drain WQ")


WQ_ORDERS: dict[str, type[WqReset]] = {
    "none": NoWqDrain,
    "before": DrainBeforeWqReset,
    "after": WqReset,
    "behind-enable": DrainBehindEnable,
    "drain-wq": DrainsTheWq,
}
