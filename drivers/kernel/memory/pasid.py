"""PASIDs and what they are bound to: an allocator that hands out a freed PASID at once, and the table of bonds.

Immediate reuse is the worst case, and the case that seed 000 asks about.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from drivers.cpu import Cpu
from drivers.events.binding import FaultResolved, PasidAllocated, PasidFreed, TeardownBegun
from hw.bus import Pasid
from hw.events.link import pasid_resource

from .mm import Mm


@dataclass(slots=True)
class Bond:
    """One binding of a PASID to an address space; `number` tells it from the PASID's earlier owners."""

    pasid: Pasid
    mm: Mm
    number: int
    dying: bool = False
    """New faults are answered Invalid (unbind has begun, in the variants that say so)."""


async def begin_teardown(cpu: Cpu, pasid: Pasid) -> None:
    """Somebody begins to take a PASID away from its device; one step."""
    await cpu.access(f"tear-down of PASID {pasid} begins", writes=(pasid_resource(pasid),))
    cpu.emit(TeardownBegun(pasid=pasid))


def resolved(cpu: Cpu, number: int, pasid: Pasid, bond: Bond | None) -> None:
    """Say, within the current step, whose fault request `number` is."""
    owner, binding = (bond.mm.name, bond.number) if bond else ("nobody", 0)
    cpu.emit(FaultResolved(number=number, pasid=pasid, binding=binding, mm=owner))


class Pasids:
    """Free PASIDs, bonds by PASID, and how many bindings there ever were."""

    def __init__(self, pasids: Sequence[Pasid]) -> None:
        self._free = list(reversed(pasids))
        self._bonds: dict[Pasid, Bond] = {}
        self._count = 0
        self.all = tuple(pasids)
        self._resources = tuple(pasid_resource(pasid) for pasid in pasids)

    def binding_now(self, pasid: Pasid) -> int:
        """The number of the binding that owns a PASID, 0 if nobody does."""
        bond = self._bonds.get(pasid)
        return bond.number if bond else 0

    def bind_now(self, mm: Mm) -> Bond:
        """Allocate and bind, before the world starts."""
        pasid = self._free.pop()
        self._count += 1
        bond = self._bonds[pasid] = Bond(pasid, mm, self._count)
        return bond

    async def allocate(self, cpu: Cpu, mm: Mm) -> Bond:
        """Wait until a PASID is free, take it and publish its bond; one step."""
        await cpu.wait("allocate a PASID", lambda: bool(self._free), writes=self._resources, idle=True)
        bond = self.bind_now(mm)
        cpu.emit(PasidAllocated(pasid=bond.pasid, binding=bond.number, mm=mm.name))
        return bond

    async def look_up(self, cpu: Cpu, pasid: Pasid) -> Bond | None:
        """The bond of a PASID; one step."""
        await cpu.access(f"look up PASID {pasid}", reads=(pasid_resource(pasid),))
        return self._bonds.get(pasid)

    async def kill(self, cpu: Cpu, bond: Bond) -> None:
        """From now on faults of this bond are answered Invalid; one step."""
        await cpu.access(f"PASID {bond.pasid} is dying", writes=(pasid_resource(bond.pasid),))
        bond.dying = True

    async def free(self, cpu: Cpu, bond: Bond) -> None:
        """Forget the bond and give the PASID back; one step."""
        await cpu.access(f"free PASID {bond.pasid}", writes=(pasid_resource(bond.pasid),))
        del self._bonds[bond.pasid]
        self._free.append(bond.pasid)
        cpu.emit(PasidFreed(pasid=bond.pasid, binding=bond.number))
