"""An experiment: a scenario with its parameters, ready to build worlds and to run them."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import replace
from difflib import get_close_matches
from functools import wraps
from typing import Any, TypeVar

import trio

from actors.c.errors import CompileError
from actors.runtime.primitives.places import place_of
from actors.runtime.primitives.sharing import Shared, Sharing, everything
from actors.runtime.runners.controlled import Controlled, controlled
from actors.runtime.runners.live import live
from actors.runtime.runners.threads import threaded
from actors.runtime.runs import running
from actors.runtime.runs.execution import Execution
from actors.runtime.runs.running import UndeterminedCall
from actors.runtime.runs.schedule import ParamValue, Recipe, Schedule
from actors.runtime.runs.scheduler import Scheduler
from actors.runtime.world import Session, World, not_plain
from scenarios import catalogue
from scenarios.parameters import BadValue, UnknownName
from scenarios.scenario import Scenario

from ..own_files.module_state import ModuleState
from ..own_files.own_file import load, loaded, one_line, sources_of
from ..own_files.trust import is_file, remember
from ..terminal.exits import ModelError, Refusal
from .c_race import c_race, is_c

SEPARATOR = "::"
Result = TypeVar("Result")


class Experiment:
    """A scenario with all its parameters; the session that its worlds share lives as long as it does."""

    def __init__(
        self,
        name: str,
        scenario: Scenario,
        given: Mapping[str, ParamValue | str],
        audit: bool = False,
        shared: Shared = (),
        races: str = "default",
    ) -> None:
        self.name = name
        self.scenario = scenario
        try:
            self.params = scenario.complete(given)
        except (UnknownName, BadValue) as problem:
            raise Refusal(str(problem)) from None
        path = name.partition(SEPARATOR)[0]
        is_python = is_file(name) and not is_c(path)
        self.session = Session(audit=audit, of_user=is_python, races=races)
        self._sharing = Sharing(self.session, shared) if is_file(name) else None
        if self._sharing is not None and is_python and (unknown := loaded(path).not_understood):
            self._sharing.grow({everything(unknown)})

    @property
    def shared(self) -> Shared:
        """What its steps are known to share in Python's own objects."""
        return () if self._sharing is None else self._sharing.known

    def world(self) -> World:
        """A fresh world; Refusal if the scenario cannot build it."""
        try:
            world = self.scenario.world(self.session, self.params)
            if self._sharing is not None:
                world.sharing = self._sharing
                world.again = self.world
            return world
        except (BadValue, CompileError) as problem:  # values that do not go together, or C that is none
            raise Refusal(f"{self.name}: {problem}") from None
        except (KeyboardInterrupt, MemoryError):
            raise  # the memory that is missing may well be held by an earlier world
        except UndeterminedCall as error:
            raise ModelError(f"build {self.name}: {one_line(error)}") from error
        except BaseException as error:
            where = place_of(error) or getattr(error, "where", "")
            raise ModelError(f"build {self.name}: {one_line(error)}{f' ({where})' if where else ''}") from error

    def recipe(self, schedule: Schedule) -> Recipe:
        """All that is needed to make a run of this experiment again."""
        return Recipe(scenario=self.name, params=tuple(self.params.items()), schedule=schedule)

    def run(self, driver: Controlled, scheduler: Scheduler) -> Execution:
        """One run under control, in a fresh world."""
        return driver.run(self.world(), scheduler)

    def run_once(self, scheduler: Scheduler, steps: int | None = None) -> Execution:
        """One run under control, with a Trio program of its own; stopped after `steps` if given."""

        async def program() -> Execution:
            world = self.world()
            if steps is not None:
                world.stop_at = steps
            async with controlled() as driver:
                return driver.run(world, scheduler)

        return unwrapped(program)

    def run_live(self, scheduler: Scheduler, threads: bool = False) -> Execution:
        """One run in which Trio, or OS threads if `threads`, decide who goes; `scheduler` draws outcomes."""
        if threads:
            return threaded(self.world(), scheduler)

        async def program() -> Execution:
            return await live(self.world(), scheduler)

        return unwrapped(program)


def open_experiment(
    name: str, given: Mapping[str, ParamValue | str], audit: bool = False, races: str = "default"
) -> Experiment:
    """The experiment that `name` (a shipped scenario, or `./file.py::name`) and parameters make; Refusal otherwise.

    With `audit` every access is compared with the footprint that its step declared; `races` says which data races
    count.
    """
    full_name, scenario = find_scenario(name)
    return Experiment(full_name, scenario, given, audit, races=races)


def find_scenario(name: str) -> tuple[str, Scenario]:
    """The scenario that `name` means, and its full name; Refusal with the nearest one if there is none."""
    if is_file(name):
        path, _, wanted = name.partition(SEPARATOR)
        if is_c(path):
            remember(path, sources_of(path))
            return name, c_race(path, wanted)
        scenario, attribute = _from_file(path, wanted)
        return f"{path}{SEPARATOR}{attribute}", scenario
    try:
        return name, catalogue.load(name)
    except UnknownName as problem:
        raise Refusal(str(problem)) from None


def parse_params(texts: Sequence[str]) -> dict[str, str]:
    """`name=value` arguments as a map; Refusal for a name that comes twice."""
    given: dict[str, str] = {}
    for text in texts:
        name, equals, value = text.partition("=")
        if not equals or not name:
            raise Refusal(f"parameter {text!r}: expected name=value, such as drain=none")
        if name in given:
            raise Refusal(f"parameter {name!r}: given twice, as {given[name]!r} and {value!r}; once is allowed")
        given[name] = value
    return given


def reopen(recipe: Recipe, given: Mapping[str, ParamValue | str] | None = None) -> Experiment:
    """The experiment of a recipe, with `given` over its parameters."""
    return open_experiment(recipe.scenario, {**dict(recipe.params), **(given or {})})


def _from_file(path: str, wanted: str) -> tuple[Scenario, str]:
    file = load(path)
    remember(path, file.sources)
    found = {name: value for name, value in vars(file.module).items() if isinstance(value, Scenario)}
    # Both the Python name and the scenario's own (kebab) name are understood; the Python name is recorded.
    names = {value.name: name for name, value in found.items()} | {name: name for name in found}
    if not wanted and len(found) == 1:
        wanted = next(iter(found))
    if wanted not in names:
        near = get_close_matches(wanted, names, 1)
        hint = f"; did you mean {near[0]!r}?" if near else ""
        known = ", ".join(found) or "none: decorate a function with @scenario()"
        raise Refusal(f"no scenario {wanted!r} in {path}{hint} (it has: {known})")
    return _closed(found[names[wanted]], file.state), names[wanted]


def _closed(scenario: Scenario, state: ModuleState) -> Scenario:
    """The scenario with modules as they were loaded, before each world, and guards while the world is built."""
    build, restore = scenario.build, state.restore
    if not_plain(build):
        return scenario  # whoever makes its world says so

    @wraps(build)
    def built(*given: Any, **params: Any) -> Any:
        restore()
        before, refused = running.begin(), None
        try:
            answer = build(*given, **params)
        finally:
            refused = running.end(before)
        if refused is not None:
            raise refused
        return answer

    return replace(scenario, build=built)


def unwrapped(program: Callable[[], Awaitable[Result]]) -> Result:
    """Run a Trio program; what its nursery wrapped in a group of one is raised as itself."""
    try:
        return trio.run(program)
    except BaseExceptionGroup as group:
        error: BaseException = group
        while isinstance(error, BaseExceptionGroup) and len(error.exceptions) == 1:
            error = error.exceptions[0]
        raise error from None
