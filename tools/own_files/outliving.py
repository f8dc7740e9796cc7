"""What a module holds that nobody can put back: how far it has come is compared, so that whoever changes it is told."""

from __future__ import annotations

import ctypes
from collections.abc import Iterator
from types import BuiltinMethodType, MethodWrapperType, ModuleType
from typing import Any

from actors.runtime.primitives.snapshots import PLAIN, Snapshot

from .iterators import is_iterator

_DEEPEST = 5


def state_of(thing: Any, depth: int = 0) -> Snapshot:
    """What tells whether an object has changed; None if nothing does. Objects within it count by identity."""
    kind = type(thing)
    if kind in PLAIN:
        return thing
    if isinstance(thing, memoryview | ctypes.Structure | ctypes.Array | ctypes._SimpleCData):
        return bytes(thing)
    for name in ("locked", "qsize"):
        if kind.__module__.startswith("_") and hasattr(kind, name):
            return getattr(thing, name)()
    if depth < _DEEPEST and (is_iterator(thing) or isinstance(thing, BaseException)):
        try:
            function, *parts = thing.__reduce__()
        except TypeError:
            return None
        return (function, *(_state_of_part(part, depth + 1) for part in parts))
    return None


def _state_of_part(part: Any, depth: int) -> Snapshot:
    if isinstance(part, tuple):
        return tuple(_state_of_part(one, depth) for one in part)
    return state_of(part, depth) or part


def hidden_in(thing: Any) -> Iterator[Any]:
    """What an object of the interpreter goes on with, or calls, without a name of its own."""
    if isinstance(thing, BuiltinMethodType | MethodWrapperType) and not isinstance(thing.__self__, ModuleType):
        yield thing.__self__
    factory = getattr(thing, "default_factory", None)
    if factory is not None:
        yield factory
