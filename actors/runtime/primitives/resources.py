"""Resources: the names of what steps touch, one bit each for the life of a session, so that masks compare across runs.

What is named must be the same in every run: an object that each world makes anew would get a new bit in each, and the
steps of earlier runs, which a search reorders, would touch nothing that the steps of this one do.
"""

from __future__ import annotations

import sys
from collections.abc import Collection, Mapping
from enum import Enum
from operator import attrgetter
from types import FunctionType

from .names import Name
from .step import MisuseError, Resource

_PLAIN = (str, int, bytes, bool, type(None), Name)


class ResourceTable(dict[Resource, int]):
    """Gives each resource one bit; MisuseError for what cannot be one.

    The numbers reach no choice and no trace; only equality and intersection of masks is ever used.
    """

    def __init__(self) -> None:
        super().__init__()
        self._parts: dict[object, Resource] = {}

    def __missing__(self, resource: Resource) -> int:
        part = self._parts.get(resource)
        if part is None:
            self._refuse_object(resource)
        bit = self[resource] = 1 << len(self) if part is None else self[part]
        return bit

    def stands_for(self, part: object, resource: Resource) -> None:
        """A part of a world, which the session lends to one after the other, may be named itself."""
        self._parts[part] = resource

    def mask(self, resource: Resource) -> int:
        """The one-bit mask of a resource."""
        return self[resource]

    def names(self, mask: int) -> list[Resource]:
        """The resources of a mask, in the order they were first named."""
        return [resource for resource, bit in self.items() if bit & mask and resource not in self._parts]

    def of_space(self, space: str) -> int:
        """The mask of all resources so far whose names begin with `space`."""
        bits = [bit for name, bit in self.items() if isinstance(name, tuple) and name and name[0] == space]
        return sum(set(bits))

    def _refuse_object(self, resource: Resource) -> None:
        """MisuseError unless a resource is made of nothing but what is equal in every run."""
        kind = type(resource)
        if kind in _PLAIN or resource in self._parts or (isinstance(resource, Enum) and _is_global(kind)):
            return
        if isinstance(resource, tuple | frozenset) and kind.__eq__ in (tuple.__eq__, frozenset.__eq__):
            for item in resource:
                self._refuse_object(item)
            return
        raise MisuseError(
            f"{shown(resource)} is no name of what a step touches, as each run has another one: give a text, such as "
            'writes=["ring"], a number, a member of a module\'s enum, a tuple of these, or a lock, port or interrupt'
        )


class FootprintTable(dict[tuple[Resource, ...], int]):
    """The masks of several resources, remembered."""

    def __init__(self, resources: ResourceTable) -> None:
        self._resources = resources

    def __missing__(self, resources: tuple[Resource, ...]) -> int:
        mask = 0
        for resource in resources:
            mask |= self._resources[resource]
        self[resources] = mask
        return mask


def listed(resources: object) -> tuple[Resource, ...]:
    """What `reads=` or `writes=` names; MisuseError for a text, which would be its letters, and for what is no list."""
    if isinstance(resources, Collection) and not isinstance(resources, str | bytes | Mapping):
        return tuple(resources)
    raise MisuseError(f'reads= and writes= are lists of names, such as reads=["ring"]; found {shown(resources)}')


def unhashable(resources: object) -> MisuseError:
    """Why one of `resources` cannot be a name."""
    return MisuseError(f'reads= and writes= name what a step touches, such as reads=["ring"]; found {shown(resources)}')


def shown(thing: object) -> str:
    """What an object is, as people call it, without its address."""
    if isinstance(thing, Enum):
        return f"{type(thing).__name__}.{thing.name}"
    if isinstance(thing, str | bytes | int | float | None):
        return repr(thing)
    if isinstance(thing, type):
        return f"class {thing.__name__}"
    if isinstance(thing, FunctionType):
        return f"function {thing.__name__}"
    if isinstance(thing, list | tuple):
        return f"{type(thing).__name__} of {', '.join(map(shown, thing)) or 'nothing'}"
    name = type(thing).__name__
    return f"{'an' if name[0] in 'AEIOUaeiou' else 'a'} {name}"


def _is_global(kind: type) -> bool:
    """Whether a class is made once, when its module is loaded."""
    try:
        return attrgetter(kind.__qualname__)(sys.modules[kind.__module__]) is kind
    except (AttributeError, KeyError):
        return False
