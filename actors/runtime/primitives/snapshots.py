"""What an object of Python holds, as a value that tells whether somebody changed it meanwhile."""

from __future__ import annotations

import gc
from array import array
from collections import OrderedDict, deque
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from functools import cache, partial
from inspect import getattr_static
from types import (
    AsyncGeneratorType,
    BuiltinMethodType,
    CodeType,
    CoroutineType,
    FrameType,
    FunctionType,
    GeneratorType,
    GetSetDescriptorType,
    MappingProxyType,
    MemberDescriptorType,
    MethodType,
    MethodWrapperType,
    ModuleType,
    SimpleNamespace,
)
from typing import Any
from weakref import ProxyTypes

USERS = "scenario_file_"
"""The names of modules that a user wrote begin with this."""
OURS = frozenset({"hw", "drivers", "actors", "scenarios", "tools", "stopmarker"})
"""Packages of ours: what their objects hold is what steps declare."""
PLAIN: frozenset[type] = frozenset(
    {int, str, bytes, bool, float, complex, type(None), type(NotImplemented), type(...), range, slice, CodeType}
    | {CoroutineType, property, staticmethod, classmethod}
)
"""Types whose objects never change, or belong to the step that goes on."""
_BY_VALUE = frozenset({int, str, bytes, bool})
_BY_TEXT = frozenset({float, complex, range})
_NEVER_CHANGE = frozenset({"datetime", "fractions", "operator", "pathlib", "re", "struct", "_struct", "enum"})
"""Packages whose objects never change, but for iterators and what else is asked for before."""
_BUILT_IN = frozenset(
    {"object", "builtin_function_or_method", "wrapper_descriptor", "method_descriptor", "classmethod_descriptor"}
    | {"getset_descriptor", "member_descriptor", "types.GenericAlias", "GenericAlias", "ellipsis", "NotImplementedType"}
)
"""Types of Python's own whose objects never change."""
_LOGS = frozenset({"logging", "loguru"})
"""Packages that many use in one run: of their objects the attributes are looked at, not what lies below."""
_FIXED = frozenset({"Decimal"})
"""Types of other packages whose objects never change."""
_ORDERED: OrderedDict[Any, Any] = OrderedDict()
_VIEWS: tuple[type, ...] = (
    *(type({}.keys()), type({}.values()), type({}.items())),
    *(type(_ORDERED.keys()), type(_ORDERED.values()), type(_ORDERED.items())),
    MappingProxyType,
)
_C_MODULES = ("ctypes", "_ctypes")
_DEEPEST = 500
"""Objects that are looked at to find out what an iterator goes through."""


class Further:
    """Stands for what lies further away than anybody looks."""


FURTHER = Further()
Snapshot = Any
Way = Callable[[Any], Snapshot]
"""How the objects of one type are looked at."""
_ways: dict[type, Way | None] = {}
_MOST = 10_000
"""Objects that are looked at below one, and types that are remembered."""


def way_of(kind: type) -> Way | None:
    """How objects of a type are looked at; None if there is nothing to see."""
    try:
        return _ways[kind]
    except KeyError:
        if len(_ways) >= _MOST:  # classes that each world makes anew
            _ways.clear()
        way = _ways[kind] = _way(kind)
        return way


def _way(kind: type) -> Way | None:
    if kind is CoroutineType:
        return unknown
    if kind in PLAIN:
        return None
    if is_users(kind):
        return _users_object(kind)
    if issubclass(kind, BaseExceptionGroup):
        return None
    if is_c_memory(kind):
        return unknown
    if issubclass(kind, type) or kind is ModuleType:
        return _namespace
    if kind in (FunctionType, SimpleNamespace):
        return _attributes
    contents = _contents(kind)
    if contents is not None:
        return contents
    if issubclass(kind, BaseException):
        return _exception
    if issubclass(kind, tuple | frozenset | partial | MethodType | MethodWrapperType):
        return None
    if kind in (GeneratorType, AsyncGeneratorType):
        return unknown
    if kind.__module__.partition(".")[0] in OURS:
        return _world(kind) if hasattr(kind, "__dict__") and kind.__dictoffset__ else None
    return _of_python(kind)


def _of_python(kind: type) -> Way | None:
    """How an object of another package is looked at. How far an iterator has come cannot be seen."""
    package = kind.__module__.partition(".")[0]
    if kind in _VIEWS or kind is memoryview or kind in ProxyTypes:
        return view
    if hasattr(kind, "__next__"):
        return unknown
    if package in _LOGS:
        return _attributes
    if package == "builtins":
        return None if kind.__name__ in _BUILT_IN else unknown
    return None if package in _NEVER_CHANGE or kind.__name__ in _FIXED else unknown


