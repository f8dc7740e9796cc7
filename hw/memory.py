"""Physical memory in 4 KiB frames of 64-bit words, and the allocator that decides how soon a freed frame is somebody
else's (smmuv3 §8.4, invariant I3: nothing may reach a page after it was freed)."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from hw.bus import PhysAddr
from hw.fields import WORD_MASK

FRAME_BYTES = 4096
WORD_BYTES = 8
FRAME_WORDS = FRAME_BYTES // WORD_BYTES
FRAME_SHIFT = 12
WORD_SHIFT = 3

_ZEROS = np.zeros(FRAME_WORDS, dtype=np.uint64).data

FREE = 0
KERNEL = 1
MMIO = 2
FIRST_MM_OWNER = 16


class BusError(Exception):
    """An access that no memory answers: misaligned, beyond the end, or a value wider than a word."""


class FrameFreedTwice(Exception):
    """A frame was freed that is not allocated."""


class OutOfFrames(Exception):
    """The allocator has no frame left."""


def mm_owner(number: int) -> int:
    """The owner tag of the frames of process address space `number`."""
    if number < 0:
        raise ValueError(f"address space number {number}: it must be 0 or more")
    return FIRST_MM_OWNER + number


def owner_name(owner: int) -> str:
    """How people call an owner: "kernel", "mm A"."""
    if owner >= FIRST_MM_OWNER:
        number = owner - FIRST_MM_OWNER
        return f"mm {chr(ord('A') + number)}" if number < 26 else f"mm {number}"
    names = {FREE: "free", KERNEL: "kernel", MMIO: "mmio"}
    if owner not in names:
        raise ValueError(f"owner {owner}: known are {sorted(names)} and {FIRST_MM_OWNER} upwards")
    return names[owner]


class Memory:
    """Words that every agent shares; single words go through numpy's memoryview, the fastest way to a plain int."""

    def __init__(self, frames: int) -> None:
        """All words start as 0, all frames as free."""
        if frames < 1:
            raise ValueError(f"memory of {frames} frames: at least 1 is needed")
        words = frames * FRAME_WORDS
        self.frames = frames
        self.array: NDArray[np.uint64] = np.zeros(words, dtype=np.uint64)
        self.owner = [FREE] * frames
        self.generation = [0] * frames
        self._words = self.array.data
        self._touched = bytearray(frames)  # the frames that may hold anything but zeros
        # One AND refuses misaligned, negative and far addresses; what is left can only miss the end of the view.
        self._refused = ~((1 << (words * WORD_BYTES - 1).bit_length()) - WORD_BYTES)

    def read(self, address: PhysAddr) -> int:
        """The word at `address`."""
        if address & self._refused:
            raise self._error("read", address)
        try:
            return self._words[address >> WORD_SHIFT]
        except IndexError:
            raise self._error("read", address) from None

    def write(self, address: PhysAddr, value: int) -> None:
        """Replace the word at `address`."""
        if address & self._refused:
            raise self._error("write", address)
        try:
            self._words[address >> WORD_SHIFT] = value
            self._touched[address >> FRAME_SHIFT] = 1
        except IndexError:
            raise self._error("write", address) from None
        except ValueError:
            raise BusError(f"write of {value:#x} to {address:#x}: a word holds 0..{WORD_MASK:#x}") from None

    def move(self, array: NDArray[np.uint64]) -> None:
        """Keep the words in `array`, which is as long, from now on; who else knows it may write to it at any time."""
        array[:] = self.array
        self.array = array
        self._words = array.data
        self._touched[:] = b"\1" * self.frames

    def answers(self, address: PhysAddr) -> bool:
        """Whether there is a word at `address`; an access to any other place is aborted."""
        return not address % WORD_BYTES and 0 <= address < self.frames * FRAME_BYTES

    def zero_frame(self, address: PhysAddr) -> None:
        """Clear the whole frame at `address` at once, as a page allocator does before it hands the frame out."""
        frame = self._frame(address)
        if self._touched[frame]:
            first = frame * FRAME_WORDS
            self._words[first : first + FRAME_WORDS] = _ZEROS
            self._touched[frame] = 0

    def clear(self) -> None:
        """All words are 0 again, all frames free: as new, at the price of the frames that were written to."""
        touched = self._touched
        while (frame := touched.find(1)) >= 0:
            self.zero_frame(PhysAddr(frame << FRAME_SHIFT))
        self.owner = [FREE] * self.frames
        self.generation = [0] * self.frames

    def claim(self, address: PhysAddr, owner: int) -> None:
        """Give a frame that no allocator manages (registers, static tables) to `owner`."""
        self.owner[self._frame(address)] = owner

    def owner_of(self, address: PhysAddr) -> int:
        """Whose frame `address` lies in."""
        return self.owner[self._frame(address)]

    def _frame(self, address: PhysAddr) -> int:
        """The frame number of a byte address."""
        frame = address >> FRAME_SHIFT
        if not 0 <= frame < self.frames:
            raise self._error("frame look-up", address)
        return frame

    def _error(self, attempt: str, address: PhysAddr) -> BusError:
        """Say which access failed, and what would have been allowed."""
        end = self.frames * FRAME_BYTES
        found = "not a multiple of 8" if address % WORD_BYTES else "outside memory"
        return BusError(f"{attempt} at {address:#x}: {found}; allowed are multiples of 8 in 0..{end - WORD_BYTES:#x}")


