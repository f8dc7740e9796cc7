"""What the code of a user's file looks at between two steps: objects and variables that can change.

A user's text is compiled so that it calls these functions (`tools.own_files.visible`). They note what they are given,
and hand it on, while an actor of a watched run acts; at any other time they do nothing else. Of what cannot be looked
into (`here.everything` says what) nothing is noted: from then on all steps count as dependent on each other.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from functools import partial
from types import (
    BuiltinFunctionType,
    BuiltinMethodType,
    CoroutineType,
    FunctionType,
    GeneratorType,
    MethodType,
    MethodWrapperType,
    ModuleType,
)
from typing import Any, TypeVar

from .foreign import is_fixed, is_foreign, is_ours, part_of, takes_attribute
from .snapshots import (
    OURS,
    PLAIN,
    USERS,
    Further,
    Snapshot,
    below,
    is_c_memory,
    is_same,
    is_users,
    reads_through,
    sources,
    way_of,
    works_on_others,
)
from .step import MisuseError

T = TypeVar("T")
_BOUND = (MethodType, BuiltinMethodType, MethodWrapperType)
"""What has an object of its own; of a built-in function that is its module."""
SAYS = frozenset({"holder", "readers", "writer", "waiting", "pending", "value"})
"""What locks, interrupts, ports and counts say of themselves."""
_SAYING = tuple(f"actors.runtime.{name}" for name in ("kernel", "primitives.sync", "primitives.ports"))
_COMPARES = frozenset({"index", "count", "remove", "sort", "insort"})
"""Methods of containers that ask their elements whether they are equal, or less."""


_ELSEWHERE = frozenset({FunctionType, BuiltinFunctionType, type})
"""What may come from a module that nobody looks into."""


def _is_numpy(kind: type) -> bool:
    return any(base.__module__ == "numpy" for base in kind.__mro__)


class _CMemory:
    """Stands for all memory that `ctypes` gives: each use counts as a change."""


_C_MEMORY = iter([_CMemory()])
Key = tuple[int, str]
"""An object by its identity, while somebody holds it, and an empty text; or a scope and the name of its variable."""


class Scope:
    """One activation of a function whose variables others can see; `name` is the function's."""

    __slots__ = ("name", "namespace")

    def __init__(self, name: str, namespace: dict[str, Any] | None = None) -> None:
        self.name = name
        self.namespace = namespace
        """Of the module's own: who comes to it as a dictionary comes to its variables."""

    def key(self, name: str) -> Key:
        """What tells this variable apart."""
        return (id(self), name) if self.namespace is None else (id(self.namespace), "")


class Looks:
    """What was looked at between two steps."""

    __slots__ = ("objects", "variables")

    def __init__(self) -> None:
        self.objects: dict[int, tuple[Any, Snapshot]] = {}
        self.variables: dict[Key, tuple[Scope, bool]] = {}

    def note(self, thing: Any) -> None:
        """Remember what an object holds when it is first looked at."""
        kind = type(thing)
        if kind in _BOUND or kind is partial:
            self._note_called(thing)
            return
        if kind in PLAIN or (kind is ModuleType and not is_users(thing)) or id(thing) in self.objects:
            return
        if kind in _ELSEWHERE and is_foreign(thing):
            here.look_no_further(f"`{thing.__name__}`")
        elif kind is Further:
            here.look_no_further("an object that holds thousands of others")
        way = way_of(kind)
        if way is None:
            return
        self.objects[id(thing)] = thing, way(thing)
        if works_on_others(kind):
            for one in sources(thing):
                self.note(one)
        if is_users(kind) and reads_through(kind):
            for one in below(thing):
                self.note(one)
        self._note_parts(thing, kind)

    def _note_parts(self, thing: Any, kind: type) -> None:
        """What belongs to an object though it has an identity of its own: others may come to it another way."""
        for above in (thing if isinstance(thing, type) else kind).__mro__:
            if is_users(above) and above is not thing:
                self.note(above)
        attributes = getattr(thing, "__dict__", None)
        if type(attributes) is dict and kind.__module__.partition(".")[0] not in OURS:
            self.note(attributes)
        if _is_numpy(kind):
            self._note_numbers(thing)
        if is_c_memory(kind):
            self.note(_C_MEMORY)

    def _note_numbers(self, thing: Any) -> None:
        """Of numpy's objects what they hold, and what they are a view of."""
        if str(getattr(thing, "dtype", "")) == "object":
            for one in below(thing):
                self.note(one)
        base = getattr(thing, "base", None)
        if base is not None:
            self.note(base)

    def _note_called(self, thing: Any) -> None:
        """What is called works on its object: only of plain methods is it known that they look no further."""
        if type(thing) is partial:
            for one in below(thing):
                if type(one) is not partial:
                    self.note(one)
            return
        if is_ours(type(thing.__self__)) and not is_fixed(thing.__self__, thing.__name__, thing):
            here.look_no_further(f"`{thing.__name__}` of {type(thing.__self__).__name__}")
        function = getattr(thing, "__func__", None)
        if type(function) is FunctionType:
            self.note(function)
            module, file = function.__globals__.get("__name__", ""), function.__code__.co_filename
            is_deep = file.startswith("<") or not module.startswith(USERS)
        else:
            is_deep = thing.__name__ in _COMPARES or thing.__name__.startswith("__")
        if is_deep:
            for one in below(thing.__self__):
                self.note(one)
        else:
            self.note(thing.__self__)

    def looked_at(self) -> list[tuple[Key, Any, bool]]:
        """Each object and variable, and whether it was changed."""
        found: list[tuple[Key, Any, bool]] = []
        for number, (thing, before) in self.objects.items():
            way = way_of(type(thing))
            assert way is not None
            found.append(((number, ""), thing, not is_same(before, way(thing))))
        found += [(key, scope, written) for key, (scope, written) in self.variables.items()]
        return found


