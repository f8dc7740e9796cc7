"""How an actor begins and ends; and its coroutine stepped by hand, as the pure-Trio drivers do it."""

from __future__ import annotations

import sys
from collections.abc import Awaitable, Coroutine, Iterator
from contextlib import contextmanager
from types import CoroutineType
from typing import Any

import trio

from ..primitives.cpu import called
from ..primitives.step import Abandoned, Done, MemoryStep, MisuseError, Step
from ..runs import running
from ..runs.execution import Execution
from ..world import Actor, World

PATIENCE = 100
"""How often an actor is told something that it does not let pass: cleaning up may take some steps."""
INTERRUPTS = (KeyboardInterrupt, trio.Cancelled)
"""What comes from outside and is never an actor's own."""


def begun(actor: Actor) -> Coroutine[Any, Any, None]:
    """The coroutine of an actor."""
    made = called(actor.name, actor.main, actor.cpu)
    return made if isinstance(made, CoroutineType) else _awaited(made)


async def _awaited(made: Awaitable[Any]) -> None:
    await made


@contextmanager
def last_words_unheard() -> Iterator[None]:
    """Let go in here of a coroutine that cannot be ended: Python would complain on stderr that it goes on."""
    hook = sys.unraisablehook
    sys.unraisablehook = _ignore
    try:
        yield
    finally:
        sys.unraisablehook = hook


def _ignore(_: object) -> None:
    pass


class Seat:
    """One actor's coroutine; `resume` performs the announced step and returns the next announcement."""

    def __init__(self, coro: Coroutine[Any, Any, None]) -> None:
        self._coro = coro

    def resume(self, value: object) -> Step | Done:
        """Perform the announced step; the next one, or Done."""
        before = running.begin()
        try:
            arrival = self._coro.send(value)
            for _ in range(PATIENCE):
                if type(arrival) is Step or type(arrival) is MemoryStep:
                    return arrival
                arrival = self._coro.throw(foreign(arrival))
        except StopIteration:
            return Done()
        except INTERRUPTS:
            raise
        except BaseException as error:
            return Done(error)
        finally:
            running.end(before)
        return Done(foreign(arrival))

    def lines(self) -> list[tuple[str, int]]:
        """Where the actor stands: file and line of each frame, from its main function inwards."""
        found: list[tuple[str, int]] = []
        inner: Any = self._coro
        while (frame := getattr(inner, "cr_frame", None)) is not None:
            found.append((frame.f_code.co_filename, frame.f_lineno))
            inner = inner.cr_await
        return found

    def abandon(self) -> bool | None:
        """End a coroutine: whether it was unfinished, or None if it cannot be ended."""
        if getattr(self._coro, "cr_frame", None) is None:
            return False
        for _ in range(PATIENCE):
            try:
                self._coro.throw(Abandoned())
            except INTERRUPTS:
                raise
            except BaseException:
                return True
        with last_words_unheard():
            del self._coro
        return None


def foreign(trap: object) -> MisuseError:
    """The refusal of an actor that awaited something that is not a step."""
    return MisuseError(
        f"an actor awaited {type(trap).__name__}: inside a world only its cpu, ports and locks may be awaited, "
        "no primitive of Trio or asyncio"
    )


def admit(world: World, execution: Execution, seats: list[Seat]) -> None:
    """Start the coroutines of actors that are new, up to their first step."""
    while len(seats) < len(world.actors):
        actor = world.actors[len(seats)]
        world.current = len(seats)
        try:
            actor.coroutine = begun(actor)
        except INTERRUPTS:
            raise
        except BaseException as error:
            seats.append(Seat(_nothing()))
            execution.join(Done(error))
            continue
        seats.append(Seat(actor.coroutine))
        execution.join(seats[-1].resume(None))


async def _nothing() -> None:
    """Stands in for an actor that could not begin."""


def carry_on(world: World, execution: Execution, seats: list[Seat]) -> None:
    """Take turn after turn by hand, to the end of the run."""
    while (number := execution.next()) is not None:
        execution.arrive(number, seats[number].resume(execution.outcomes[-1]))
        admit(world, execution, seats)
