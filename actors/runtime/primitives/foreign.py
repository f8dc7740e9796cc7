"""What code of a user's file may look at between two steps without anybody noting it: what never changes.

All else of objects that a user did not write is not looked into (`actors.runtime.primitives.looks`).
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from dis import EXTENDED_ARG, opmap
from enum import Enum
from functools import cache, lru_cache
from inspect import CO_COROUTINE
from types import CodeType, FunctionType, MethodType, ModuleType, SimpleNamespace
from typing import Any

from hw.memory import Memory

from .snapshots import OURS, PLAIN, USERS, adds_attribute, has_attribute, is_users, own_names
from .step import Step

LOOKED_INTO = OURS | frozenset(
    {"abc", "bisect", "builtins", "collections", "contextlib", "copy", "dataclasses", "enum", "fractions", "functools"}
    | {"heapq", "itertools", "json", "loguru", "math", "numpy", "operator", "pprint", "random", "re", "string"}
    | {"struct", "textwrap", "types", "typing", "zlib"}
    | {"_abc", "_bisect", "_collections", "_collections_abc", "_functools", "_heapq", "_json", "_operator", "_struct"}
)
"""Packages of which it is known what their functions look at (`tools.own_files.understood`)."""
_FIXED = frozenset({"memory_model", "name", "resource", "session"})
"""Attributes of ours that never change while a run goes on."""
_MODELS = OURS - {"tools", "stopmarker"}
_LOADS, _CACHE = opmap["LOAD_FAST"], opmap["CACHE"]
_SETS = (opmap["STORE_ATTR"], opmap["DELETE_ATTR"])
_TELLS = frozenset({"decode", "emit", "encode"})
"""Methods of ours that say or translate something, and look at nothing."""


def is_ours(kind: type) -> bool:
    """Whether objects of a class are parts of a world, whose state is what steps declare: not what a user wrote, nor
    records that never change."""
    if kind.__module__.partition(".")[0] not in OURS or issubclass(kind, Enum | tuple):
        return False
    made = getattr(kind, "__dataclass_params__", None)
    return made is None or not made.frozen


def part_of(kind: type, name: str) -> type | None:
    """The class of ours to which an attribute belongs: of a class that a user made from one of ours, what that uses."""
    if not is_users(kind):
        return kind if is_ours(kind) else None
    library = next(base for base in kind.__mro__ if not is_users(base))
    return library if is_ours(library) and (hasattr(library, name) or name in own_names(library)) else None


def is_fixed(thing: Any, name: str, value: Any) -> bool:
    """Whether an attribute of a part of a world is the same at any time: a method that is a step, a name, a part."""
    kind = type(value)
    if kind is MethodType:
        function = value.__func__
        returned = str(function.__annotations__.get("return", ""))
        is_step = function.__code__.co_flags & CO_COROUTINE or returned.startswith("Coroutine[")
        checked = isinstance(thing, Memory) and name in ("read", "write")
        declared = hasattr(type(thing), "is_declared") and thing.is_declared(name)
        return bool(is_step or checked or declared) or name in _TELLS
    if kind is FunctionType or isinstance(value, type | Enum):
        return True
    if name in _FIXED or is_ours(kind) or adds_attribute(type(thing), name):
        return True
    if isinstance(getattr(type(thing), name, None), property):
        return False
    return kind in PLAIN and not _is_set_later(type(thing), name)


def _is_set_later(kind: type, name: str) -> bool:
    """Whether code of ours sets that attribute of objects that are made already."""
    return name in _set_by_others(len(sys.modules)) or name in _set_by_itself(kind)


@cache
def _set_by_itself(kind: Any) -> frozenset[str]:
    named = [one for base in kind.__mro__ for one in vars(base).items()]
    codes = _codes((thing for name, thing in named if name not in ("__init__", "__post_init__")), kind.__module__)
    return frozenset(name for code in codes for name, is_own in _set_in(code) if is_own)


@lru_cache(1)
def _set_by_others(_: int) -> frozenset[str]:
    """All attributes that code of ours, as far as it is loaded, sets of what is not the object of its method."""
    modules = [module for name, module in sorted(sys.modules.items()) if name.partition(".")[0] in _MODELS]
    codes = (code for module in modules for code in _codes(list(vars(module).values()), module.__name__))
    return frozenset(name for code in codes for name, is_own in _set_in(code) if not is_own)


def _codes(things: Iterable[Any], module: str) -> Iterator[CodeType]:
    """The code of functions, and of all within them."""
    for thing in things:
        if isinstance(thing, type) and thing.__module__ == module:
            yield from _codes(list(vars(thing).values()), module)
        function = thing.fget if isinstance(thing, property) else getattr(thing, "__func__", thing)
        waiting = [function.__code__] if isinstance(function, FunctionType) else []
        while waiting:
            code = waiting.pop()
            yield code
            waiting += [one for one in code.co_consts if isinstance(one, CodeType)]


def _set_in(code: CodeType) -> Iterator[tuple[str, bool]]:
    """The attributes that code sets, and whether it is of the object whose method it is."""
    further, before = 0, (0, 0)
    for operation, given in zip(code.co_code[::2], code.co_code[1::2], strict=True):
        argument = further << 8 | given
        further = argument if operation == EXTENDED_ARG else 0
        if operation in _SETS:
            yield code.co_names[argument], before == (_LOADS, 0) and code.co_varnames[:1] == ("self",)
        if operation not in (EXTENDED_ARG, _CACHE):
            before = operation, argument


def is_foreign(thing: Any) -> bool:
    """Whether a function, a class or a module is of a package that is not looked into."""
    name = thing.__name__ if type(thing) is ModuleType else thing.__module__
    return name is not None and not name.startswith(USERS) and name.partition(".")[0] not in LOOKED_INTO


def takes_attribute(thing: Any, name: str) -> bool:
    """Whether an attribute that is set of an object is seen when it is looked at again."""
    kind = type(thing)
    if kind in (FunctionType, SimpleNamespace):
        return True
    if isinstance(thing, type):
        return is_users(thing) and not is_users(kind)
    if is_users(kind):
        return has_attribute(kind, name)
    if isinstance(thing, Step):
        return name in ("gives", "takes")  # whoever performs a step says what became of it
    return kind.__module__.partition(".")[0] in OURS and adds_attribute(kind, name)
