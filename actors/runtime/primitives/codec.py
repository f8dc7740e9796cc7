"""Messages on the wire: each port names the message types that it carries, and packs them as msgpack arrays.

The tag is the position in that list, so there is no global registry that an import could change.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import fields, is_dataclass
from enum import Enum
from functools import cache
from operator import attrgetter
from typing import Any, get_type_hints

import msgpack

from .names import Name

_pack = msgpack.Packer(autoreset=True).pack
_CARRIED = (int, str, bytes, float, list, tuple, Enum, type(None))
_REMEMBERED = 1_024
"""Decoded messages that a codec keeps: making one of these costs ten times a look-up."""


@cache
def _layout(kind: type) -> tuple[Callable[[Any], Any], tuple[str, ...], tuple[tuple[int, type[Enum | Name]], ...]]:
    """How to read all fields of a message at once, their names, and which positions hold an enum or a name."""
    names = tuple(field.name for field in fields(kind))
    hints = get_type_hints(kind)
    kinds = tuple(
        (position, hints[name])
        for position, name in enumerate(names)
        if isinstance(hints[name], type) and issubclass(hints[name], Enum | Name)
    )
    if len(names) > 1:
        return attrgetter(*names), names, kinds
    return (lambda message: tuple([getattr(message, name) for name in names])), names, kinds


@cache
def codec(*types: type) -> Codec:
    """The codec of these message types; it has no state, so equal ones are one."""
    return Codec(*types)


class Codec:
    """Packs and unpacks frozen dataclasses whose fields are ints, strings, enums, names, or lists of ints."""

    def __init__(self, *types: type) -> None:
        for kind in types:
            if not (isinstance(kind, type) and is_dataclass(kind) and vars(kind)["__dataclass_params__"].frozen):
                raise TypeError(
                    f"found {_called(kind)}; a port carries frozen dataclasses whose fields are "
                    "numbers, texts, enums or lists of numbers"
                )
            if wrong := _uncarried(kind):
                raise TypeError(f"{wrong}; its fields are numbers, texts, enums or lists of numbers")
        self._types = types
        self._layouts = tuple(_layout(kind) for kind in types)
        self._fields = {kind: ((tag,), self._layouts[tag][0]) for tag, kind in enumerate(types)}
        self._decoded: dict[bytes, Any] = {}
        self.has_names = any(issubclass(kind, Name) for _, _, kinds in self._layouts for _, kind in kinds)
        """Whether some field is only compared for equality."""

    def encode(self, message: object) -> bytes:
        """The bytes of a message; a type that the port does not carry is refused with a TypeError."""
        try:
            tag, fields_of = self._fields[type(message)]
        except KeyError:
            allowed = ", ".join(kind.__name__ for kind in self._types) or "nothing"
            if isinstance(message, type):
                hint = f"{message.__name__} is a type; send a message, such as {message.__name__}(…)"
                raise TypeError(f"{hint}; this port carries {allowed}") from None
            raise TypeError(f"send {type(message).__name__}: this port carries {allowed}") from None
        data: bytes = _pack(tag + fields_of(message))
        return data

    def decode(self, data: bytes) -> Any:
        """The message that was packed; one that was decoded before may be the same object, since it cannot change."""
        message = self._decoded.get(data)
        if message is not None:
            return message
        tag, *values = msgpack.unpackb(data)
        changeable = any(type(value) is list for value in values)
        _, names, kinds = self._layouts[tag]
        for position, kind in kinds:
            values[position] = kind(values[position])
        message = self._types[tag](**dict(zip(names, values, strict=True)))
        if not changeable:
            if len(self._decoded) >= _REMEMBERED:
                self._decoded.clear()
            self._decoded[data] = message
        return message


def _uncarried(kind: type) -> str:
    """The field of a message that cannot be packed, as far as its type says so; empty if there is none."""
    for name, hint in get_type_hints(kind).items():
        if isinstance(hint, type) and hint not in (object, Any) and not issubclass(hint, _CARRIED):
            return f"{kind.__name__}.{name} is a {hint.__name__}"
    return ""


def _called(kind: Any) -> str:
    if is_dataclass(kind) and not isinstance(kind, type):
        return f"the message {kind!r}, give its type {type(kind).__name__}"
    name = str(getattr(kind, "__name__", kind))
    return f"{name}, a dataclass that can be changed" if is_dataclass(kind) else name
