"""Parameters of scenarios: how one is declared, and the record of all that a world is built from."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import FrozenInstanceError, dataclass
from difflib import get_close_matches
from types import MappingProxyType
from typing import ClassVar, Generic, NoReturn, TypeVar, overload

from actors.runtime.runs.schedule import ParamValue

ValueT_co = TypeVar("ValueT_co", bound=ParamValue, covariant=True)
_FEW = 8
"""Numbers that are named one by one."""


class UnknownName(ValueError):
    """A name that nothing has; the message suggests the nearest."""


class BadValue(ValueError):
    """A parameter value that is not allowed; the message says which are."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Param(Generic[ValueT_co]):
    """One parameter: its default, its allowed values (first to last as people should read them), its meaning.

    As an attribute of a `Parameters` class it is this declaration, as an attribute of a record it is the value.
    """

    default: ValueT_co
    allowed: Sequence[ValueT_co]
    """A range, where all numbers between two are allowed: there may be more of them than anybody could go through."""
    meaning: str

    @overload
    def __get__(self, record: None, owner: type[object], /) -> Param[ValueT_co]: ...

    @overload
    def __get__(self, record: object, owner: type[object] | None = None, /) -> ValueT_co: ...

    def __get__(self, record: object, owner: object = None, /) -> Param[ValueT_co] | ValueT_co:
        # A record has its values in its dictionary, where Python looks before it asks here.
        return self if record is None else self.default

    @property
    def described(self) -> str:
        """The allowed values as people read them."""
        if isinstance(self.allowed, range) and len(self.allowed) > _FEW:
            return f"{self.allowed[0]} … {self.allowed[-1]}"
        return ", ".join(map(str, self.allowed))

    def below(self, value: int) -> Iterator[int]:
        """Allowed numbers below an allowed one, the lowest first; of many the lowest few, then ever nearer ones."""
        if not isinstance(self.allowed, range):
            yield from [lower for lower in self.allowed if isinstance(lower, int) and lower < value]
            return
        few = range(self.allowed[0], min(value, self.allowed[0] + _FEW))
        yield from few
        distance = (value - self.allowed[0]) // 2
        while distance:
            if value - distance >= few.stop:
                yield value - distance
            distance //= 2

    def parse(self, name: str, text: str) -> ParamValue:
        """The allowed value that `text` names; BadValue otherwise."""
        if isinstance(self.allowed, range):
            if (whole := _whole(text)) is not None and whole in self.allowed:
                return whole
        else:
            for value in self.allowed:
                if str(value) == text:
                    return value
        words = () if isinstance(self.allowed, range) else self.allowed
        near = get_close_matches(text, [value for value in words if isinstance(value, str)], 1)
        hint = f"; did you mean {near[0]!r}?" if near else ""
        raise BadValue(f"parameter {name}={text!r}: allowed are {self.described}{hint}")


def _whole(text: str) -> int | None:
    """The whole number that a text is, as Python writes it; None for any other text."""
    return int(text) if re.fullmatch(r"0|-?[1-9][0-9]{0,30}", text) else None


def one_of(*values: str, default: str, meaning: str) -> Param[str]:
    """A parameter that takes one of some words."""
    return Param(default=default, allowed=values, meaning=meaning)


def number(low: int, high: int, *, default: int, meaning: str) -> Param[int]:
    """A parameter that takes a whole number from `low` to `high`."""
    return Param(default=default, allowed=range(low, high + 1), meaning=meaning)


class Parameters:
    """All that one scenario is given, as a record that nobody changes; a subclass declares what there is.

        class LastPut(Parameters):
            put = one_of("two-steps", "atomic", default="atomic", meaning="how a reference is dropped")
            users = number(2, 3, default=2, meaning="who drop their reference")

    `LastPut.put` is the declaration, which another class may name as its own; `LastPut(put="atomic").put` is the word.
    The parameters of a base class come first, but for those that are declared again: they come where that is. A
    property that is computed from parameters may stand beside them.
    """

    declared: ClassVar[Mapping[str, Param[ParamValue]]] = MappingProxyType({})
    """The parameters by name, in order."""

    def __init_subclass__(cls) -> None:
        """Collect what the class and its bases declare; TypeError for a name that every record has."""
        super().__init_subclass__()
        own = [name for name, param in vars(cls).items() if isinstance(param, Param)]
        if "declared" in own:
            raise TypeError(f"class {cls.__name__}: a parameter cannot have the name 'declared'")
        bases = [base for base in cls.__bases__ if issubclass(base, Parameters)]
        names = dict.fromkeys([*(name for base in bases for name in base.declared if name not in own), *own])
        params = {name: getattr(cls, name) for name in names}
        cls.declared = MappingProxyType({name: param for name, param in params.items() if isinstance(param, Param)})

    def __init__(self, /, **given: ParamValue) -> None:
        """Take `given` over the defaults; TypeError for a name that is not declared, BadValue as for `Param.parse`."""
        declared, values = self.declared, vars(self)
        for name in given:
            if name not in declared:
                raise TypeError(f"{type(self).__name__} has no parameter {name!r} (it has: {', '.join(declared)})")
        for name, param in declared.items():
            value = given.get(name, param.default)
            values[name] = value if value in param.allowed else param.parse(name, str(value))

    def __setattr__(self, name: str, value: object) -> NoReturn:
        raise FrozenInstanceError(f"cannot assign to {name!r}: parameters do not change")

    def __delattr__(self, name: str) -> NoReturn:
        raise FrozenInstanceError(f"cannot delete {name!r}: parameters do not change")

    def __eq__(self, other: object) -> bool:
        return type(self) is type(other) and vars(self) == vars(other)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({', '.join(f'{name}={value!r}' for name, value in vars(self).items())})"