class FrameAllocator:
    """Hands out the frame that was freed last first, so that a use after free meets its new owner at once."""

    def __init__(self, memory: Memory, first: int, last: int) -> None:
        """Manage the frame numbers `first` to `last`, both included."""
        if not 0 <= first <= last < memory.frames:
            raise ValueError(f"frames {first}..{last}: memory has 0..{memory.frames - 1}")
        self.memory = memory
        self.first = first
        self.last = last
        self._untouched = first
        self._freed: list[int] = []

    def allocate(self, owner: int) -> PhysAddr:
        """A zeroed frame that now belongs to `owner`."""
        if owner == FREE:
            raise ValueError("allocation for the owner FREE: a frame needs a real owner")
        if self._freed:
            frame = self._freed.pop()
        elif self._untouched <= self.last:
            frame = self._untouched
            self._untouched += 1
        else:
            raise OutOfFrames(
                f"allocation for {owner_name(owner)}: all frames {self.first}..{self.last} are in use; "
                "give the world more memory, or look for a leak"
            )
        address = PhysAddr(frame << FRAME_SHIFT)
        self.memory.zero_frame(address)
        self.memory.owner[frame] = owner
        return address

    def allocate_run(self, owner: int, count: int) -> PhysAddr:
        """`count` neighbouring zeroed frames that nobody had before, aligned to their size (a power of two)."""
        first = -(-self._untouched // count) * count
        if first + count - 1 > self.last:
            raise OutOfFrames(
                f"allocation of {count} neighbouring frames for {owner_name(owner)}: "
                f"frames {self._untouched}..{self.last} are untouched; give the world more memory"
            )
        self._freed[:0] = range(self._untouched, first)
        self._untouched = first + count
        for frame in range(first, first + count):
            self.memory.zero_frame(PhysAddr(frame << FRAME_SHIFT))
            self.memory.owner[frame] = owner
        return PhysAddr(first << FRAME_SHIFT)

    def free(self, address: PhysAddr) -> None:
        """Take a frame back; its contents stay until it is allocated again, as stale readers would find them."""
        frame = address >> FRAME_SHIFT
        if address % FRAME_BYTES or not self.first <= frame <= self.last:
            raise ValueError(f"free of {address:#x}: allowed are frame addresses in frames {self.first}..{self.last}")
        if self.memory.owner[frame] == FREE:
            raise FrameFreedTwice(
                f"free of frame {frame} ({address:#x}), which is already free "
                f"(generation {self.memory.generation[frame]})"
            )
        self.memory.owner[frame] = FREE
        self.memory.generation[frame] += 1
        self._freed.append(frame)
