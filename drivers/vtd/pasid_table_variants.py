"""Replacing or clearing a live PASID entry while hardware looks, and the ways that tear it (vtd-pcie §2.1; VTD-R17,
VTD-R18)."""

from __future__ import annotations

from hw.vtd.pasid import FPD, Qwords

from ..cpu import Cpu
from ..kernel.memory.pasid import Bond
from .pasid_table import PasidTable
from .pasid_table_eras import OnePass


class Replaces(PasidTable):
    """Break before make (c3b1edea3791): P goes, everybody forgets the entry, then it is set up anew, P last."""

    target: Qwords | None = None
    """What `write` makes of the entry, where that is not a process's."""

    def aim(self, target: Qwords) -> None:
        """From here on `write` makes this of the entry."""
        self.target = target

    def of(self, bond: Bond) -> Qwords:
        """The entry of a binding."""
        return PasidTable.of(self, bond) if self.target is None else self.target

    async def replace(self, cpu: Cpu, bond: Bond) -> None:
        """Attach another domain to a PASID that has one."""
        await self.tear_down(cpu, bond, expected=False)
        await self.write(cpu, bond)


class InPlace(OnePass, Replaces):
    """BUG: word by word over the live entry, P and type first, the table pointer later (VTD-R17, VTD-R18)."""

    async def replace(self, cpu: Cpu, bond: Bond) -> None:
        """Write over the entry, then invalidate what was cached."""
        await cpu.lock(self._lock)
        for number in (0, 1, 2):
            await self.store(cpu, bond, number, self.of(bond)[number])
        await self.unlock(cpu)
        await self.forget_entry(cpu, bond)
        await self.invalidate(cpu, bond)


class InPlacePresentLast(Replaces):
    """BUG: the same with the word that has P last, which is how an absent entry is set up, not a live one."""

    async def disconnect(self, cpu: Cpu, bond: Bond, q0: int, *, expected: bool) -> None:
        """Write the other words, then the word with P."""
        await Replaces.tidy(self, cpu, bond, expected=expected)
        await self.store(cpu, bond, 0, FPD.mask if expected else 0)

    async def tidy(self, cpu: Cpu, bond: Bond, *, expected: bool) -> None:
        """Nothing is left to write."""

    async def replace(self, cpu: Cpu, bond: Bond) -> None:
        """Write the entry as if it were absent."""
        await self.write(cpu, bond)
        await self.forget_entry(cpu, bond)
        await self.invalidate(cpu, bond)


class DoesNotInvalidate(Replaces):
    """BUG: breaks, and makes at once: a fetch that began with P=1 ends with the new words."""

    async def forget_entry(self, cpu: Cpu, bond: Bond) -> None:
        """The PASID cache is not invalidated."""

    async def invalidate(self, cpu: Cpu, bond: Bond) -> None:
        """IOTLB and device TLB are not invalidated."""

    async def replace(self, cpu: Cpu, bond: Bond) -> None:
        """What was cached goes when all is done."""
        await Replaces.replace(self, cpu, bond)
        await Replaces.forget_entry(self, cpu, bond)
        await Replaces.invalidate(self, cpu, bond)


class Settles(Replaces):
    """Also waits between the words and P: a fetch that read the words before they were filled never sees P=1."""

    async def replace(self, cpu: Cpu, bond: Bond) -> None:
        """Break, fill, wait for every request inside, make."""
        await self.tear_down(cpu, bond, expected=False)
        words = self.of(bond)
        for number in (1, 2):
            await self.store(cpu, bond, number, words[number])
        await self.invalidate_iotlb(cpu, bond)
        await self.store(cpu, bond, 0, words[0])


class ForgetsAbsence(Replaces):
    """In caching mode (CAP.CM) a look between break and make is remembered: not present (vtd-pcie §2.1, §3.2)."""

    async def made(self, cpu: Cpu, bond: Bond) -> None:
        """PASID cache and IOTLB once more."""
        await self.forget_entry(cpu, bond)
        await self.invalidate_iotlb(cpu, bond)


class TidiesEarly(Replaces):
    """BUG, unless a PASID-cache invalidation waits for those who have looked: nothing else comes before the rewrite."""

    async def invalidate(self, cpu: Cpu, bond: Bond) -> None:
        """Nothing is invalidated yet."""

    async def tidy(self, cpu: Cpu, bond: Bond, *, expected: bool) -> None:
        """IOTLB and device TLB when the words are gone."""
        await Replaces.tidy(self, cpu, bond, expected=expected)
        await Replaces.invalidate(self, cpu, bond)


WRITERS: dict[str, type[Replaces]] = {
    "in-place": InPlace,
    "in-place-last": InPlacePresentLast,
    "no-invalidation": DoesNotInvalidate,
    "right": Replaces,
    "settles": Settles,
    "forgets-absence": ForgetsAbsence,
    "tidies-early": TidiesEarly,
}
