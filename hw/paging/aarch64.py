"""AArch64 stage-1 translation tables, 4 KiB granule, up to four levels of 9 bits: what TTB0 of a CD points to
(smmuv3 §1.2). The descriptor bits are those of the public Arm architecture; docs/smmuv3.md does not list them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import Enum
from functools import partial

from hw.bus import PAGE_OFFSET, Bus, PhysAddr, VirtAddr, exchange
from hw.fields import Field
from hw.memory import BusError, FrameAllocator, Memory

from .walks import LEAF_LEVEL, LEVELS, SHIFTS, Translation, descriptor_address

INPUT_BITS = 48
OUTPUT_BITS = 48

VALID = Field(0, 1)
TABLE_OR_PAGE = Field(1, 1)
AttrIndx = Field(2, 3)
AP1_EL0 = Field(6, 1)
AP2_READ_ONLY = Field(7, 1)
SH = Field(8, 2)
AF = Field(10, 1)
nG = Field(11, 1)
DBM = Field(51, 1)
"""The page may be written; AP[2] then says that it has not been, and hardware that tracks this clears it."""
OUTPUT_ADDRESS = Field(12, 36)
APTable0_NO_EL0 = Field(61, 1)
APTable1_READ_ONLY = Field(62, 1)

_NOWHERE = PhysAddr(0)
_INNER_SHAREABLE = 3
_APTABLE = APTable0_NO_EL0.mask | APTable1_READ_ONLY.mask
_TABLE_BITS = VALID.mask | TABLE_OR_PAGE.mask


@dataclass(frozen=True, slots=True, kw_only=True)
class Updates:
    """What a walk may write into a leaf (CD.HA, CD.HD; IHI 0070 §3.13), and whether it is for a write."""

    access: bool = False
    dirty: bool = False
    write: bool = False

    def wanted(self, descriptor: int, limits: int) -> int:
        """The leaf as it has to be, before the access uses it."""
        if self.access:
            descriptor |= AF.mask
        if self.write and self.clean(descriptor, limits):
            descriptor &= ~AP2_READ_ONLY.mask
        return descriptor

    def clean(self, descriptor: int, limits: int) -> bool:
        """Whether only its dirty state keeps the leaf from being written."""
        may_write = descriptor & DBM.mask and descriptor & AP1_EL0.mask and not limits & _APTABLE
        return bool(self.dirty and may_write and descriptor & AP2_READ_ONLY.mask)


NO_UPDATES = Updates()


class WalkFault(Enum):
    """Why a walk found no page; the first four are the faults that CD.A/R/S govern."""

    TRANSLATION = "translation"
    ACCESS_FLAG = "access flag"
    PERMISSION = "permission"
    ADDRESS_SIZE = "address size"
    EXTERNAL_ABORT = "external abort"


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """A walk ended at `level` without a usable page; `descriptor` is where it had just looked."""

    kind: WalkFault
    level: int
    descriptor: PhysAddr = _NOWHERE


def table_descriptor(table: PhysAddr) -> int:
    """The descriptor that points to the next level's table."""
    _check_page(table, "table")
    return table | _TABLE_BITS


def page_descriptor(page: PhysAddr, *, writable: bool = True, accessed: bool = True, global_: bool = False) -> int:
    """The level 3 descriptor of a page that unprivileged code, and so a device, may use."""
    _check_page(page, "page")
    word = page | _TABLE_BITS | AP1_EL0.mask
    word = SH.put(word, _INNER_SHAREABLE)
    word = AP2_READ_ONLY.put(word, not writable)
    word = AF.put(word, accessed)
    return nG.put(word, not global_)


def index(address: VirtAddr, level: int) -> int:
    """Which of the 512 descriptors of a level's table `address` selects."""
    return (address >> SHIFTS[level]) & 0x1FF


def first_level(input_bits: int) -> int:
    """The level at which a walk of addresses of so many bits begins: 48 bits need all four levels, 39 bits three."""
    return next(level for level in range(LEVELS) if input_bits > SHIFTS[level])


