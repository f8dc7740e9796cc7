"""An image in this process: mapped at its fixed address, its statics as they were linked whenever a run begins.

It is mapped once a process, whoever asks for it: an image at a fixed address has no second place. Another image takes
the place of the one before.
"""

from __future__ import annotations

import ctypes
import os
from dataclasses import dataclass
from difflib import get_close_matches
from functools import cached_property
from pathlib import Path
from typing import Any

from .elf import opened
from .errors import CompileError
from .places import Places
from .startup import constructors

_PAGE = 4096
_READ_WRITE, _READ_WRITE_RUN = 3, 7
_PRIVATE_ANONYMOUS = 0x4022
"""And without swap being kept for it: most of what is mapped is never touched."""
_FIXED_NOREPLACE = 0x100000
_FAILED = (1 << 64) - 1
STACKS, STACK = 0x3000_0000, 0x1_0000
"""Where the stacks are, and the bytes of one; at the lower end of each lies a page that nobody may touch."""
SHADOW, OBJECTS, SITES, CONTROL, TURNS = 0x3800_0000, 0x3900_0000, 0x3B00_0000, 0x3C00_0000, 0x3C01_0000
HEAP, ARENA = 0x4000_0000, 0x10_0000
DMA, MOST_DMA = 0x5000_0000, 0x100_0000
"""Where the world's memory is, if C sees it, and how much there may be."""
THREADS = 64
SLOTS = THREADS + 1
"""One more than threads: the set-up, and whatever is called from Python, has a stack and a part of the heap too."""
_MOST_RANGES = 24
_MOST_FRAMES = 256
_MOST_TEXT = 1 << 20
"""Bytes of code, so that its place is part of a step's key."""

_libc = ctypes.CDLL(None, use_errno=True)
_libc.mmap.restype = ctypes.c_void_p
_libc.mmap.argtypes = [ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int, ctypes.c_int, ctypes.c_int, ctypes.c_long]
_libc.munmap.argtypes = [ctypes.c_void_p, ctypes.c_size_t]
_libc.mprotect.argtypes = [ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int]
_ONE_ARGUMENT = 8
_WORD = 8


class _Method(ctypes.Structure):
    """PyMethodDef."""

    _fields_ = [
        ("name", ctypes.c_char_p),
        ("function", ctypes.c_void_p),
        ("flags", ctypes.c_int),
        ("doc", ctypes.c_char_p),
    ]


_new_function = ctypes.pythonapi.PyCFunction_NewEx
_new_function.restype = ctypes.py_object
_new_function.argtypes = [ctypes.POINTER(_Method), ctypes.c_void_p, ctypes.c_void_p]


class Range(ctypes.Structure):
    """What a step touches: see `struct range` in runtime.h."""

    _fields_ = [(name, ctypes.c_uint64) for name in ("address", "size", "use", "site", "start")]


class Stop(ctypes.Structure):
    """What a thread is about to do: see `struct stop` in runtime.h."""

    _fields_ = [
        *(
            (name, ctypes.c_uint64)
            for name in ("kind", "address", "size", "pc", "site", "start", "mark", "order", "expected")
        ),
        ("verb", ctypes.c_char_p),
        *((name, ctypes.c_uint64) for name in ("waits", "is_idle", "value", "count")),
        ("range", Range * _MOST_RANGES),
        ("detail", ctypes.c_uint64 * 4),
    ]


class Control(ctypes.Structure):
    """What the runtime and Python tell each other: see `struct control` in runtime.h."""

    _fields_ = [
        ("stop", Stop),
        ("scheduler", ctypes.c_void_p),
        ("python", ctypes.c_void_p * 3),
        ("written", ctypes.c_uint64),
        ("end", ctypes.c_uint64),
        ("key", ctypes.c_uint64),
        *((name, ctypes.c_uint64) for name in ("dma", "pool", "pool_end")),
        *((name, ctypes.c_uint64) for name in ("weak", "barriers", "has_older", "older", "stored")),
        ("instead", ctypes.c_uint64 * 3),
    ]


class CThread(ctypes.Structure):
    """A thread: see `struct thread` in runtime.h."""

    _fields_ = [
        *((name, ctypes.c_uint64) for name in ("sp", "low", "high", "function")),
        ("argument", ctypes.c_uint64 * 6),
        *((name, ctypes.c_uint64) for name in ("result", "user_sp", "spinning", "held", "blocks", "until")),
        *((name, ctypes.c_uint64) for name in ("until_a", "until_b", "holder")),
        ("locked", ctypes.c_uint64 * 3),
        *((name, ctypes.c_uint64) for name in ("wrote", "reads", "at", "state", "exempt", "order")),
        ("seen", ctypes.c_uint64 * 3 * _MOST_RANGES),
        ("depth", ctypes.c_uint64),
        ("frames", ctypes.c_uint64 * (2 * _MOST_FRAMES)),
    ]


