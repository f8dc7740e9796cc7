"""What the code of a user's file looks at between two steps: objects and variables that can change.

A user's text is compiled so that it calls these functions (`tools.own_files.visible`). They note what they are given,
and hand it on, while an actor of a watched run acts; at any other time they do nothing else.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from types import BuiltinMethodType, FunctionType, MethodType, MethodWrapperType, ModuleType
from typing import Any, TypeVar

from .snapshots import PLAIN, Snapshot, below, is_same, is_users, sources, unknown, view, way_of

T = TypeVar("T")
_BOUND = (MethodType, BuiltinMethodType, MethodWrapperType)
"""What has an object of its own; of a built-in function that is its module."""
Key = tuple[int, str]
"""An object by its identity, while somebody holds it, and an empty text; or a scope and the name of its variable."""


class Scope:
    """One activation of a function whose variables others can see; `name` is the function's."""

    __slots__ = ("name",)

    def __init__(self, name: str) -> None:
        self.name = name


class Looks:
    """What was looked at between two steps."""

    __slots__ = ("objects", "variables")

    def __init__(self) -> None:
        self.objects: dict[int, tuple[Any, Snapshot]] = {}
        self.variables: dict[Key, tuple[Scope, bool]] = {}

    def note(self, thing: Any) -> None:
        """Remember what an object holds when it is first looked at."""
        kind = type(thing)
        if kind in _BOUND:
            thing = thing.__self__
            kind = type(thing)
        if kind in PLAIN or (kind is ModuleType and not is_users(thing)) or id(thing) in self.objects:
            return
        way = way_of(kind)
        if way is None:
            return
        self.objects[id(thing)] = thing, way(thing)
        if way is unknown or way is view:
            for one in sources(thing):
                if one is not thing:
                    self.note(one)

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

    __slots__ = ("segment",)

    def __init__(self) -> None:
        self.segment: Looks | None = None


here = Noting()


def see(thing: T) -> T:
    """Note an object that is used, and hand it on."""
    if type(thing) not in PLAIN and here.segment is not None:
        here.segment.note(thing)
    return thing


def deep(thing: T) -> T:
    """Note an object that is given to code which does not note what it looks at, and all that it holds."""
    if type(thing) not in PLAIN and here.segment is not None:
        for one in below(thing):
            here.segment.note(one)
    return thing


def each(things: Iterable[T]) -> Iterable[T]:
    """Go through a container in a loop with steps in it: it is looked at each time."""
    return things if type(things) in PLAIN else _each(things)


def _each(things: Iterable[T]) -> Iterator[T]:
    through = list(sources(things))
    for thing in things:
        for one in through:
            see(one)
        yield thing
    for one in through:
        see(one)


def variable(scope: Scope, name: str, value: T) -> T:
    """Note a variable that others can see and set, and what it refers to."""
    segment = here.segment
    if segment is not None:
        segment.variables.setdefault((id(scope), name), (scope, False))
        see(value)
    return value


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
        here.segment.variables[id(scope), name] = scope, True
