"""CDs of one stream, set up, turned quiet and torn down (smmuv3 §1.2, §3.1, §3.6, §4.4; SMMU-R37)."""

from __future__ import annotations

from hw.bus import PAGE_SHIFT, PhysAddr, StreamId, VirtAddr, Vmid
from hw.memory import WORD_BYTES
from hw.smmuv3 import LANE, commands
from hw.smmuv3.cd import cd_address, quiet_cd, sva_cd
from hw.smmuv3.commands import ATC_INV_EVERYTHING
from hw.smmuv3.entry import Qwords
from hw.tlb import pages_from

from ..cpu import Cpu
from ..events.binding import ContextQuieted, ContextWritten
from ..kernel.memory.pasid import Bond
from .cmdq import Cmdq


class StreamContexts:
    """The CD table of one stream, written the way the driver did before the entry writer of 6.9."""

    def __init__(self, table: PhysAddr, sid: StreamId, cmdq: Cmdq, streams: PhysAddr) -> None:
        """`table` has the CDs, `streams` is the stream table with the entry that points there."""
        self._table = table
        self._streams = streams
        self._sid = sid
        self._cmdq = cmdq

    def of(self, bond: Bond) -> Qwords:
        """The CD that binds a PASID to an address space; PRI streams never stall (smmuv3 §2.1)."""
        return sva_cd(asid=bond.mm.asid, ttb0=bond.mm.tables.root)

    async def write(self, cpu: Cpu, bond: Bond) -> None:
        """Make a CD valid: everything else first, the word with V last, then CFGI_CD and SYNC."""
        address = cd_address(self._table, bond.pasid)
        words = self.of(bond)
        for offset in (1, 3):
            await cpu.store(PhysAddr(address + offset * WORD_BYTES), words[offset], f"CD[{bond.pasid}].q{offset}")
        await self.all_but_v_written(cpu)
        await cpu.store(address, words[0], f"CD[{bond.pasid}].q0")
        cpu.emit(ContextWritten(target=LANE, pasid=bond.pasid, valid=True, binding=bond.number, entry="CD", bit="V"))
        await self._cmdq.issue_sync(cpu, commands.cfgi_cd(self._sid, bond.pasid))

    async def all_but_v_written(self, cpu: Cpu) -> None:
        """Whoever sees V must see the rest."""
        await cpu.dma_wmb()

    async def clear(self, cpu: Cpu, bond: Bond) -> None:
        """Make a CD invalid, and wait until nothing uses what was cached of it: CD, then TLB, then ATC."""
        await cpu.store(cd_address(self._table, bond.pasid), 0, f"CD[{bond.pasid}].q0")
        cpu.emit(ContextWritten(target=LANE, pasid=bond.pasid, valid=False, binding=bond.number, entry="CD", bit="V"))
        await self._cmdq.issue_sync(cpu, commands.cfgi_cd(self._sid, bond.pasid))
        await self.invalidate(cpu, bond)

    async def quiet(self, cpu: Cpu, bond: Bond) -> None:
        """arm_smmu_mm_release: release CD, CFGI_CD and SYNC, TLBI and SYNC, ATC_INV and SYNC."""
        await self.write_release(cpu, bond)
        await self.invalidate(cpu, bond)

    async def write_release(self, cpu: Cpu, bond: Bond) -> None:
        """The release CD, and a SYNC behind it; one store, as all that changes and matters is in the first word."""
        word = self.release_word(bond)
        await cpu.store(cd_address(self._table, bond.pasid), word, f"CD[{bond.pasid}].q0 (EPD0)")
        cpu.emit(ContextQuieted(target=LANE, pasid=bond.pasid, binding=bond.number))
        await self._cmdq.issue_sync(cpu, commands.cfgi_cd(self._sid, bond.pasid))

    def release_word(self, bond: Bond) -> int:
        """Every walk faults; no stall, no record."""
        return quiet_cd(asid=bond.mm.asid)[0]

    async def invalidate(self, cpu: Cpu, bond: Bond) -> None:
        """TLBI and SYNC before ATC_INV and SYNC: the other way round the device can fetch the old entry again."""
        await self._cmdq.issue_sync(cpu, commands.tlbi_nh_asid(Vmid(0), bond.mm.asid))
        await self.invalidate_atc(cpu, bond)

    async def invalidate_atc(self, cpu: Cpu, bond: Bond) -> None:
        """Only this takes access away from an endpoint that holds a translation."""
        everything = commands.atc_inv(self._sid, bond.pasid, VirtAddr(0), ATC_INV_EVERYTHING)
        await self._cmdq.issue_sync(cpu, everything)

    async def invalidate_pages(self, cpu: Cpu, bond: Bond, address: VirtAddr, pages: int) -> None:
        """As `invalidate`, for some pages: the ATC's range is aligned to its size and may be larger."""
        each = (VirtAddr(address + (number << PAGE_SHIFT)) for number in range(pages))
        await self._cmdq.issue_sync(cpu, *(commands.tlbi_nh_va(Vmid(0), bond.mm.asid, page) for page in each))
        atc = pages_from(address, pages)
        await self._cmdq.issue_sync(cpu, commands.atc_inv(self._sid, bond.pasid, atc.address, atc.order))