def decode(
    descriptor: int, address: VirtAddr, level: int, *, output_bits: int = OUTPUT_BITS, flags: bool = True
) -> PhysAddr | Translation | WalkFault:
    """What a descriptor says: the next table (a PhysAddr), the page, or why there is none.

    The order of the checks is the architecture's: valid, address size, access flag; rights are for the caller. Without
    `flags` the access flag counts as 1.
    """
    # Blocks exist at levels 1 and 2 only; at level 3 the same encoding is reserved, hence invalid.
    if not descriptor & 1 or not (descriptor & 2 or level in (1, 2)):
        return WalkFault.TRANSLATION
    output = descriptor & OUTPUT_ADDRESS.mask
    if output >> output_bits:
        return WalkFault.ADDRESS_SIZE
    if level < LEAF_LEVEL and descriptor & 2:
        return PhysAddr(output)
    if flags and not descriptor & AF.mask:
        return WalkFault.ACCESS_FLAG
    inside = (1 << SHIFTS[level]) - 1
    page = PhysAddr((output & ~inside) | (address & inside & ~PAGE_OFFSET))
    readable = bool(descriptor & AP1_EL0.mask)
    return Translation(page=page, readable=readable, writable=readable and not descriptor & AP2_READ_ONLY.mask)


async def walk(
    bus: Bus,
    ttb: PhysAddr,
    address: VirtAddr,
    *,
    write: bool,
    el0: bool = True,
    input_bits: int = INPUT_BITS,
    output_bits: int = OUTPUT_BITS,
    flags: bool = True,
    hierarchical: bool = True,
    updates: Updates = NO_UPDATES,
) -> Translation | Fault:
    """Find the page of `address`: one descriptor read per level, each a step of its own.

    With `hierarchical` the APTable bits of the tables on the way take rights away (IHI 0070 §3.13.3). `updates` sets
    flags of the leaf, each in an atomic update that fails if the leaf has changed: then it is looked at again.
    """
    start = first_level(input_bits)
    if address < 0 or address >> input_bits:
        return Fault(kind=WalkFault.TRANSLATION, level=start)
    table, limits = ttb, 0
    for level in range(start, LEVELS):
        where = descriptor_address(table, address, level)
        try:
            descriptor = await bus.load(where, f"TTD L{level} {address:#x}")
        except BusError:
            # A table that points outside memory (a freed and reused table frame does) is an external abort.
            return Fault(kind=WalkFault.EXTERNAL_ABORT, level=level, descriptor=where)
        found = decode(descriptor, address, level, output_bits=output_bits, flags=flags)
        if updates is not NO_UPDATES and isinstance(found, Translation):
            descriptor = await _update(bus, where, level, descriptor, updates, limits)
            found = decode(descriptor, address, level, output_bits=output_bits, flags=flags)
            if isinstance(found, Translation) and updates.clean(descriptor, limits):
                found = replace(found, clean=True)
        match found:
            case WalkFault():
                return Fault(kind=found, level=level, descriptor=where)
            case Translation():
                allowed = _allowed(found, descriptor, limits, el0=el0)
                if allowed.readable and (allowed.writable or not write):
                    return allowed
                return Fault(kind=WalkFault.PERMISSION, level=level, descriptor=where)
            case _:
                table = found
                limits |= descriptor if hierarchical else 0
    raise AssertionError(f"level {LEAF_LEVEL} descriptor {descriptor:#x} was taken for a table")


async def _update(bus: Bus, where: PhysAddr, level: int, descriptor: int, updates: Updates, limits: int) -> int:
    """Set the flags of a leaf; the descriptor afterwards, which may be another one altogether."""
    wanted = updates.wanted(descriptor, limits)
    while wanted != descriptor:
        expected, new = descriptor, wanted
        descriptor = await bus.rmw(where, partial(exchange, expected, new), f"flags of TTD {where:#x}")
        if descriptor == expected:
            return new
        # Whatever stands there now: only a leaf has flags.
        leaf = descriptor & _TABLE_BITS == (_TABLE_BITS if level == LEAF_LEVEL else VALID.mask)
        wanted = updates.wanted(descriptor, limits) if leaf else descriptor
    return descriptor


