"""x86-64 paging, four levels of 9 bits: what FLPTPTR of a PASID entry points to (vtd-pcie §2.1).

The entry bits are those of the public x86 architecture. A walk sets A in every entry that it uses, and D in the leaf of
a write, by atomic updates; software here makes entries that have both."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from enum import Enum
from functools import partial
from typing import Protocol

from hw.bus import PAGE_OFFSET, Bus, PhysAddr, VirtAddr, exchange
from hw.fields import Field
from hw.memory import BusError
from hw.paging.aarch64 import PageTables as RadixTables
from hw.paging.walks import LEAF_LEVEL, LEVELS, Translation, descriptor_address

OUTPUT_BITS = 48
"""The default host address width; address bits above it are reserved."""
ENTRY_NAMES = ("PML4E", "PDPE", "PDE", "PTE")
"""What an entry of a level is called, the root's first."""

P = Field(0, 1)
RW = Field(1, 1)
US = Field(2, 1)
A = Field(5, 1)
D = Field(6, 1)
PS = Field(7, 1)
G = Field(8, 1)
ADDRESS = Field(12, 40)
XD = Field(63, 1)

_NOWHERE = PhysAddr(0)
_TABLE_BITS = P.mask | RW.mask | US.mask | A.mask
_LARGE_SHIFT = {1: 30, 2: 21}
"""Levels whose entries may be pages, with the size of those; bit 12 of such an entry is PAT, not address."""
_CANONICAL_TOPS = (0, (1 << 17) - 1)


class WalkFault(Enum):
    """Why a walk found no page that an unprivileged request may read."""

    NOT_CANONICAL = "bits 63:47 of the address differ"
    ACCESS = "the entry cannot be read"
    NOT_PRESENT = "P=0"
    RESERVED = "a reserved bit is set"
    SUPERVISOR = "U/S=0"


@dataclass(frozen=True, slots=True, kw_only=True)
class Reached:
    """How far a walk has come: the table to look into next, and what the entries above leave of the rights."""

    level: int
    table: PhysAddr
    writable: bool = True
    user: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """A walk ended at `level` without a usable page; `entry` is where it had just looked."""

    kind: WalkFault
    level: int
    entry: PhysAddr = _NOWHERE


@dataclass(frozen=True, slots=True, kw_only=True)
class Walk:
    """What a walk found, and the tables that it passed: a paging-structure cache may remember those."""

    outcome: Translation | Fault
    trail: tuple[Reached, ...]


class WalkWatch(Protocol):
    """Who wants to know what a walk does to memory."""

    def read(self, where: PhysAddr, level: int, entry: int) -> None:
        """The word at `where` was read as an entry of that level."""
        ...

    def marked(self, where: PhysAddr, level: int) -> None:
        """A or D was set there."""
        ...


def canonical(address: VirtAddr) -> bool:
    """Whether an address is canonical: bits 63:47 are all equal."""
    return address >> 47 in _CANONICAL_TOPS


def table_entry(table: PhysAddr) -> int:
    """The entry that points to the next level's table, with all rights, as Linux makes it for user memory."""
    _check_page(table, "table")
    return table | _TABLE_BITS


def page_entry(page: PhysAddr, *, writable: bool = True, user: bool = True, global_: bool = False) -> int:
    """The last-level entry of a page that has been used before (A, and D if it can be written)."""
    _check_page(page, "page")
    word = page | P.mask | A.mask
    word = D.put(RW.put(word, writable), writable)
    return G.put(US.put(word, user), global_)


def decode(
    entry: int, address: VirtAddr, above: Reached, *, output_bits: int = OUTPUT_BITS, nxe: bool = True
) -> Reached | Translation | WalkFault:
    """What an entry of `above.table` says: the next table, the page, or why there is none.

    `nxe` is the PASID entry's NXE: without it XD is a reserved bit. G makes no difference to a walk.
    """
    if not entry & P.mask:
        return WalkFault.NOT_PRESENT
    output = entry & ADDRESS.mask
    large = above.level < LEAF_LEVEL and bool(entry & PS.mask)
    if output >> output_bits or (entry & XD.mask and not nxe) or (large and above.level not in _LARGE_SHIFT):
        return WalkFault.RESERVED
    writable = above.writable and bool(entry & RW.mask)
    user = above.user and bool(entry & US.mask)
    if above.level < LEAF_LEVEL and not large:
        return Reached(level=above.level + 1, table=PhysAddr(output), writable=writable, user=user)
    inside = (1 << _LARGE_SHIFT[above.level]) - 1 if large else PAGE_OFFSET
    if large and output & inside & ~(1 << ADDRESS.low):
        return WalkFault.RESERVED
    if not user:
        return WalkFault.SUPERVISOR
    page = PhysAddr((output & ~inside) | (address & inside & ~PAGE_OFFSET))
    return Translation(page=page, readable=True, writable=writable)


