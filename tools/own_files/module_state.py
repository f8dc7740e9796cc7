"""What a user's modules hold that can change: remembered once they are loaded, and put back before each world is built.

Objects keep their identity, and get back what they held: lists, dictionaries, sets, instances, classes, function
defaults and closures, caches, generators of random numbers. Executing the modules anew instead would make new classes
for each world. An iterator that can be copied is replaced by a copy; what can neither be put back nor copied is listed.
"""

from __future__ import annotations

import copy
import functools
import random
from _thread import allocate_lock
from array import array
from collections import OrderedDict, deque
from collections.abc import Callable, Iterable, Iterator
from dataclasses import fields, is_dataclass
from dis import get_instructions
from enum import Enum, EnumType
from io import BytesIO, IOBase, StringIO
from operator import is_
from types import (
    CodeType,
    FunctionType,
    GeneratorType,
    MappingProxyType,
    MethodType,
    ModuleType,
    SimpleNamespace,
)
from typing import Any

import numpy as np

from actors.runtime.primitives.snapshots import PLAIN, Snapshot, is_same
from actors.runtime.runs.running import UndeterminedCall
from scenarios.parameters import Param
from scenarios.scenario import Expected, Scenario

from .guards import ADVANCED
from .iterators import ONCE, copy_of, is_copied, is_iterator, is_read_from, reached
from .namespaces import ClassValues, Namespace
from .outliving import hidden_in, state_of

_ATOMS = (int, float, complex, str, bytes, bool, type(None), range, ModuleType, Param, Expected)
_FOREIGN = frozenset(
    {"abc", "asyncio", "click", "dataclasses", "enum", "inspect", "logging", "loguru", "multiprocessing", "re", "rich"}
    | {"threading", "tools", "trio", "typing"}
)
"""Packages whose objects live for others too, or never change."""
_NOT_ENTERED = frozenset(
    {"__annotations__", "__builtins__", "__dataclass_fields__", "__dataclass_params__", "__dict__", "__weakref__"}
    | {"__orig_bases__", "__parameters__", "_abc_impl"}
)
"""Names that Python itself writes."""
_MOST = 100_000
"""Objects that are looked at; whoever has more is told apart by his runs alone."""
_CACHE = type(functools.lru_cache(lambda: None))
_BINDS = ("STORE_ATTR", "DELETE_ATTR", "STORE_GLOBAL", "DELETE_GLOBAL")
_BY_NAME = frozenset(
    {"setattr", "delattr", "__setattr__", "__delattr__", "__dict__", "vars", "globals", "exec", "eval"}
)
_PARTS = (deque, list, dict, set, type(allocate_lock()))
_HELD = frozenset({"asyncio", "logging", "threading"})
"""Packages of those whose objects a module may hold for itself, such as an event; and what is entered of these."""
Put = Callable[[], object]


