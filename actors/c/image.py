"""An image in this process: mapped at its fixed address, its statics as they were linked whenever a run begins.

It is mapped once a process, whoever asks for it: an image at a fixed address has no second place. Another image takes
the place of the one before.
"""

from __future__ import annotations

import ctypes
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

_PAGE = 4096
_READ_WRITE_RUN = 7
_PRIVATE_ANONYMOUS = 0x22
_FIXED_NOREPLACE = 0x100000
STACKS = 0x3000_0000
STACK = 64 << 10
"""Bytes of one thread's stack; below each lies a page that nobody may touch."""
THREADS = 64

_libc = ctypes.CDLL(None, use_errno=True)
_libc.mmap.restype = ctypes.c_void_p
_libc.mmap.argtypes = [ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int, ctypes.c_int, ctypes.c_int, ctypes.c_long]
_libc.munmap.argtypes = [ctypes.c_void_p, ctypes.c_size_t]
_libc.mprotect.argtypes = [ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int]


class ImageError(Exception):
    """An image that cannot be mapped, or has no such symbol."""


class Stop(ctypes.Structure):
    """What a thread is about to do: see `struct stop` in runtime.c."""

    _fields_ = [
        ("kind", ctypes.c_uint64),
        ("address", ctypes.c_uint64),
        ("size", ctypes.c_uint64),
        ("pc", ctypes.c_uint64),
        ("marks", ctypes.c_uint64),
        ("argument", ctypes.c_uint64 * 6),
    ]


@dataclass(frozen=True, slots=True)
class Segment:
    """A part of an image: where it begins, its bytes, its length in memory (the rest is zero), may it be written."""

    address: int
    data: bytes
    length: int
    is_written: bool

    @property
    def span(self) -> tuple[int, int]:
        """The pages that it takes: where they begin, how many bytes."""
        start = self.address & -_PAGE
        return start, (self.address + self.length + _PAGE - 1 & -_PAGE) - start


class Image:
    """A mapped image."""

    _mapped: Image | None = None

    def __init__(self, path: Path) -> None:
        from elftools.elf.elffile import ELFFile

        self.path = path
        with path.open("rb") as file:
            elf = ELFFile(file)
            self.segments = [
                Segment(part["p_vaddr"], part.data(), part["p_memsz"], bool(part["p_flags"] & 2))
                for part in elf.iter_segments()
                if part["p_type"] == "PT_LOAD"
            ]
            table: Any = elf.get_section_by_name(".symtab")
            self.symbols = {each.name: int(each["st_value"]) for each in table.iter_symbols() if each.name}

    def enter(self) -> None:
        """Be the image of this process, with all statics as they were linked."""
        if Image._mapped is not self:
            if Image._mapped is not None:
                Image._mapped._leave()
            else:
                _map(STACKS, THREADS * STACK)
                for number in range(THREADS):
                    _libc.mprotect(STACKS + number * STACK, _PAGE, 0)
            for segment in self.segments:
                _map(*segment.span)
                ctypes.memmove(segment.address, segment.data, len(segment.data))
            Image._mapped = self
        for segment in self.segments:
            if segment.is_written:
                ctypes.memset(segment.address, 0, segment.length)
                ctypes.memmove(segment.address, segment.data, len(segment.data))

    def function(self, name: str, arguments: int) -> Any:
        """A function of the image that Python may call; it keeps the interpreter to itself meanwhile."""
        return ctypes.PYFUNCTYPE(ctypes.c_uint64, *[ctypes.c_uint64] * arguments)(self.address(name))

    def address(self, name: str) -> int:
        """Where a symbol is; ImageError if there is none."""
        if name not in self.symbols:
            raise ImageError(f"find {name} in the C files: they define no such symbol")
        return self.symbols[name]

    @cached_property
    def stop(self) -> Stop:
        """The place where a thread says what it is about to do."""
        return Stop.from_address(self.address("c_stop"))

    def _leave(self) -> None:
        for segment in self.segments:
            _libc.munmap(*segment.span)


def _map(address: int, length: int) -> None:
    flags = _PRIVATE_ANONYMOUS | _FIXED_NOREPLACE
    if _libc.mmap(address, length, _READ_WRITE_RUN, flags, -1, 0) != address:
        raise ImageError(f"map {length:,} bytes at {address:#x}: something else is there")
