"""What a scenario is: a name, parameters with their allowed values, a function that fills a world, and expectations."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from difflib import get_close_matches
from functools import partial

from actors.runtime.places import defined
from actors.runtime.schedule import ParamValue
from actors.runtime.step import MisuseError
from actors.runtime.unawaited import origins, tell, tell_python
from actors.runtime.world import Session, World, not_plain

Build = Callable[..., None]
_FEW = 8
"""Numbers that are named one by one."""


class UnknownName(ValueError):
    """A name that nothing has; the message suggests the nearest."""


class BadValue(ValueError):
    """A parameter value that is not allowed; the message says which are."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Param:
    """One parameter: its default, its allowed values (first to last as people should read them), its meaning."""

    default: ParamValue
    allowed: Sequence[ParamValue]
    """A range, where all numbers between two are allowed: there may be more of them than anybody could go through."""
    meaning: str

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


def one_of(*values: str, default: str, meaning: str) -> Param:
    """A parameter that takes one of some words."""
    return Param(default=default, allowed=values, meaning=meaning)


def number(low: int, high: int, *, default: int, meaning: str) -> Param:
    """A parameter that takes a whole number from `low` to `high`."""
    return Param(default=default, allowed=range(low, high + 1), meaning=meaning)


@dataclass(frozen=True, slots=True, kw_only=True)
class Expected:
    """What a shipped combination must come to, and why."""

    params: Mapping[str, ParamValue]
    verdict: str
    """"violated", "holds" (no schedule violates) or "vacuous" (the witness cannot be reached)."""
    oracle: str = ""
    """Which property breaks, where one does."""
    why: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Scenario:
    """A closed world with parameters. `build(world, **params)` fills a fresh world; it is called once a run."""

    name: str
    summary: str
    source: str
    params: Mapping[str, Param]
    build: Build
    expected: tuple[Expected, ...] = field(default=())

    def complete(self, given: Mapping[str, ParamValue | str]) -> dict[str, ParamValue]:
        """All parameters in declared order, `given` over the defaults; UnknownName or BadValue."""
        for name in given:
            if name not in self.params:
                near = get_close_matches(name, self.params, 1)
                hint = f"; did you mean {near[0]!r}?" if near else ""
                known = ", ".join(self.params) or "none"
                raise UnknownName(f"scenario {self.name} has no parameter {name!r}{hint} (it has: {known})")
        return {
            name: param.parse(name, str(given[name])) if name in given else param.default
            for name, param in self.params.items()
        }

    def world(self, session: Session, params: Mapping[str, ParamValue]) -> World:
        """A fresh world; MisuseError if the scenario does what belongs into an actor."""
        world = self._filled(session, params)
        if world.broken is not None:
            with origins():
                told = self._filled(session, params).broken or world.broken
            raise MisuseError(told.message)
        world.again = partial(self.world, session, params)
        return world

    def _filled(self, session: Session, params: Mapping[str, ParamValue]) -> World:
        """A world as `build` fills it; MisuseError if that is no plain function."""
        world = World(session)
        if not_plain(self.build):
            raise MisuseError(
                f"scenario {self.name} is no plain function: write `def` without `async` or `yield`; "
                "only its actors are `async def`",
                defined(self.build),
            )
        tell(world)
        try:
            answer: object = self.build(world, **params)  # type: ignore[func-returns-value]  # which it may do
        finally:
            tell_python()
        if answer is not None:
            raise MisuseError(
                f"scenario {self.name} returned {type(answer).__name__}: it fills the world and returns None",
                defined(self.build),
            )
        return world


def scenario(
    *, name: str = "", source: str = "", expected: tuple[Expected, ...] = (), **params: Param
) -> Callable[[Build], Scenario]:
    """Make a scenario of the decorated function; its docstring's first line is the summary."""

    def make(build: Build) -> Scenario:
        given = name or build.__name__.replace("_", "-")
        summary = (inspect.getdoc(build) or "").split("\n")[0]
        return Scenario(name=given, summary=summary, source=source, params=params, build=build, expected=expected)

    return make