def _allowed(found: Translation, descriptor: int, limits: int, *, el0: bool) -> Translation:
    """The rights that are left after the APTable bits in `limits`; what AP[1] and APTable[0] say is for EL0 alone."""
    if el0 and not limits & _APTABLE:
        return found
    readable = not el0 or (found.readable and not limits & APTable0_NO_EL0.mask)
    read_only = descriptor & AP2_READ_ONLY.mask or limits & APTable1_READ_ONLY.mask
    return Translation(page=found.page, readable=readable, writable=readable and not read_only, clean=found.clean)


def _check_page(address: PhysAddr, what: str) -> None:
    """Refuse an address that a descriptor cannot hold."""
    if address & ~OUTPUT_ADDRESS.mask:
        raise ValueError(f"{what} address {address:#x}: allowed are multiples of 4096 below {1 << OUTPUT_BITS:#x}")


class PageTables:
    """Builds the tables of one address space at once, while a world is set up; running code uses steps instead."""

    def __init__(self, memory: Memory, allocator: FrameAllocator, owner: int) -> None:
        """Allocate the root table; it and all later tables belong to `owner`."""
        self.memory = memory
        self.allocator = allocator
        self.owner = owner
        self.root = allocator.allocate(owner)
        self.tables = [self.root]
        """Every table in the order of allocation, for whoever frees them."""

    def map_now(self, address: VirtAddr, page: PhysAddr, writable: bool = True) -> None:
        """Make `address` translate to `page`."""
        self.memory.write(self.leaf_address(address), self.page_entry(page, writable=writable))

    def unmap_now(self, address: VirtAddr) -> int:
        """Clear the leaf of `address`; its former descriptor is returned, tables stay."""
        leaf = self.leaf_address(address)
        former = self.memory.read(leaf)
        self.memory.write(leaf, 0)
        return former

    def leaf_address(self, address: VirtAddr) -> PhysAddr:
        """Where the level 3 descriptor of `address` lies; missing tables on the way are created."""
        self.check_address(address)
        table = self.root
        for level in range(LEAF_LEVEL):
            where = descriptor_address(table, address, level)
            descriptor = self.memory.read(where)
            if not descriptor & 1:
                table = self.allocator.allocate(self.owner)
                self.tables.append(table)
                self.memory.write(where, self.table_entry(table))
            elif not self.is_table(descriptor):
                raise ValueError(f"{address:#x} lies in a level {level} block: it has no level 3 descriptor")
            else:
                table = PhysAddr(descriptor & OUTPUT_ADDRESS.mask)
        return descriptor_address(table, address, LEAF_LEVEL)

    def page_entry(self, page: PhysAddr, writable: bool = True) -> int:
        """The leaf of a page; this and the next three are what another architecture does differently."""
        return page_descriptor(page, writable=writable)

    def table_entry(self, table: PhysAddr) -> int:
        """The descriptor that points to the next level's table."""
        return table_descriptor(table)

    def is_table(self, descriptor: int) -> bool:
        """Whether a valid descriptor above the leaf level points to a table."""
        return bool(descriptor & TABLE_OR_PAGE.mask)

    def check_address(self, address: VirtAddr) -> None:
        """Refuse an address that no walk accepts."""
        if address < 0 or address >> INPUT_BITS:
            raise ValueError(f"virtual address {address:#x}: allowed is 0..{(1 << INPUT_BITS) - 1:#x}")

    def lookup_now(self, address: VirtAddr) -> Translation | None:
        """The page of `address`, or None where a device would fault."""
        table = self.root
        for level in range(LEVELS):
            found = decode(self.memory.read(descriptor_address(table, address, level)), address, level)
            match found:
                case WalkFault():
                    return None
                case Translation():
                    return found
                case _:
                    table = found
        return None
