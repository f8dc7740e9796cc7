"""The release CD that takes over when an address space dies before its bonds do (smmuv3 §1.2, §3.6; SMMU-R37)."""

from __future__ import annotations

from hw.smmuv3 import commands
from hw.smmuv3.cd import S, cd_address, quiet_cd, sva_cd

from .arm_smmu_v3 import Contexts
from .cpu import Cpu
from .events import ContextQuieted, ContextWritten
from .pasid import Bond


class QuietContexts(Contexts):
    """One store turns a CD quiet, as all that changes and matters is in its first word."""

    async def quiet(self, cpu: Cpu, bond: Bond) -> None:
        """arm_smmu_mm_release: release CD, CFGI_CD and SYNC, TLBI and SYNC, ATC_INV and SYNC."""
        await self.write_release(cpu, bond)
        await self.invalidate(cpu, bond)

    async def write_release(self, cpu: Cpu, bond: Bond) -> None:
        """The release CD, and a SYNC behind it."""
        word = self.release_word(bond)
        await cpu.store(cd_address(self._table, bond.pasid), word, f"CD[{bond.pasid}].q0 (EPD0)")
        cpu.emit(ContextQuieted(pasid=bond.pasid, binding=bond.number))
        await self._cmdq.issue_sync(cpu, commands.cfgi_cd(self._sid, bond.pasid))

    def release_word(self, bond: Bond) -> int:
        """Every walk faults; no stall, no record."""
        return quiet_cd(asid=bond.mm.asid)[0]


class StallContexts(QuietContexts):
    """A stream that stalls (and has no ATC): the CD says S=1."""

    def of(self, bond: Bond) -> tuple[int, ...]:
        """With stalls."""
        return sva_cd(asid=bond.mm.asid, ttb0=bond.mm.tables.root, stall=True)

    async def invalidate_atc(self, cpu: Cpu, bond: Bond) -> None:
        """No ATC."""

    async def disconnect(self, cpu: Cpu, bond: Bond) -> None:
        """The first half of `clear`: no new access from here, and every stall record of the old ones is in the EVTQ."""
        await cpu.store(cd_address(self._table, bond.pasid), 0, f"CD[{bond.pasid}].q0")
        cpu.emit(ContextWritten(pasid=bond.pasid, valid=False, binding=bond.number))
        await self._cmdq.issue_sync(cpu, commands.cfgi_cd(self._sid, bond.pasid))


class StallsWhenQuiet(StallContexts):
    """BUG: a quiet CD that still stalls: each DMA of a dead process needs a record and a RESUME (b41932f54458)."""

    def release_word(self, bond: Bond) -> int:
        """S=1."""
        return quiet_cd(asid=bond.mm.asid)[0] | S.mask


QUIET: dict[str, type[StallContexts]] = {"stall": StallsWhenQuiet, "abort": StallContexts}