def is_users(thing: type | ModuleType) -> bool:
    """Whether a user wrote this class or module."""
    name = thing.__name__ if isinstance(thing, ModuleType) else thing.__module__
    return name.startswith(USERS)


def is_c_memory(kind: type) -> bool:
    """Whether its objects are parts of memory that `ctypes` gives, which others may be parts of, too."""
    return any(base.__module__ in _C_MODULES for base in kind.__mro__)


def _contents(kind: type) -> Way | None:
    """How a container is looked at."""
    if issubclass(kind, list | deque):
        return tuple
    if issubclass(kind, OrderedDict):
        return _ordered_items
    if issubclass(kind, dict):
        return _items
    if issubclass(kind, set):
        return frozenset
    if issubclass(kind, bytearray):
        return bytes
    if issubclass(kind, array):
        return array.tobytes
    if kind.__module__ == "numpy" and kind.__name__ == "ndarray":
        return _numbers
    return None


def _users_object(kind: type) -> Way | None:
    """An object of a user's class: its attributes, its slots, and what it holds if it is a container."""
    if issubclass(kind, type):
        return _namespace
    library = next(base for base in kind.__mro__ if not is_users(base))
    contents = way_of(library) if library is not object else None
    slots = list(_slots(kind))
    if contents is None and not slots:
        return _attributes

    def look(thing: Any) -> Snapshot:
        held = [getattr(thing, name, None) for name in slots]
        return _attributes(thing), tuple(held), contents(thing) if contents is not None else None

    return look


def _slots(kind: type) -> Iterator[str]:
    """The names of the slots of a class, as attributes are called."""
    for base in kind.__mro__:
        for name in _names(base.__dict__.get("__slots__", ())):
            if name not in ("__dict__", "__weakref__"):
                is_private = name.startswith("__") and not name.endswith("__")
                yield f"_{base.__name__.lstrip('_')}{name}" if is_private else name


def _names(slots: str | Iterable[str]) -> Iterable[str]:
    return (slots,) if isinstance(slots, str) else slots


def _attributes(thing: Any) -> Snapshot:
    held = getattr(thing, "__dict__", None)
    return (type(thing), *held.items()) if held else (type(thing),)


def _exception(thing: Any) -> Snapshot:
    return thing.args, _attributes(thing)


def _ordered_items(thing: Any) -> Snapshot:
    return tuple(OrderedDict.items(thing))


def _items(thing: Any) -> Snapshot:
    return tuple(dict.items(thing))


def _namespace(thing: Any) -> Snapshot:
    """Of a class or a module that a user wrote its attributes."""
    return tuple(vars(thing).items()) if is_users(thing) else ()


def _world(kind: type) -> Way:
    """Of a world what a user hung on it, beside what its own methods name."""
    own = own_names(kind)

    def look(thing: Any) -> Snapshot:
        return tuple((name, value) for name, value in vars(thing).items() if name not in own)

    return look


@cache
def own_names(kind: type) -> frozenset[str]:
    """All names that the methods of a class use."""
    codes = [method.__code__ for base in kind.__mro__ for method in vars(base).values() if type(method) is FunctionType]
    return frozenset(name for code in codes for name in code.co_names)


def adds_attribute(kind: type, name: str) -> bool:
    """Whether objects of a class of ours can have an attribute of that name which only a user sets."""
    return way_of(kind) is not None and name not in own_names(kind) and not hasattr(kind, name)


def has_attribute(kind: type, name: str) -> bool:
    """Whether an attribute that is set of an object of a user's class is seen in it: not what the class of a library
    that it is made from keeps for itself."""
    found = getattr_static(kind, name, None)
    if isinstance(found, GetSetDescriptorType | MemberDescriptorType) and not is_users(found.__objclass__):
        return False
    library = next(base for base in kind.__mro__ if not is_users(base))
    if library.__module__.partition(".")[0] in OURS:
        return not isinstance(getattr(library, name, None), property)
    return library is object or not hasattr(library, name)


def _numbers(thing: Any) -> Snapshot:
    held = thing.tobytes() if thing.dtype != object else tuple(thing.flat)
    return held, thing.shape, thing.strides, str(thing.dtype), thing.flags.writeable


def unknown(_: Any) -> Snapshot:
    """Of what cannot be looked into nobody knows that it stayed the same."""
    return object()


def view(thing: Any) -> Snapshot:
    """What shows another object holds nothing itself, but may let go of it."""
    try:
        return (thing.nbytes >= 0,) if isinstance(thing, memoryview) else ()
    except ValueError:
        return (False,)


