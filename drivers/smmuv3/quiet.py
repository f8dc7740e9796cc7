"""CDs of streams that stall, and what they make of an address space that dies first (smmuv3 §1.2, §3.6; SMMU-R37)."""

from __future__ import annotations

from hw.smmuv3 import LANE, commands
from hw.smmuv3.cd import S, cd_address, quiet_cd, sva_cd

from ..cpu import Cpu
from ..events.binding import ContextWritten
from ..kernel.memory.pasid import Bond
from .contexts import StreamContexts


class StallContexts(StreamContexts):
    """A stream that stalls (and has no ATC): the CD says S=1."""

    def of(self, bond: Bond) -> tuple[int, ...]:
        """A CD whose faults stall."""
        return sva_cd(asid=bond.mm.asid, ttb0=bond.mm.tables.root, stall=True)

    async def invalidate_atc(self, cpu: Cpu, bond: Bond) -> None:
        """There is no ATC to invalidate."""

    async def disconnect(self, cpu: Cpu, bond: Bond) -> None:
        """The first half of `clear`: no new access from here, and every stall record of the old ones is in the EVTQ."""
        await cpu.store(cd_address(self._table, bond.pasid), 0, f"CD[{bond.pasid}].q0")
        cpu.emit(ContextWritten(target=LANE, pasid=bond.pasid, valid=False, binding=bond.number, entry="CD", bit="V"))
        await self._cmdq.issue_sync(cpu, commands.cfgi_cd(self._sid, bond.pasid))


class StallsWhenQuiet(StallContexts):
    """BUG: a quiet CD that still stalls: each DMA of a dead process needs a record and a RESUME (b41932f54458)."""

    def release_word(self, bond: Bond) -> int:
        """The release CD keeps S=1."""
        return quiet_cd(asid=bond.mm.asid)[0] | S.mask


QUIET: dict[str, type[StallContexts]] = {"stall": StallsWhenQuiet, "abort": StallContexts}