_AREAS = (
    (STACKS, SLOTS * STACK),
    (SHADOW, SLOTS * STACK // 8),
    (OBJECTS, SLOTS << 18),
    (SITES, 64 * _PAGE),
    (CONTROL, TURNS - CONTROL),
    (TURNS, SLOTS * ctypes.sizeof(CThread)),
    (HEAP, SLOTS * ARENA),
    (DMA, MOST_DMA),
)


def control() -> Control:
    """The one place that Python and the runtime share, once an image is mapped."""
    return Control.from_address(CONTROL)


def thread(number: int) -> CThread:
    """The thread of that number, once an image is mapped."""
    return CThread.from_address(TURNS + number * ctypes.sizeof(CThread))


@dataclass(frozen=True, slots=True)
class Segment:
    """A part of an image: where it begins, its bytes, its length in memory (the rest is zero), may it be written, and
    is it code: what lies in data nobody has looked through."""

    address: int
    data: bytes
    length: int
    is_written: bool
    is_code: bool

    @property
    def span(self) -> tuple[int, int]:
        """The pages that it takes: where they begin, how many bytes."""
        start = self.address & -_PAGE
        return start, (self.address + self.length + _PAGE - 1 & -_PAGE) - start


class Image:
    """A mapped image."""

    _mapped: Image | None = None

    def __init__(self, path: Path) -> None:
        self.path = path
        elf = opened(path)
        self.segments = [
            Segment(part["p_vaddr"], part.data(), part["p_memsz"], bool(part["p_flags"] & 2), bool(part["p_flags"] & 1))
            for part in elf.iter_segments()
            if part["p_type"] == "PT_LOAD" and part["p_memsz"]
        ]
        self.users = [
            (int(part["sh_addr"]), int(part["sh_size"]))
            for part in elf.iter_sections()
            if part["sh_flags"] & 3 == 3 and part["sh_size"] and not part.name.startswith((".ours", "ours_"))
        ]
        """The statics of the user's files: where each part begins, how many bytes."""
        self._symbols = {
            each.name: int(each["st_value"]) for each in elf.get_section_by_name(".symtab").iter_symbols() if each.name
        }
        written = [segment for segment in self.segments if segment.is_written]
        if min(segment.address for segment in written) - self.segments[0].address > _MOST_TEXT:
            raise CompileError(f"map {path.name}: it has more than {_MOST_TEXT:,} bytes of code")
        self._written = min(segment.address for segment in written)
        self._end = max(segment.address + segment.length for segment in self.segments)
        self.constructors = constructors(elf)
        """Where the functions begin that are called before any other."""
        self.places = Places(path)
        """Its lines and names, which are read once, whoever asks."""
        self._methods: list[_Method] = []
        self._functions: dict[tuple[str, int], Any] = {}
        self.entered = 0
        """How often a world has begun with it."""

    def enter(self) -> None:
        """Be the image of this process, with all statics as they were linked; no memory of a world is seen."""
        if Image._mapped is self:
            self.reset_heap()
            for segment in self.segments:
                if segment.is_written:
                    ctypes.memset(segment.address, 0, segment.length)
                    ctypes.memmove(segment.address, segment.data, len(segment.data))
        else:
            self._map()
        self.make_locks()
        control().dma = control().weak = 0
        self.entered += 1

    def _map(self) -> None:
        """Take the place of the image before."""
        before = Image._mapped
        if before is None:
            for start, length in _AREAS:
                _map(start, length)
            for number in range(SLOTS):
                _libc.mprotect(STACKS + number * STACK, _PAGE, 0)
        else:
            before.reset_heap()
            ctypes.memset(SITES, 0, 2 * _PAGE)
            for segment in before.segments:
                _libc.munmap(*segment.span)
        for segment in self.segments:
            _map(*segment.span)
            if not segment.is_code:
                _libc.mprotect(*segment.span, _READ_WRITE)
            ctypes.memmove(segment.address, segment.data, len(segment.data))
        Image._mapped = self
        shared = control()
        shared.written, shared.end = self._written, self._end
        for place, name in enumerate(("PyLong_AsLong", "PyLong_FromUnsignedLongLong", "PyBool_FromLong")):
            shared.python[place] = ctypes.cast(getattr(ctypes.pythonapi, name), ctypes.c_void_p).value
        self.function("c_catch", 1)(before is None)

    @cached_property
    def reset_heap(self) -> Any:
        """Makes the heap empty."""
        return self.function("c_reset_heap", 0)

    @cached_property
    def make_locks(self) -> Any:
        """Has the runtime know the locks that are made where they are defined."""
        return self.function("c_make_locks", 0)

    def function(self, name: str, arguments: int) -> Any:
        """A function of the image that Python may call; it keeps the interpreter to itself meanwhile."""
        known = self._functions.get((name, arguments))
        if known is None:  # a type each, which refers to itself: they are made once
            known = ctypes.PYFUNCTYPE(ctypes.c_uint64, *[ctypes.c_uint64] * arguments)(self.address(name))
            self._functions[name, arguments] = known
        return known

    def method(self, name: str) -> Any:
        """A function of the image that takes and returns one object of Python's, at the price of a built-in one."""
        method = _Method(name.encode(), self.address(name), _ONE_ARGUMENT, None)
        self._methods.append(method)
        return _new_function(ctypes.byref(method), None, None)

    def has(self, name: str) -> bool:
        """Whether there is such a symbol."""
        return name in self._symbols

    def address(self, name: str) -> int:
        """Where a symbol is; CompileError if there is none."""
        if name not in self._symbols:
            near = get_close_matches(name, self._symbols, 1)
            hint = f"; did you mean {near[0]}?" if near else ""
            raise CompileError(f"find {name}: the C files define no such function or variable{hint}")
        return self._symbols[name]

    @cached_property
    def stop(self) -> Stop:
        """The place where a thread says what it is about to do."""
        stop: Stop = control().stop
        return stop

    @cached_property
    def resume(self) -> Any:
        """Takes the step of a thread, by its number; the key of its next one, DONE or FAULT."""
        return self.method("c_resume")

    @cached_property
    def begin(self) -> Any:
        """Has a thread begin: its number, its function."""
        return self.function("c_begin", 2)

    @cached_property
    def call(self) -> Any:
        """Calls a function in the slot of the set-up."""
        return self.function("c_call", 1)

    @cached_property
    def own_signal_stack(self) -> Any:
        """To be called in each thread of the operating system that runs C."""
        return self.function("c_own_signal_stack", 0)

    @cached_property
    def used(self) -> Any:
        """Of each part of the heap how many bytes are handed out."""
        return (ctypes.c_uint64 * SLOTS).from_address(self.address("c_used"))

    def live_objects(self) -> list[tuple[int, int, int]]:
        """What is allocated now, in order: where it begins, its bytes, the place that allocated it."""
        found, live = (ctypes.c_uint64 * 6)(), []
        for part in [part for part, used in enumerate(self.used) if used]:
            number = 0
            while number := self._next_live(part, number, ctypes.addressof(found)):
                live.append((found[0], found[1], found[2]))
        return live

    @cached_property
    def queues(self) -> tuple[int, int]:
        """The work queues: they know the works that are queued."""
        return self.address("c_queues"), 8 * (5 + 256 + 5) * 8

    def memory(self) -> list[tuple[int, bytes]]:
        """What actors share, as it is now: the user's statics and what is allocated."""
        areas = [*self.users, (DMA, control().dma), *((start, size) for start, size, _ in self.live_objects())]
        return [(start, ctypes.string_at(start, size)) for start, size in areas]

    def pointers(self, start: int, length: int) -> list[int]:
        """The words in some memory that may point into the heap."""
        found = (ctypes.c_uint64 * (length // _WORD))()
        return found[: self._pointers(start, start + length, ctypes.addressof(found), len(found))]

    @cached_property
    def _pointers(self) -> Any:
        return self.function("c_pointers", 4)

    @cached_property
    def _next_live(self) -> Any:
        return self.function("c_live", 3)

    def state(self) -> bytes:
        """All that can change but the heap and the stacks."""
        return b"".join(ctypes.string_at(part.address, part.length) for part in self.segments if part.is_written)


def bytes_at(address: int, size: int) -> int:
    """What some bytes are as a number."""
    return int.from_bytes(ctypes.string_at(address, size), "little")


def _map(address: int, length: int) -> None:
    flags = _PRIVATE_ANONYMOUS | _FIXED_NOREPLACE
    found = _libc.mmap(address, length, _READ_WRITE_RUN, flags, -1, 0)
    if found != address:
        failed = found == _FAILED
        reason = os.strerror(ctypes.get_errno()) if failed else "this kernel puts it elsewhere"
        raise CompileError(f"map {length:,} bytes for C at {address:#x}: {reason}")