def is_same(before: Snapshot, now: Snapshot) -> bool:
    """Whether two looks at one object saw the same objects in it."""
    if before is now:
        return True
    if type(before) is tuple and type(now) is tuple:
        return len(before) == len(now) and all(map(is_same, before, now))
    if type(before) is not type(now):
        return False
    if type(before) is frozenset:
        return set(map(id, before)) == set(map(id, now))
    if type(before) in _BY_VALUE:
        return bool(before == now)
    # Equal to each other, and yet not the same, are 0.0 and -0.0, and two empty ranges.
    return type(before) in _BY_TEXT and repr(before) == repr(now)


def below(thing: Any, *, by_name: bool = False) -> Iterator[Any]:
    """`thing` and what can be reached from it through containers and attributes, each once.

    What lies too far away is FURTHER. With `by_name` that is in an order which is the same in every process, so not
    through sets, but through functions.
    """
    seen: dict[int, Any] = {}
    waiting = [thing]
    while waiting and len(seen) < _MOST:
        one = waiting.pop()
        kind = type(one)
        if kind in PLAIN or id(one) in seen:
            continue
        seen[id(one)] = one
        yield one
        if not by_name:
            waiting.extend(_parts(one, kind))
        elif kind is FunctionType:
            waiting.extend(value for _, value in captured(one))
        elif not issubclass(kind, set | frozenset):
            waiting.extend(_parts(one, kind))
    if waiting and not by_name:
        yield FURTHER


def sources(thing: Any) -> Iterator[Any]:
    """The containers and objects that something of Python's own or of a library works on, such as an iterator."""
    if isinstance(thing, memoryview):
        yield thing.obj
        return
    if type(thing) in ProxyTypes:
        yield thing.__init__.__self__  # a proxy hands it on to what it stands for
        return
    waiting, seen = [thing], set[int]()
    while waiting and len(seen) < _DEEPEST:
        one = waiting.pop()
        if id(one) in seen or isinstance(one, ModuleType | type | FrameType):
            continue
        seen.add(id(one))
        if type(one) is FunctionType:
            waiting.extend(value for _, value in captured(one))
            continue
        kind = type(one)
        if kind.__module__.partition(".")[0] in OURS:
            continue  # what it holds is what steps declare
        if one is not thing and (_contents(kind) is not None or is_users(kind) or hasattr(kind, "__next__")):
            yield one
        waiting.extend(other for other in gc.get_referents(one) if type(other) not in PLAIN)
    if waiting:
        yield FURTHER


def works_on_others(kind: type) -> bool:
    """Whether objects of a type may work on others that nobody hands over with them."""
    if is_users(kind):
        kind = next(base for base in kind.__mro__ if not is_users(base))
    return kind is not object and way_of(kind) in (unknown, view)


def reads_through(kind: type) -> bool:
    """Whether a class has attributes that code of no user's reads, who knows how far."""
    found = [one for base in kind.__mro__ if is_users(base) for one in vars(base).values() if isinstance(one, property)]
    return any(one.fget is not None and type(one.fget) is not FunctionType for one in found)


def captured(function: FunctionType) -> Iterator[tuple[str, Any]]:
    """What a function refers to apart from globals: by the name of its variable, or as a default."""
    for name, cell in zip(function.__code__.co_freevars, function.__closure__ or (), strict=True):
        with suppress(ValueError):  # not set yet
            yield name, cell.cell_contents
    for value in (*(function.__defaults__ or ()), *(function.__kwdefaults__ or {}).values()):
        yield f"a default of {function.__name__}", value


def _parts(thing: Any, kind: type) -> Iterator[Any]:
    if issubclass(kind, tuple | list | deque | set | frozenset):
        yield from list(thing)
    elif issubclass(kind, dict):
        for key, value in list(dict.items(thing)):
            yield key
            yield value
    elif kind is partial:
        yield from (thing.func, *thing.args, thing.keywords)
    elif kind.__module__ == "numpy" and str(getattr(thing, "dtype", "")) == "object":
        yield from list(thing.flat)
    elif kind in (MethodType, BuiltinMethodType, MethodWrapperType):
        yield thing.__self__
    elif issubclass(kind, BaseException):
        yield from (*thing.args, *getattr(thing, "exceptions", ()), *vars(thing).values())
    elif issubclass(kind, type) and is_users(thing):
        named = [value for name, value in vars(thing).items() if not name.startswith("__")]
        yield from [value for value in named if type(value) is not FunctionType]
    if is_users(kind) and not issubclass(kind, type):
        yield from [one for one in kind.__mro__ if is_users(one)]
    if (is_users(kind) or kind is SimpleNamespace) and not issubclass(kind, type):
        yield from [value for _, value in _attributes(thing)[1:]]
        yield from [getattr(thing, name) for name in _slots(kind) if hasattr(thing, name)]
