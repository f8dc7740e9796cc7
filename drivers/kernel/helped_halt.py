"""What a driver does about a device that halts only when it is refused (seed 001, "a secondary case")."""

from __future__ import annotations

from ..cpu import Cpu
from .endpoint import STOPPED, Endpoint
from .function_reset import Drain
from .iommu import Contexts
from .memory.pasid import Bond, Pasids, begin_teardown


class HelpedHalt:
    """Refuse what it asks for and take its translations away; drain, so that it hears of it; wait until it is idle.

    Only then nothing more comes of it, and the drain that is due before the PASID goes is worth something.
    """

    def __init__(self, pasids: Pasids, contexts: Contexts, endpoint: Endpoint, drain: Drain, bond: Bond) -> None:
        """`drain` is the IOMMU's."""
        self._pasids = pasids
        self._contexts = contexts
        self._endpoint = endpoint
        self._drain = drain
        self._bond = bond

    async def run(self, cpu: Cpu) -> None:
        """Refuse, clear, drain, idle, drain, free."""
        await begin_teardown(cpu, self._bond.pasid)
        await self.refuse(cpu)
        await self.drain(cpu)
        await self.idle(cpu)
        await self.drain(cpu)
        await self._pasids.free(cpu, self._bond)

    async def refuse(self, cpu: Cpu) -> None:
        """New faults are answered Invalid; the next translation request finds nothing, and becomes a page request."""
        await self._pasids.kill(cpu, self._bond)
        await self._contexts.clear(cpu, self._bond)

    async def drain(self, cpu: Cpu) -> None:
        """Every page request that has come is answered."""
        await self._drain.run(cpu, self._bond)

    async def idle(self, cpu: Cpu) -> None:
        """The device says so itself."""
        await cpu.poll(self._endpoint.status, lambda status: status == STOPPED, "device STATUS = STOPPED")


class OnlyWaits(HelpedHalt):
    """BUG: waits for a device that nothing makes halt."""

    async def refuse(self, cpu: Cpu) -> None:
        """Nothing."""


class OnlyDrains(HelpedHalt):
    """BUG: takes a drain for a halt; the device asks behind its last look, under the PASID's next owner."""

    async def idle(self, cpu: Cpu) -> None:
        """Nothing."""


HALTS: dict[str, type[HelpedHalt]] = {"waits": OnlyWaits, "drains": OnlyDrains, "refuses": HelpedHalt}