def root(table: PhysAddr) -> Reached:
    """Where every walk of an address space starts that no paging-structure cache helps."""
    return Reached(level=0, table=table)


def _used(entry: int, found: Reached | Translation | WalkFault, *, write: bool) -> int:
    """The entry as hardware leaves it: A wherever it was used, D in the leaf of a write that is allowed."""
    if isinstance(found, WalkFault):
        return entry
    dirty = write and isinstance(found, Translation) and found.writable
    return entry | A.mask | (D.mask if dirty else 0)


async def _use(
    bus: Bus,
    where: PhysAddr,
    entry: int,
    meaning: Callable[[int], Reached | Translation | WalkFault],
    *,
    write: bool,
    marked: Callable[[PhysAddr], None] | None,
) -> Reached | Translation | WalkFault:
    """Set A and D of an entry in an atomic update, which fails if the entry has changed: then it is looked at again.

    A page whose D is clear is not writable yet: a write has to walk again.
    """
    found = meaning(entry)
    while (wanted := _used(entry, found, write=write)) != entry:
        before = await bus.rmw(where, partial(exchange, entry, wanted), f"A/D of {where:#x}")
        if marked is not None and before == entry:
            marked(where)
        entry = wanted if before == entry else before
        found = meaning(entry)
    if isinstance(found, Translation) and found.writable and not entry & D.mask:
        return replace(found, writable=False, clean=True)
    return found


async def walk(
    bus: Bus,
    start: Reached,
    address: VirtAddr,
    *,
    write: bool = False,
    output_bits: int = OUTPUT_BITS,
    nxe: bool = True,
    watch: WalkWatch | None = None,
) -> Walk:
    """Find the page of `address` from `start` on: one entry read per level, each a step of its own.

    An entry whose A or D is not yet what the walk needs costs another step. `watch` hears of each, within the step.
    """
    trail: list[Reached] = []
    reached = start
    if not canonical(address):
        return Walk(outcome=Fault(kind=WalkFault.NOT_CANONICAL, level=start.level), trail=())
    for level in range(start.level, LEVELS):
        where = descriptor_address(reached.table, address, level)
        try:
            entry = await bus.load(where, f"{ENTRY_NAMES[level]} {address:#x}")
        except BusError:
            # A table that points outside memory, as a freed and reused table frame does.
            return Walk(outcome=Fault(kind=WalkFault.ACCESS, level=level, entry=where), trail=tuple(trail))
        if watch is not None:
            watch.read(where, level, entry)
        found = decode(entry, address, reached, output_bits=output_bits, nxe=nxe)
        if not (entry & A.mask and (entry & D.mask or isinstance(found, Reached))):
            meaning = partial(decode, address=address, above=reached, output_bits=output_bits, nxe=nxe)
            marked = None if watch is None else partial(watch.marked, level=level)
            found = await _use(bus, where, entry, meaning, write=write, marked=marked)
        match found:
            case Reached():
                trail.append(found)
                reached = found
            case Translation():
                return Walk(outcome=found, trail=tuple(trail))
            case _:
                return Walk(outcome=Fault(kind=found, level=level, entry=where), trail=tuple(trail))
    raise AssertionError(f"{ENTRY_NAMES[LEAF_LEVEL]} of {address:#x} was taken for a table")


def _check_page(address: PhysAddr, what: str) -> None:
    """Refuse an address that an entry cannot hold."""
    if address & ~ADDRESS.mask:
        raise ValueError(f"{what} address {address:#x}: allowed are multiples of 4096 below {1 << 52:#x}")


class PageTables(RadixTables):
    """Builds the tables of one address space at once; the radix is Arm's, entries and addresses are x86's."""

    def page_entry(self, page: PhysAddr, writable: bool = True) -> int:
        """The last-level entry of a page."""
        return page_entry(page, writable=writable)

    def table_entry(self, table: PhysAddr) -> int:
        """The entry that points to the next level's table."""
        return table_entry(table)

    def is_table(self, descriptor: int) -> bool:
        """Whether a present entry above the last level points to a table."""
        return not descriptor & PS.mask

    def check_address(self, address: VirtAddr) -> None:
        """Both halves of the address space are allowed, the hole between them is not."""
        if not canonical(address):
            raise ValueError(f"virtual address {address:#x}: allowed are canonical addresses, bits 63:47 all equal")

    def lookup_now(self, address: VirtAddr) -> Translation | None:
        """The page of `address`, or None where an unprivileged request would fault."""
        reached = root(self.root)
        while canonical(address):
            where = descriptor_address(reached.table, address, reached.level)
            found = decode(self.memory.read(where), address, reached)
            if not isinstance(found, Reached):
                return found if isinstance(found, Translation) else None
            reached = found
        return None
