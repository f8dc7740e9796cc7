"""What the two pure-Trio drivers share: an actor's coroutine, stepped by hand inside an ordinary Trio task."""

from __future__ import annotations

from collections.abc import Coroutine
from typing import Any

from . import running
from .execution import Abandoned, Done, Execution
from .step import Step
from .sync import MisuseError
from .world import World


class Seat:
    """One actor's coroutine; `resume` performs the announced step and returns the next announcement."""

    def __init__(self, coro: Coroutine[Any, Any, None]) -> None:
        self._coro = coro

    def resume(self, value: object) -> Step | Done:
        """Perform the announced step; the next one, or Done."""
        before = running.begin()
        try:
            arrival = self._coro.send(value)
            while type(arrival) is not Step:
                arrival = self._coro.throw(foreign(arrival))
        except StopIteration:
            return Done()
        except Exception as error:
            return Done(error)
        finally:
            running.end(before)
        return arrival

    def lines(self) -> list[tuple[str, int]]:
        """Where the actor stands: file and line of each frame, from its main function inwards."""
        found: list[tuple[str, int]] = []
        inner: Any = self._coro
        while (frame := getattr(inner, "cr_frame", None)) is not None:
            found.append((frame.f_code.co_filename, frame.f_lineno))
            inner = inner.cr_await
        return found

    def abandon(self) -> None:
        """End an unfinished coroutine."""
        try:
            self._coro.throw(Abandoned())
        except (Abandoned, StopIteration, RuntimeError):
            return
        self._coro.close()


def foreign(trap: object) -> MisuseError:
    """The refusal of an actor that awaited something that is not a step."""
    return MisuseError(
        f"an actor awaited {type(trap).__name__}: inside a world only its cpu, ports and locks may be awaited, "
        "no Trio primitive"
    )


def admit(world: World, execution: Execution, seats: list[Seat]) -> None:
    """Start the coroutines of actors that are new, up to their first step."""
    while len(seats) < len(world.actors):
        actor = world.actors[len(seats)]
        actor.coroutine = actor.main(actor.cpu)
        seat = Seat(actor.coroutine)
        seats.append(seat)
        execution.join(seat.resume(None))


def carry_on(world: World, execution: Execution, seats: list[Seat]) -> None:
    """Take turn after turn by hand, to the end of the run."""
    while (number := execution.next()) is not None:
        execution.arrive(number, seats[number].resume(execution.outcomes[-1]))
        admit(world, execution, seats)
