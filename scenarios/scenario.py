"""What a scenario is: a name, parameters with their allowed values, a function that fills a world, and expectations."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from functools import partial
from types import FunctionType
from typing import TypeVar, overload

from actors.runtime.primitives.places import defined
from actors.runtime.primitives.step import MisuseError
from actors.runtime.runners.unawaited import origins, tell, tell_python
from actors.runtime.runs.schedule import ParamValue
from actors.runtime.world import MEMORY_MODELS, SC, Session, World, not_plain

from .parameters import Param, Parameters, UnknownName, one_of

Build = Callable[..., None]
RecordT = TypeVar("RecordT", bound=Parameters)


MEMORY = "memory"
"""The parameter that says what memory is."""
MODEL = one_of(*MEMORY_MODELS, default=SC, meaning="what stores and loads of CPUs may do")


def model_of(params: Mapping[str, ParamValue]) -> str:
    """The memory model of a scenario's complete parameters."""
    return str(params.get(MEMORY, SC))


@dataclass(frozen=True, slots=True, kw_only=True)
class Expected:
    """What a shipped combination must come to, and why."""

    params: Mapping[str, ParamValue]
    verdict: str
    """"violated", "holds" (no schedule violates), "vacuous" (the witness cannot be reached) or "not found"."""
    oracle: str = ""
    """Which property breaks, where one does."""
    leaves: tuple[str, ...] = ()
    """What a log shows after such a run: names of events and fault reasons, and which errors stopped a queue."""
    searched: int = 0
    """Where the verdict is "not found", which is no proof: in how many schedules."""
    why: str = ""

    @property
    def details(self) -> str:
        """What goes with the verdict: the property that breaks, or how much was searched."""
        return f"in {self.searched:,} schedules" if self.searched else self.oracle


@dataclass(frozen=True, slots=True, kw_only=True)
class Scenario:
    """A closed world with parameters. `build` fills a fresh world; it is called once a run.

    Beside the world it gets a `record` of the parameters if there is one, else each parameter by its name.
    """

    name: str
    summary: str
    source: str
    params: Mapping[str, Param[ParamValue]]
    build: Build
    expected: tuple[Expected, ...] = field(default=())
    record: type[Parameters] | None = None
    """What declares the parameters, where they are not declared one by one."""
    memory: str = SC
    """The memory model that it has unless another one is given."""

    def complete(self, given: Mapping[str, ParamValue | str]) -> dict[str, ParamValue]:
        """All parameters in declared order, `given` over the defaults; UnknownName or BadValue.

        `memory` is one that every scenario has; it comes last, and only where it is not the usual one.
        """
        model = str(MODEL.parse(MEMORY, str(given.get(MEMORY, self.memory))))
        params = self._declared({name: value for name, value in given.items() if name != MEMORY})
        return {**params, MEMORY: model} if model != SC or self.memory != SC else params

    def _declared(self, given: Mapping[str, ParamValue | str]) -> dict[str, ParamValue]:
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
        world = World(session, memory_model=model_of(params))
        if not_plain(self.build):
            raise MisuseError(
                f"scenario {self.name} is no plain function: write `def` without `async` or `yield`; "
                "only its actors are `async def`",
                defined(self.build),
            )
        tell(world)
        try:
            answer = world.context.run(self.fill, world, params)
        finally:
            tell_python()
        if answer is not None:
            raise MisuseError(
                f"scenario {self.name} returned {type(answer).__name__}: it fills the world and returns None",
                defined(self.build),
            )
        if not isinstance(world.step_bound, int) or world.step_bound < 1:
            raise MisuseError(
                f"scenario {self.name} sets step_bound to {world.step_bound!r}: it is a number of at least 1",
                defined(self.build),
            )
        return world

    def fill(self, world: World, params: Mapping[str, ParamValue]) -> object:
        """Have `build` fill a world, given all parameters; what it answers, which should be None."""
        build: Callable[..., object] = self.build
        declared = {name: value for name, value in params.items() if name != MEMORY}
        return build(world, **declared) if self.record is None else build(world, self.record(**declared))


@overload
def scenario(
    record: type[RecordT],
    /,
    *,
    name: str = "",
    source: str = "",
    expected: tuple[Expected, ...] = (),
    memory: str = SC,
) -> Callable[[Callable[[World, RecordT], None]], Scenario]: ...


@overload
def scenario(
    *,
    name: str = "",
    source: str = "",
    expected: tuple[Expected, ...] = (),
    memory: str = SC,
    **params: Param[ParamValue],
) -> Callable[[Build], Scenario]: ...


def scenario(
    record: type[Parameters] | None = None,
    /,
    *,
    name: str = "",
    source: str = "",
    expected: tuple[Expected, ...] = (),
    memory: str = SC,
    **params: Param[ParamValue],
) -> Callable[[Build], Scenario]:
    """Make a scenario of the decorated function; its docstring's first line is the summary.

    The function takes the world and a `record`, or the world and each parameter by its name. TypeError for both, and
    for what is no record; MisuseError for the function itself, which is `@scenario` without parentheses. `memory` is
    its memory model, if that is not given with `--memory`; MisuseError if there is no such model.
    """
    if isinstance(record, FunctionType):
        raise MisuseError("write `@scenario()`, with parentheses", defined(record))
    if record is not None and (params or not (isinstance(record, type) and issubclass(record, Parameters))):
        raise TypeError("@scenario(...) takes one class of Parameters, or each parameter by its name")
    if memory not in MEMORY_MODELS:
        raise MisuseError(f"scenario: memory={memory!r} is no memory model; there are {', '.join(MEMORY_MODELS)}")

    def make(build: Build) -> Scenario:
        return Scenario(
            name=name or build.__name__.replace("_", "-"),
            summary=(inspect.getdoc(build) or "").split("\n")[0],
            source=source,
            params=params if record is None else record.declared,
            build=build,
            expected=expected,
            record=record,
            memory=memory,
        )

    return make
