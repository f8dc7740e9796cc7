"""How PASID entries were torn down from 5.7 to 2026, eras as differences (vtd-pcie §3.2 to §3.4).

What the eras tell apart: what becomes of FPD between the mm's release callback and unbind, and what the second of the
two still does when the first has cleared the entry.
"""

from __future__ import annotations

from hw.vtd.pasid import FPD, P

from ..cpu import Cpu
from ..kernel.memory.pasid import Bond
from .pasid_table import PasidTable


class OnePass(PasidTable):
    """5.8 (37e91bd4): right about FPD; all words are cleared at once, and a fetch can see half of them (VTD-R17)."""

    async def disconnect(self, cpu: Cpu, bond: Bond, q0: int, *, expected: bool) -> None:
        """The first word first, the others behind it."""
        await PasidTable.disconnect(self, cpu, bond, q0, expected=expected)
        await PasidTable.tidy(self, cpu, bond, expected=expected)

    async def tidy(self, cpu: Cpu, bond: Bond, *, expected: bool) -> None:
        """Nothing is left to clear."""

    async def absent(self, cpu: Cpu, bond: Bond, q0: int, *, expected: bool) -> None:
        """Nobody looks at P: cleared, flushed and, by unbind, drained once more."""
        await self.store(cpu, bond, 0, FPD.mask if expected and q0 & FPD.mask else 0)
        await self.unlock(cpu)
        await self.flush(cpu, bond)
        await self.finish(cpu, bond, expected=expected)


class WithoutFpd(OnePass):
    """BUG: up to 5.7: what a device does before it is told that the process died floods the fault log (VTD-R01)."""

    async def disconnect(self, cpu: Cpu, bond: Bond, q0: int, *, expected: bool) -> None:
        """Faults are always reported."""
        await OnePass.disconnect(self, cpu, bond, q0, expected=False)


class LeavesFpd(OnePass):
    """BUG: 5.13 (March 2021): an absent entry is left alone, so FPD outlives unbind and hides bugs (VTD-R04)."""

    async def absent(self, cpu: Cpu, bond: Bond, q0: int, *, expected: bool) -> None:
        """Nothing but the drain, which unbind called by itself."""
        await self.unlock(cpu)
        await self.finish(cpu, bond, expected=expected)


class SkipsDrain(OnePass):
    """BUG: 6.13 (c43e1ccdebf2): the drain is part of tear-down, so an absent entry loses that, too (VTD-R04)."""

    async def absent(self, cpu: Cpu, bond: Bond, q0: int, *, expected: bool) -> None:
        """Nothing is done, the drain included."""
        await self.unlock(cpu)


class DrainsInRelease(SkipsDrain):
    """BUG: 6.13-rc1: and the release callback drains, which sleeps where nobody may (VTD-R05)."""

    async def finish(self, cpu: Cpu, bond: Bond, *, expected: bool) -> None:
        """Drain, whoever tears down."""
        await PasidTable.finish(self, cpu, bond, expected=False)


class TrustsTheFirst(PasidTable):
    """BUG: cf08ca81d08a: takes FPD away and drains, but does not wait for the flush of whoever cleared the entry."""

    async def absent(self, cpu: Cpu, bond: Bond, q0: int, *, expected: bool) -> None:
        """FPD says that release was here; without it there is nothing to do."""
        if q0 & FPD.mask:
            await self.store(cpu, bond, 0, 0)
        await self.unlock(cpu)
        if q0 & FPD.mask:
            await self.finish(cpu, bond, expected=False)


class OnePassTrustsTheFirst(TrustsTheFirst, OnePass):
    """6.14: OnePass and TrustsTheFirst."""


class PresentFirst(TrustsTheFirst):
    """BUG: 2026 (75ed00055c05): P goes by itself, and FPD is set only where P still is: never (VTD-R01, VTD-R04)."""

    async def disconnect(self, cpu: Cpu, bond: Bond, q0: int, *, expected: bool) -> None:
        """Clear P and nothing else."""
        await self.store(cpu, bond, 0, q0 & ~P.mask)

    async def tidy(self, cpu: Cpu, bond: Bond, *, expected: bool) -> None:
        """Set FPD if the entry is present, which it is not."""
        await self.store(cpu, bond, 0, 0)
        await PasidTable.tidy(self, cpu, bond, expected=expected)


class PresentFirstKeepsFpd(PresentFirst):
    """BUG: 2026 as it was meant: FPD comes with the rest, three round trips after P has gone."""

    async def tidy(self, cpu: Cpu, bond: Bond, *, expected: bool) -> None:
        """Set FPD if faults are expected."""
        await self.store(cpu, bond, 0, FPD.mask if expected else 0)
        await PasidTable.tidy(self, cpu, bond, expected=expected)


ERAS: dict[str, type[PasidTable]] = {
    "5.7": WithoutFpd,
    "5.8": OnePass,
    "5.13": LeavesFpd,
    "6.13-rc1": DrainsInRelease,
    "6.13": SkipsDrain,
    "6.14": OnePassTrustsTheFirst,
    "2026": PresentFirst,
    "2026-meant": PresentFirstKeepsFpd,
    "right": PasidTable,
}
