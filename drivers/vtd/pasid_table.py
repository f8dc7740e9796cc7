"""PASID entries of one device, set up and torn down (vtd-pcie §3.4)."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import Any

from hw.bus import PhysAddr, StreamId, VirtAddr
from hw.memory import WORD_BYTES
from hw.tlb import PageRange, pages_from
from hw.vtd import LANE
from hw.vtd.descriptors import EVERYTHING, DeviceTlbInvalidate, pasid_cache, pasid_iotlb
from hw.vtd.pasid import FLPT_DEFAULT_DID, FPD, Did, P, Qwords, entry_address, first_level_entry

from ..cpu import Cpu, Lock
from ..events.binding import ContextWritten, FpdWritten
from ..kernel.memory.pasid import Bond
from .qi import Qi


class PasidTable:
    """PASID entries of one device: set up and torn down as the eras of `drivers.vtd.pasid_table_eras` have taught.

    Tear-down replaces the word with P in one store, so that hardware never sees half of it, nor an absent entry that
    reports what is expected. The other words follow when no fetch of the present entry is left.
    """

    drain: Callable[[Cpu, Bond], Coroutine[Any, Any, None]] | None = None
    """intel_iommu_drain_pasid_prq, where the world has one."""

    def __init__(
        self,
        table: PhysAddr,
        sid: StreamId,
        qi: Qi,
        lock: Lock,
        functions: PhysAddr,
        srcu: Lock | None = None,
        *,
        caching_mode: bool = False,
    ) -> None:
        """`lock` is iommu->lock, a spin lock; `functions` is the context table.

        `srcu` is what the release callback runs under, where unbind can meet it; `caching_mode` is CAP.CM: absent
        entries are cached, too.
        """
        self.caching_mode = caching_mode
        self._table = table
        self._functions = functions
        self._srcu = srcu
        self._sid = sid
        self._qi = qi
        self._lock = lock

    def drains_with(self, drain: Callable[[Cpu, Bond], Coroutine[Any, Any, None]]) -> None:
        """Unbind ends in this; who drains knows this table, and hence is made behind it."""
        self.drain = drain

    def forget(self) -> None:
        """Nobody drains any more: who does knows this table."""
        self.drain = None

    def of(self, bond: Bond) -> Qwords:
        """The entry that binds a PASID to an address space; every process has the same DID."""
        return first_level_entry(flptptr=bond.mm.tables.root)

    async def write(self, cpu: Cpu, bond: Bond) -> None:
        """Make an entry present: everything else first, the word with P last."""
        words = self.of(bond)
        await cpu.lock(self._lock)
        for number in (1, 2):
            await self.store(cpu, bond, number, words[number])
        await self.all_but_p_written(cpu)
        await self.store(cpu, bond, 0, words[0])
        cpu.emit(ContextWritten(pasid=bond.pasid, valid=True, binding=bond.number, target=LANE, entry="PE", bit="P"))
        await cpu.unlock(self._lock)
        await self.made(cpu, bond)

    async def all_but_p_written(self, cpu: Cpu) -> None:
        """Nobody sees P ahead of the other words."""
        await cpu.dma_wmb()

    async def made(self, cpu: Cpu, bond: Bond) -> None:
        """An entry is present. Nobody remembers that it was absent, except in caching mode (CAP.CM)."""

    async def clear(self, cpu: Cpu, bond: Bond) -> None:
        """Unbind: a fault from now on is a bug of somebody's, and has to be reported."""
        await self.tear_down(cpu, bond, expected=False)

    async def quiet(self, cpu: Cpu, bond: Bond) -> None:
        """mm release: the device has not been told yet, so that faults are expected until unbind."""
        await self.tear_down(cpu, bond, expected=True)

    async def tear_down(self, cpu: Cpu, bond: Bond, *, expected: bool) -> None:
        """intel_pasid_tear_down_entry; `expected` is fault_ignore."""
        await cpu.lock(self._lock)
        q0 = await cpu.load(self.word(bond, 0), f"PE[{bond.pasid}].q0")
        if not q0 & P.mask:
            await self.absent(cpu, bond, q0, expected=expected)
            return
        await self.disconnect(cpu, bond, q0, expected=expected)
        await self.p_cleared(cpu)
        cpu.emit(ContextWritten(pasid=bond.pasid, valid=False, binding=bond.number, target=LANE, entry="PE", bit="P"))
        await cpu.unlock(self._lock)
        await self.forget_entry(cpu, bond)
        await self.invalidate(cpu, bond)
        await self.tidy(cpu, bond, expected=expected)
        await self.finish(cpu, bond, expected=expected)

    async def absent(self, cpu: Cpu, bond: Bond, q0: int, *, expected: bool) -> None:
        """Release or unbind was here first, and may still be at it; called under the lock.

        Unbind takes FPD away and waits for the release callback (synchronize_srcu); the callback may not wait for
        unbind, which sleeps, and flushes once more. In caching mode hardware may remember the entry with FPD.
        """
        if not expected:
            await self.store(cpu, bond, 0, 0)
        await self.unlock(cpu)
        if expected or self._srcu is None:
            await self.flush(cpu, bond)
        else:
            await cpu.lock(self._srcu)
            await cpu.unlock(self._srcu)
            if self.caching_mode:
                await self.forget_entry(cpu, bond)
        await self.finish(cpu, bond, expected=expected)

    async def disconnect(self, cpu: Cpu, bond: Bond, q0: int, *, expected: bool) -> None:
        """P goes, and FPD comes, in one store."""
        await self.store(cpu, bond, 0, FPD.mask if expected else 0)

    async def p_cleared(self, cpu: Cpu) -> None:
        """What is stored from now on comes behind it."""
        await cpu.dma_wmb()

    async def tidy(self, cpu: Cpu, bond: Bond, *, expected: bool) -> None:
        """Clear the other words, but not the first: unbind may have been here meanwhile and taken FPD away."""
        for number in (1, 2):
            await self.store(cpu, bond, number, 0)

    async def finish(self, cpu: Cpu, bond: Bond, *, expected: bool) -> None:
        """Drain the page request queue, which may sleep: the release callback must not."""
        if self.drain is not None and not expected:
            await self.drain(cpu, bond)

    async def unlock(self, cpu: Cpu) -> None:
        """Give iommu->lock back."""
        await cpu.unlock(self._lock)

    async def flush(self, cpu: Cpu, bond: Bond) -> None:
        """All that is cached of a PASID in one submission, as hardware itself keeps the order (vtd-pcie §2.4)."""
        did, pasid = self.did(bond), bond.pasid
        await self._qi.submit(cpu, pasid_cache(did, pasid), pasid_iotlb(did, pasid), self.device_tlb(bond))

    async def forget_entry(self, cpu: Cpu, bond: Bond) -> None:
        """The PASID cache first: an IOTLB that is empty before it can be filled through the old entry."""
        await self._qi.submit(cpu, pasid_cache(self.did(bond), bond.pasid))

    async def invalidate(self, cpu: Cpu, bond: Bond) -> None:
        """IOTLB before device TLB, each waited for: the other way round the device can fetch the old page again."""
        await self.invalidate_iotlb(cpu, bond)
        await self.invalidate_atc(cpu, bond)

    async def invalidate_iotlb(self, cpu: Cpu, bond: Bond, pages: PageRange | None = None) -> None:
        """All of a PASID's translations, or those of some pages."""
        await self._qi.submit(cpu, pasid_iotlb(self.did(bond), bond.pasid, pages))

    async def invalidate_atc(self, cpu: Cpu, bond: Bond) -> None:
        """Only this takes access away from an endpoint that holds a translation; the largest range is everything."""
        await self._qi.submit(cpu, self.device_tlb(bond))

    async def invalidate_pages(self, cpu: Cpu, bond: Bond, address: VirtAddr, pages: int) -> None:
        """As `invalidate`, for some pages; ranges are aligned to their size and may be larger."""
        span = pages_from(address, pages)
        await self.invalidate_iotlb(cpu, bond, span)
        await self._qi.submit(cpu, self.device_tlb(bond, span))

    def device_tlb(self, bond: Bond, pages: PageRange = EVERYTHING) -> DeviceTlbInvalidate:
        """The descriptor for everything of a PASID, or for some pages."""
        return DeviceTlbInvalidate(sid=self._sid, pasid=bond.pasid, pages=pages)

    def did(self, bond: Bond) -> Did:
        """The domain that every process is in."""
        return FLPT_DEFAULT_DID

    async def store(self, cpu: Cpu, bond: Bond, number: int, value: int) -> None:
        """Write one word of an entry."""
        await cpu.store(self.word(bond, number), value, f"PE[{bond.pasid}].q{number}")
        if number == 0:
            cpu.emit(FpdWritten(pasid=bond.pasid, fpd=bool(value & FPD.mask)))

    def word(self, bond: Bond, number: int) -> PhysAddr:
        """Where a word of an entry lies."""
        return PhysAddr(entry_address(self._table, bond.pasid) + number * WORD_BYTES)
