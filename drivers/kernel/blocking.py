"""Ways to block a device's translation, and the order of blocking and stopping (seed 001, J. Gunthorpe's last point).

What the function sees depends on where translation ends: the PASID's own entry, that of the whole function, or ATS
(smmuv3 §2.1 and §2.2; vtd-pcie §2.1 and §2.2).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

from hw.bus import PhysAddr
from hw.events.event import Arrow, Event

from ..cpu import Cpu
from .endpoint import Endpoint
from .iommu import QuietContexts as AnyContexts
from .memory.mm import Mm
from .memory.pasid import Bond, Pasids


@dataclass(frozen=True, slots=True, kw_only=True)
class TranslationBlocked(Event):
    """The driver holds the device for blocked: nothing of it can come any more."""

    pasid: int

    def _label(self) -> str:
        return f"translation of P{self.pasid} is blocked"


@dataclass(frozen=True, slots=True, kw_only=True)
class FunctionChanged(Arrow):
    """One word of the live entry of a whole function was rewritten."""

    entry: str
    what: str
    target: str

    def _label(self) -> str:
        return f"{self.entry}.{self.what}"


@runtime_checkable
class Blocking(AnyContexts, Protocol):
    """Also turns whole functions off; what was cached of their translations is the caller's to invalidate."""

    async def abort(self, cpu: Cpu, bond: Bond) -> None:
        """Let every transaction of the function be aborted."""
        ...

    async def refuse_ats(self, cpu: Cpu) -> None:
        """Let every translation request of the function be refused."""
        ...


async def rewrite(cpu: Cpu, where: PhysAddr, change: Callable[[int], int], made: FunctionChanged) -> None:
    """Load one word of a live entry and store what becomes of it."""
    before = await cpu.load(where, made.label)
    await cpu.store(where, change(before), made.label)
    cpu.emit(made)


class Block:
    """The PASID's entry goes: on SMMUv3 a Completer Abort (C_BAD_CD), on VT-d a hole, and a refusal of what follows."""

    def __init__(self, contexts: Blocking, pasids: Pasids, bond: Bond) -> None:
        self.contexts = contexts
        self.pasids = pasids
        self.bond = bond

    async def run(self, cpu: Cpu) -> None:
        """Take the translation away, and every cached copy of it."""
        await self.contexts.clear(cpu, self.bond)


class BlockFunction(Block):
    """The whole function is aborted, so that it gets Unsupported Request."""

    async def run(self, cpu: Cpu) -> None:
        """Change the STE or context entry, then invalidate the TLB and the ATC."""
        await self.contexts.abort(cpu, self.bond)
        await self.contexts.invalidate(cpu, self.bond)


class BlockAts(Block):
    """ATS is refused, so that the function gets Unsupported Request."""

    async def run(self, cpu: Cpu) -> None:
        """Change EATS or DTE, then invalidate the TLB and the ATC."""
        await self.contexts.refuse_ats(cpu)
        await self.contexts.invalidate(cpu, self.bond)


class BlockQuietly(Block):
    """A quiet entry: translation requests find holes, and the page requests that follow are refused."""

    async def run(self, cpu: Cpu) -> None:
        """Nobody serves faults any more; EPD0, or P=0 with FPD; TLB and ATC."""
        await self.pasids.kill(cpu, self.bond)
        await self.contexts.quiet(cpu, self.bond)


BLOCKS: dict[str, type[Block]] = {
    "clear-cd": Block,
    "abort-ste": BlockFunction,
    "no-ats": BlockAts,
    "quiet-cd": BlockQuietly,
}


class Teardown:
    """A real stop: the device says that it has finished, then translation goes, then the pages."""

    def __init__(self, endpoint: Endpoint, block: Block, mm: Mm) -> None:
        self.endpoint = endpoint
        self.block = block
        self.mm = mm

    async def run(self, cpu: Cpu) -> None:
        """Do what comes before, block translation, do what comes after, and free the pages."""
        await self.before(cpu)
        await self.block.run(cpu)
        cpu.emit(TranslationBlocked(pasid=self.block.bond.pasid))
        await self.after(cpu)
        for page in self.mm.pages:
            await self.mm.unmap(cpu, page)

    async def before(self, cpu: Cpu) -> None:
        """Stop the device, in the way that is its own."""
        await self.stop(cpu)

    async def after(self, cpu: Cpu) -> None:
        """Nothing is left to do."""

    async def stop(self, cpu: Cpu) -> None:
        """CONTROL = STOP, STATUS = STOPPED."""
        await self.endpoint.stop(cpu, self.block.bond.pasid)


class BlocksOnly(Teardown):
    """BUG: takes a blocked translation for a stopped device; its work ends in errors that nobody expects."""

    async def before(self, cpu: Cpu) -> None:
        """The device is not stopped."""


class BlocksThenStops(BlocksOnly):
    """BUG: the stop comes when the errors are there."""

    async def after(self, cpu: Cpu) -> None:
        """The device is stopped too late."""
        await self.stop(cpu)


TEARDOWNS: dict[str, type[Teardown]] = {"none": BlocksOnly, "late": BlocksThenStops, "first": Teardown}
