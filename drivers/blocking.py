"""Ways to block a device's translation, and the order of blocking and stopping (seed 001, J. Gunthorpe's last point).

What the function sees depends on where translation ends: STE, EATS or CD (domain/smmuv3 §2.1, §2.2).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from hw.bus import PhysAddr
from hw.memory import WORD_BYTES
from hw.smmuv3 import commands, ste
from hw.smmuv3.ste import AtsMode, StreamConfig, ste_address

from .cpu import Cpu
from .endpoint import Endpoint
from .mm import Mm
from .pasid import Bond, Pasids
from .quiet import QuietContexts


@dataclass(frozen=True, slots=True, kw_only=True)
class TranslationBlocked:
    """The driver holds the device for blocked: nothing of it can come any more."""

    pasid: int

    @property
    def label(self) -> str:
        """Local action text."""
        return f"translation of P{self.pasid} is blocked"


@dataclass(frozen=True, slots=True, kw_only=True)
class StreamChanged:
    """One word of a live STE was rewritten."""

    sid: int
    what: str
    target: str = "smmu"

    @property
    def label(self) -> str:
        """Arrow text."""
        return f"STE[{self.sid}].{self.what}"


class BlockingContexts(QuietContexts):
    """Also turns whole streams off."""

    streams: PhysAddr
    """Set when the world is built."""

    async def abort_stream(self, cpu: Cpu) -> None:
        """STE.Config = abort: every transaction of the stream."""
        await self._change(cpu, 0, lambda word: ste.Config.put(word, StreamConfig.ABORT), "Config = abort")

    async def refuse_ats(self, cpu: Cpu) -> None:
        """STE.EATS = 0: every translation request of the stream."""
        await self._change(cpu, 1, lambda word: ste.EATS.put(word, AtsMode.REFUSED), "EATS = 0")

    async def _change(self, cpu: Cpu, word: int, change: Callable[[int], int], what: str) -> None:
        address = PhysAddr(ste_address(self.streams, self._sid) + word * WORD_BYTES)
        before = await cpu.load(address, f"STE[{self._sid}].{what}")
        await cpu.store(address, change(before), f"STE[{self._sid}].{what}")
        cpu.emit(StreamChanged(sid=self._sid, what=what))
        await self._cmdq.issue_sync(cpu, commands.cfgi_ste(self._sid))


class KeepsAtc(BlockingContexts):
    """BUG: blocks what the SMMU looks up and leaves the device its own TLB, which the SMMU does not look at (§2.2)."""

    async def invalidate_atc(self, cpu: Cpu, bond: Bond) -> None:
        """Nothing."""


class Block:
    """The CD goes: translation requests find C_BAD_CD and are answered with a Completer Abort."""

    def __init__(self, contexts: BlockingContexts, pasids: Pasids, bond: Bond) -> None:
        self.contexts = contexts
        self.pasids = pasids
        self.bond = bond

    async def run(self, cpu: Cpu) -> None:
        """Take the translation away, and every cached copy of it."""
        await self.contexts.clear(cpu, self.bond)


class BlockStream(Block):
    """The whole stream aborts: Unsupported Request."""

    async def run(self, cpu: Cpu) -> None:
        """STE, then TLB and ATC."""
        await self.contexts.abort_stream(cpu)
        await self.contexts.invalidate(cpu, self.bond)


class BlockAts(Block):
    """ATS is refused: Unsupported Request."""

    async def run(self, cpu: Cpu) -> None:
        """EATS, then TLB and ATC."""
        await self.contexts.refuse_ats(cpu)
        await self.contexts.invalidate(cpu, self.bond)


class BlockQuietly(Block):
    """A quiet CD: translation requests find holes, and the page requests that follow are refused."""

    async def run(self, cpu: Cpu) -> None:
        """Nobody serves faults any more; EPD0; TLB and ATC."""
        await self.pasids.kill(cpu, self.bond)
        await self.contexts.quiet(cpu, self.bond)


BLOCKS: dict[str, type[Block]] = {
    "clear-cd": Block,
    "abort-ste": BlockStream,
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
        """Before, block, after, free."""
        await self.before(cpu)
        await self.block.run(cpu)
        cpu.emit(TranslationBlocked(pasid=self.block.bond.pasid))
        await self.after(cpu)
        for page in self.mm.pages:
            await self.mm.unmap(cpu, page)

    async def before(self, cpu: Cpu) -> None:
        """The device stops, in whatever way is its own."""
        await self.stop(cpu)

    async def after(self, cpu: Cpu) -> None:
        """Nothing is left to do."""

    async def stop(self, cpu: Cpu) -> None:
        """CONTROL = STOP, STATUS = STOPPED."""
        await self.endpoint.stop(cpu, self.block.bond.pasid)


class BlocksOnly(Teardown):
    """BUG: takes a blocked translation for a stopped device; its work ends in errors that nobody expects."""

    async def before(self, cpu: Cpu) -> None:
        """Nothing."""


class BlocksThenStops(BlocksOnly):
    """BUG: the stop comes when the errors are there."""

    async def after(self, cpu: Cpu) -> None:
        """Too late."""
        await self.stop(cpu)


TEARDOWNS: dict[str, type[Teardown]] = {"none": BlocksOnly, "late": BlocksThenStops, "first": Teardown}
