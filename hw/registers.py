"""One frame of memory-mapped registers, one 64-bit word each: real offsets and widths are not modelled, so that one
access is one step."""

from __future__ import annotations

from collections.abc import Sequence

from hw.bus import PhysAddr
from hw.memory import FRAME_BYTES, WORD_BYTES


def words_of(base: PhysAddr, count: int) -> list[PhysAddr]:
    """Where `count` registers lie in the frame at `base`."""
    if base % FRAME_BYTES:
        raise ValueError(f"register frame at {base:#x}: it must be a multiple of {FRAME_BYTES}")
    return [PhysAddr(base + number * WORD_BYTES) for number in range(count)]


def name_at(address: PhysAddr, base: PhysAddr, names: Sequence[str]) -> str:
    """Which of the registers `names`, in their order from `base`, is at `address`."""
    number, rest = divmod(address - base, WORD_BYTES)
    if rest or not 0 <= number < len(names):
        last = base + (len(names) - 1) * WORD_BYTES
        raise ValueError(f"no register at {address:#x}: they are the words {base:#x}..{last:#x}")
    return names[number]
