"""Iterators that a user's modules hold: copies of them, how far a generator has come, and what keeps a run off it."""

from __future__ import annotations

import warnings
from io import IOBase
from types import AsyncGeneratorType, CoroutineType, GeneratorType
from typing import Any

from .guards import refuse_use

ONCE = (GeneratorType, CoroutineType, AsyncGeneratorType, IOBase)
"""What can neither be put back nor copied."""


class Generator:
    """Stands in for a generator of a module once worlds are built: whoever goes on with it there is refused."""

    def __init__(self, generator: Any) -> None:
        self._generator = generator

    def __iter__(self) -> Generator:
        return self

    def __next__(self) -> Any:
        refuse_use(self._generator.__qualname__)
        return next(self._generator)

    def __getattr__(self, name: str) -> Any:
        refuse_use(self._generator.__qualname__)
        return getattr(self._generator, name)


def reached(generator: Any) -> list[object]:
    """How far a generator has come."""
    frame = generator.gi_frame
    return [] if frame is None else [frame.f_lasti, *frame.f_locals.values()]


def is_read_from(file: Any) -> bool:
    """Whether a file is open for reading only, so that it can be put back to where it was."""
    try:
        return bool(file.readable() and file.seekable() and not file.writable())
    except ValueError:  # it is closed
        return False


def is_copied(thing: object) -> bool:
    """Whether a copy can take the place of an iterator."""
    return is_iterator(thing) and not isinstance(thing, GeneratorType)


def is_iterator(thing: object) -> bool:
    """A stateful iterator of the interpreter or of itertools: copying it copies how far it has come."""
    kind = type(thing)
    if isinstance(thing, GeneratorType):
        return True
    return kind.__module__ in ("builtins", "itertools") and hasattr(kind, "__next__") and not isinstance(thing, ONCE)


def copy_of(iterator: Any) -> Any:
    """A copy that has come as far; the iterator itself if it cannot be copied, of a generator what refuses its use."""
    if isinstance(iterator, GeneratorType):
        return Generator(iterator)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)  # of copies of itertools, which 3.14 does not make
            return _rebuilt(iterator)
    except Exception:
        return iterator


def _rebuilt(part: Any) -> Any:
    """An iterator with copies of those that it goes on with; anything else as it is."""
    if isinstance(part, tuple):
        return tuple(map(_rebuilt, part))
    if not is_copied(part):
        return part
    function, given, *states = part.__reduce__()
    made = function(*_rebuilt(given))
    if states and states[0] is not None:
        made.__setstate__(_rebuilt(states[0]))
    return made
