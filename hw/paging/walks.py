"""What page tables of both architectures have in common: four levels of 9 bits, and what a walk comes to."""

from __future__ import annotations

from dataclasses import dataclass

from hw.bus import PhysAddr, VirtAddr

LEVELS = 4
"""Numbered from 0, the root's; x86 numbers its own from 4 downwards."""
LEAF_LEVEL = LEVELS - 1
SHIFTS = (39, 30, 21, 12)
"""Of each level the lowest bit of an address that it looks at; each looks at 9 bits."""


def descriptor_address(table: PhysAddr, address: VirtAddr, level: int) -> PhysAddr:
    """Where the descriptor for `address` lies in a table of `level`."""
    return PhysAddr(table + (((address >> SHIFTS[level]) & 0x1FF) << 3))


@dataclass(frozen=True, slots=True, kw_only=True)
class Translation:
    """A page that a walk found, with the rights that an unprivileged access has."""

    page: PhysAddr
    readable: bool
    writable: bool
    clean: bool = False
    """Hardware would make it writable: a write has to walk again."""