class ModuleState:
    """The state of modules that were added, as it was then."""

    def __init__(self) -> None:
        self.lost: list[str] = []
        """Names of what cannot be put back."""
        self._modules: set[str] = set()
        self._seen: dict[int, object] = {}
        self._namespaces: list[Namespace] = []
        self._rarely: list[Namespace] = []
        self._writes = False
        """Whether any code binds attributes or global names: else modules and classes stay as they are."""
        self._empty: list[dict[str, object]] = []
        self._puts: list[Put] = []
        self._generators: list[tuple[str, Any]] = []
        self._came: dict[int, list[object]] = {}
        """How far each had come before the first world."""
        self._outliving: list[tuple[str, object, Snapshot]] = []
        """What can only be compared."""
        self._copies: dict[int, tuple[Any, Any]] = {}
        self._fresh: dict[int, Any] = {}

    def add(self, module: ModuleType, code: CodeType) -> None:
        """Remember what this module, made by `code`, holds now."""
        self._modules.add(module.__name__)
        if _binds(code):
            self._namespaces += self._rarely
            self._rarely, self._writes = [], True
        waiting: list[tuple[object, str]] = []
        self._namespace(vars(module), "", waiting)
        while waiting and len(self._seen) < _MOST:
            thing, name = waiting.pop()
            if not isinstance(thing, _ATOMS) and id(thing) not in self._seen:
                self._seen[id(thing)] = thing
                self._remember(thing, name, waiting)

    @property
    def checked(self) -> int:
        """How many things are looked at, or put back, before each world."""
        return len(self._namespaces) + len(self._puts)

    def restore(self) -> None:
        """Put everything back."""
        self._fresh.clear()
        for name, generator in self._generators:
            now = reached(generator)
            before = self._came.setdefault(id(generator), now)
            if len(now) != len(before) or not all(map(is_, now, before)):
                raise UndeterminedCall(f"{name}, a generator of the module, {ADVANCED}")
        for namespace in self._namespaces:
            values, saved = namespace.now, namespace.saved
            if len(values) != len(saved) or not all(map(is_, values.values(), saved.values())):
                namespace.put()
        if any(self._empty):
            for attributes in self._empty:
                attributes.clear()
        for put in self._puts:
            put()
        for name, thing, before in self._outliving:
            if not is_same(before, state_of(thing)):
                raise UndeterminedCall(f"{name} ({type(thing).__name__} of the module) {ADVANCED}")

    def _remember(self, thing: Any, name: str, waiting: list[tuple[object, str]]) -> None:
        """Remember what `thing` holds, and look at its parts later."""
        kind = type(thing)
        if isinstance(thing, Scenario):
            waiting.append((thing.build, name))
        elif isinstance(thing, Enum):
            if kind.__module__ in self._modules:
                self._namespace(vars(thing), f"{kind.__name__}.{thing.name}.", waiting)
        elif isinstance(thing, type):
            if thing.__module__ in self._modules:
                self._namespace(ClassValues(thing), f"{thing.__name__}.", waiting, isinstance(thing, EnumType))
                made = vars(thing).get("__dataclass_fields__", {}).values()
                waiting += [(field.default_factory, f"{thing.__name__}.{field.name}") for field in made]
                if isinstance(thing, EnumType):
                    waiting += [(one, name) for one in vars(thing)["_member_map_"].values()]
        elif isinstance(thing, FunctionType):
            if thing.__globals__.get("__name__") in self._modules:
                self._function(thing, name, waiting)
        elif isinstance(thing, _CACHE):
            self._puts.append(thing.cache_clear)
            waiting.append((thing.__wrapped__, name))
        elif isinstance(thing, functools.partial):
            waiting += [(part, name) for part in (thing.func, *thing.args, thing.keywords)]
        elif isinstance(thing, MethodType):
            waiting += [(thing.__self__, name), (thing.__func__, name)]
        elif isinstance(thing, property):
            waiting += [(part, name) for part in (thing.fget, thing.fset, thing.fdel)]
        elif isinstance(thing, staticmethod | classmethod):
            waiting.append((thing.__func__, name))
        elif isinstance(thing, GeneratorType):
            self._generators.append((name, thing))
        elif isinstance(thing, StringIO | BytesIO):
            self._puts.append(functools.partial(_rewrite, thing, thing.getvalue(), thing.tell()))
        elif isinstance(thing, IOBase) and is_read_from(thing):
            self._puts.append(functools.partial(thing.seek, thing.tell()))
        elif isinstance(thing, ONCE):
            self.lost.append(f"{name} ({kind.__name__})")
        elif is_dataclass(thing) and kind.__dataclass_params__.frozen:
            waiting += [(getattr(thing, field.name, None), f"{name}.{field.name}") for field in fields(thing)]
        elif str(kind.__module__).partition(".")[0] not in _FOREIGN:
            self._contents(thing, name, waiting)
            self._attributes(thing, name, waiting)
        elif str(kind.__module__).partition(".")[0] in _HELD and isinstance(getattr(thing, "__dict__", None), dict):
            self._namespace(vars(thing), f"{name}.", waiting, flat=True)
            held = vars(thing).items()
            waiting += [(part, f"{name}.{key}") for key, part in held if type(part) in _PARTS]
        waiting += [(part, name) for part in hidden_in(thing)]
        state = state_of(thing)
        if state is not None and type(thing) not in PLAIN:
            self._outliving.append((name, thing, state))

    def _contents(self, thing: Any, name: str, waiting: list[tuple[object, str]]) -> None:
        """Of a container, or of a generator of random numbers."""
        match thing:
            case list() | deque():
                self._sequence(thing, name, waiting)
            case dict():
                self._dictionary(thing, name, waiting)
            case set():
                self._puts.append(functools.partial(_refill, thing, set.clear, set.update, set(thing)))
                waiting += [(item, name) for item in thing]
            case tuple() | frozenset() | MappingProxyType():
                items = thing.values() if isinstance(thing, MappingProxyType) else thing
                self.lost += [f"{name} ({type(item).__name__})" for item in items if is_copied(item)]
                waiting += [(item, name) for item in items]
            case bytearray() | array():
                self._puts.append(functools.partial(thing.__setitem__, slice(None), thing[:]))
            case np.ndarray():
                if thing.dtype == object:
                    waiting += [(item, name) for item in thing.flat]
                if thing.flags.writeable:
                    self._puts.append(functools.partial(thing.__setitem__, ..., thing.copy()))
            case random.Random() if not isinstance(thing, random.SystemRandom):
                self._puts.append(functools.partial(thing.setstate, thing.getstate()))
            case np.random.Generator():
                generator: Any = thing.bit_generator
                self._puts.append(functools.partial(setattr, generator, "state", copy.deepcopy(generator.state)))
            case np.random.RandomState():
                self._puts.append(functools.partial(thing.set_state, copy.deepcopy(thing.get_state())))

    def _sequence(self, thing: Any, name: str, waiting: list[tuple[object, str]]) -> None:
        saved = list(thing)
        if isinstance(thing, deque):
            put = functools.partial(_refill, thing, deque.clear, deque.extend, saved)
        else:
            put = functools.partial(list.__setitem__, thing, slice(None), saved)
        self._puts.append(put)
        self._copied((number for number, item in enumerate(saved) if is_iterator(item)), saved, thing.__setitem__, name)
        waiting += [(item, f"{name}[{number}]") for number, item in enumerate(saved)]

    def _dictionary(self, thing: dict[Any, Any], name: str, waiting: list[tuple[object, str]]) -> None:
        kind = OrderedDict if isinstance(thing, OrderedDict) else dict
        saved = dict(thing)
        self._puts.append(functools.partial(_refill, thing, kind.clear, kind.update, saved))
        keys = [key for key, item in saved.items() if is_iterator(item)]
        self._copied(keys, saved, functools.partial(kind.__setitem__, thing), name)
        waiting += [(item, name) for item in saved.values()]
        waiting += [(key, name) for key in saved]

    def _attributes(self, thing: Any, name: str, waiting: list[tuple[object, str]]) -> None:
        """Of an instance: those in its dictionary and those in slots."""
        attributes = getattr(thing, "__dict__", None)
        if isinstance(thing, SimpleNamespace) or isinstance(attributes, dict):
            self._namespace(thing.__dict__, f"{name}.", waiting)
        for kind in type(thing).__mro__:
            slots = vars(kind).get("__slots__", ())
            for slot in (slots,) if isinstance(slots, str) else slots:
                member = vars(kind).get(f"_{kind.__name__.lstrip('_')}{slot}" if _is_private(slot) else slot)
                if member is not None and hasattr(member, "__set__"):
                    self._slot(member, thing, f"{name}.{slot}", waiting)

    def _slot(self, member: Any, thing: object, name: str, waiting: list[tuple[object, str]]) -> None:
        try:
            value = member.__get__(thing)
        except AttributeError:
            self._puts.append(functools.partial(_empty_slot, member, thing))
            return
        if is_iterator(value):
            self._copied([0], [value], lambda _, fresh: member.__set__(thing, fresh), name)
        else:
            self._puts.append(functools.partial(member.__set__, thing, value))
            waiting.append((value, name))

    def _function(self, thing: FunctionType, name: str, waiting: list[tuple[object, str]]) -> None:
        if vars(thing):
            self._namespace(vars(thing), f"{name}.", waiting)
        else:
            self._empty.append(vars(thing))
        defaults = thing.__defaults__ or ()
        if any(map(is_iterator, defaults)):
            self._puts.append(functools.partial(self._renew_defaults, thing, tuple(map(self._pristine, defaults))))
        waiting += [(item, f"a default of {thing.__name__}") for item in defaults]
        waiting.append((thing.__kwdefaults__, f"a default of {thing.__name__}"))
        code = thing.__code__
        for variable, cell in zip(code.co_freevars, thing.__closure__ or (), strict=True):
            self._cell(cell, variable in _rebound(code), f"{variable} of {thing.__name__}", waiting)

    def _renew_defaults(self, thing: FunctionType, saved: tuple[Any, ...]) -> None:
        thing.__defaults__ = tuple(map(self._renewed, saved))

    def _cell(self, cell: Any, rebound: bool, name: str, waiting: list[tuple[object, str]]) -> None:
        """A variable of an outer function; put back only for those functions that bind it anew."""
        try:
            value = cell.cell_contents
        except ValueError:
            return
        put = functools.partial(setattr, cell, "cell_contents")
        if is_iterator(value):
            self._copied([0], [value], lambda _, fresh: put(fresh), name)
        elif rebound:
            self._puts.append(functools.partial(put, value))
        waiting.append((value, name))

    def _namespace(self, values: Any, name: str, waiting: list[tuple[object, str]], flat: bool = False) -> None:
        """Names and what they stand for: a module's, a class's, an instance's."""
        saved = dict(values)
        rarely = not self._writes and (
            isinstance(values, ClassValues) or "__builtins__" in saved or "__objclass__" in saved
        )
        namespace = Namespace(values, saved)
        (self._rarely if rarely else self._namespaces).append(namespace)
        keys = [key for key, item in saved.items() if key not in _NOT_ENTERED and is_iterator(item)]
        self._copied(keys, dict(saved), namespace.renew, name)
        if not flat:
            waiting += [(item, f"{name}{key}") for key, item in saved.items() if key not in _NOT_ENTERED]

    def _copied(self, keys: Iterable[Any], saved: Any, put: Callable[[Any, Any], object], name: str) -> None:
        """Have iterators replaced by copies of what they are now; those that cannot be copied are lost."""
        for key in keys:
            pristine = self._pristine(saved[key])
            if pristine is saved[key]:
                self.lost.append(f"{name}{key if isinstance(key, str) else ''} ({type(pristine).__name__})")
            else:
                saved[key] = pristine
                self._puts.append(functools.partial(self._put_copy, put, key, pristine))

    def _put_copy(self, put: Callable[[Any, Any], object], key: Any, pristine: Any) -> None:
        put(key, self._renewed(pristine))

    def _pristine(self, iterator: Any) -> Any:
        """A copy that nobody uses up, the same for all who share the iterator."""
        if not is_iterator(iterator):
            return iterator
        return self._copies.setdefault(id(iterator), (iterator, copy_of(iterator)))[1]

    def _renewed(self, pristine: Any) -> Any:
        """A copy, the same for all who share it."""
        if not is_iterator(pristine):
            return pristine
        if id(pristine) not in self._fresh:
            self._fresh[id(pristine)] = copy_of(pristine)
        return self._fresh[id(pristine)]


def _refill(thing: Any, clear: Callable[[Any], object], fill: Callable[[Any, Any], object], saved: Any) -> None:
    clear(thing)
    fill(thing, saved)


def _rewrite(file: Any, text: Any, place: int) -> None:
    file.seek(0)
    file.truncate()
    file.write(text)
    file.seek(place)


def _empty_slot(member: Any, thing: object) -> None:
    try:
        member.__delete__(thing)
    except AttributeError:
        return


def _codes(code: CodeType) -> Iterator[CodeType]:
    """The code and all that it defines."""
    yield code
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from _codes(constant)


def _binds(code: CodeType) -> bool:
    """Whether it binds any attribute, perhaps of a class, or a global name in a function."""
    return any(
        not _BY_NAME.isdisjoint(part.co_names) or any(step.opname in _BINDS for step in get_instructions(part))
        for part in _codes(code)
    )


def _rebound(code: CodeType) -> set[str]:
    """The variables of outer functions that it binds anew."""
    steps = (step for part in _codes(code) for step in get_instructions(part))
    return {str(step.argval) for step in steps if step.opname in ("STORE_DEREF", "DELETE_DEREF")}


def _is_private(slot: str) -> bool:
    return slot.startswith("__") and not slot.endswith("__")