class Noting:
    """The segment that goes on; None if nobody is watched."""

    __slots__ = ("everything", "refused", "segment")

    def __init__(self) -> None:
        self.segment: Looks | None = None
        self.refused: Exception | None = None
        """What was refused meanwhile: a model may catch it."""
        self.everything = ""
        """What was met that cannot be looked into."""

    def look_no_further(self, what: str) -> None:
        """Whatever is shared by way of this is not noted."""
        self.everything = self.everything or what


here = Noting()


def see(thing: T) -> T:
    """Note an object that is used, and hand it on."""
    if type(thing) not in PLAIN and here.segment is not None:
        here.segment.note(thing)
    return thing


def attribute(thing: Any, name: str, *default: Any) -> Any:
    """The attribute of an object, and note it, as `getattr` gives it.

    What an object of ours says of itself between two steps no step declares, unless it never changes: an error for what
    a lock or the like says, as there is a right way to ask.
    """
    if here.segment is None:
        return getattr(thing, name, *default)
    kind = type(thing)
    ours = part_of(kind, name)
    if ours is not None:
        if name in SAYS and ours.__module__.startswith(_SAYING):
            _refuse(thing, name)
        value = getattr(thing, name, *default)
        if not is_fixed(thing, name, value):
            here.look_no_further(f"`{name}` of {kind.__name__}")
    else:
        value = getattr(thing, name, *default)
        if kind is ModuleType and is_foreign(thing):
            here.look_no_further(f"`{thing.__name__}.{name}`")
    if type(value) not in PLAIN:
        here.segment.note(value)
    return value


def _refuse(thing: Any, name: str) -> None:
    error = MisuseError(
        f"a step looks at `{name}` of {getattr(thing, 'name', type(thing).__name__)}, which no step declares: keep "
        "what others need to know in a word, or look at it at the end (`eventually`)"
    )
    here.refused = here.refused or error
    raise error


def stored(thing: T, name: str) -> T:
    """Note an object whose attribute is set or taken away, and hand it on."""
    if here.segment is not None:
        if not takes_attribute(thing, name):
            here.look_no_further(f"`{name}` that is set of {type(thing).__name__}")
        here.segment.note(thing)
    return thing


def deep(thing: T) -> T:
    """Note an object that is given to code which does not note what it looks at, and all that it holds."""
    if type(thing) not in PLAIN and here.segment is not None:
        for one in below(thing):
            here.segment.note(one)
    return thing


def called(function: T) -> T:
    """Note what something that is not of a user's text works on, and hand it on."""
    return function if type(function) is FunctionType else deep(function)


def each(things: Iterable[T]) -> Iterable[T]:
    """Go through a container in a loop with steps in it: it is looked at each time."""
    return things if type(things) in PLAIN else _each(things)


def delegated(things: Iterable[T]) -> Iterable[T]:
    """What a generator hands the work to, which notes for itself what it looks at if it is one, too."""
    return things if type(things) is GeneratorType else each(things)


def _each(things: Iterable[T]) -> Iterator[T]:
    through = iter(things)
    for thing in through:
        see(things)
        see(through)  # a user's own `__iter__` may go through something else
        yield thing
        see(things)
        see(through)
    see(things)
    see(through)


def used(scope: Scope, name: str) -> None:
    """Note a variable that others can see and set; it need not be set yet."""
    if here.segment is not None:
        here.segment.variables.setdefault(scope.key(name), (scope, False))


def variable(_: None, value: T) -> T:
    """Note what such a variable refers to."""
    return see(value)


def awaited(thing: T) -> T:
    """Note a coroutine that was kept before it is awaited: it may be awaited once. One that never is, nobody holds."""
    if here.segment is not None and type(thing) is CoroutineType:
        here.segment.objects.setdefault(id(thing), (thing, ()))
    return thing


def looked_at() -> list[Any]:
    """What was looked at since the last step."""
    return [thing for thing, _ in here.segment.objects.values()] if here.segment is not None else []


def again(things: Iterable[Any], value: T) -> T:
    """Look again at what a statement came to before it was suspended, which it may work on now."""
    if here.segment is not None:
        for thing in things:
            here.segment.note(thing)
    return see(value)


def last(things: tuple[Any, ...]) -> Any:
    """The last of several things, which were looked at together."""
    return things[-1]


def looks_further(function: Callable[[int], object], words: Iterable[int]) -> bool:
    """Whether what a function answers to `words` depends on more than them: never of what nobody watches."""
    if here.segment is None:
        return False
    if type(function) is not FunctionType:
        return True
    before, here.segment = here.segment, Looks()
    try:
        for word in words:
            function(word)
        return bool(here.segment.objects or here.segment.variables)
    finally:
        here.segment = before


def wrote(scope: Scope, name: str) -> None:
    """Note that such a variable was set."""
    if here.segment is not None:
        here.segment.variables[scope.key(name)] = scope, True
