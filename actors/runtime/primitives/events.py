"""What oracles and renderers see: events, the properties over them, and what a run came to."""

from __future__ import annotations

import enum
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Any, ClassVar, Protocol

from .looks import called
from .places import defined
from .step import MisuseError, Resource, is_put_off


class Violation(Exception):
    """An oracle's verdict: what was seen, and why it hurts. `objects` names what it is about, for signatures."""

    def __init__(self, message: str, *objects: object) -> None:
        super().__init__(message)
        self.objects = tuple(map(str, objects))


class Oracle(Protocol):
    """One property. It reads events, never actors; the class name is the theorem."""

    @property
    def watches(self) -> tuple[type, ...]:
        """Event types that `observe` is given."""
        ...

    def observe(self, event: Any) -> None:
        """Look at one event; raise Violation if the property is broken now."""
        ...

    def at_quiescence(self) -> None:
        """The world came to rest; raise Violation if something that must have happened did not."""
        ...


class Witness(Protocol):
    """What some run must reach: if none does, the experiment shows nothing and must not be called safe."""

    reached: bool

    @property
    def watches(self) -> tuple[type, ...]:
        """Event types that `observe` is given."""
        ...

    def observe(self, event: Any) -> None:
        """Look at one event; set `reached`."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Note:
    """An event for scenarios that need no type of their own: something happened to `subject`."""

    subject: str
    value: int | str = 0

    @property
    def touches(self) -> tuple[Resource, ...]:
        """What order of notes an oracle may depend on: those of one subject."""
        return (("note", self.subject),)


def _complaint(check: object, answer: object) -> str | None:
    """What a property says; MisuseError if that is neither a complaint nor None."""
    if answer is None or (isinstance(answer, str) and answer):
        return answer
    raise MisuseError(
        f"{_returned(answer)}; a property returns None while it holds, and a text that says what is wrong",
        defined(check),
    )


def _returned(answer: object) -> str:
    if answer == "":
        return "it returned an empty text"
    shown = repr(answer) if isinstance(answer, bool | int | float | None) else type(answer).__name__
    return f"it returned {shown}"


def refuse_answer(answer: object) -> None:
    """MisuseError if the method of an oracle or witness answers: who raises Violation is heard, who returns is not."""
    if answer is not None:
        raise MisuseError(
            f"{_returned(answer)}; an oracle raises Violation, a witness sets `reached`, both return None"
        )


def misfit(error: TypeError, function: object, rule: str) -> TypeError | MisuseError:
    """An error of a call: MisuseError with the function's line if it does not take what it is called with."""
    trace = error.__traceback__
    if trace is None or trace.tb_next is not None:
        return error
    return MisuseError(f"{error}; {rule}", defined(function))


class FunctionOracle:
    """A property over notes, written as a function: `check` returns a complaint or None."""

    watches: ClassVar[tuple[type, ...]] = (Note,)

    def __init__(
        self, name: str, check: Callable[[Note], str | None] | None, at_end: Callable[[], str | None] | None
    ) -> None:
        self.name = name
        self._check = check
        self._at_end = at_end

    def observe(self, event: Note) -> None:
        """Apply the function."""
        if self._check is None:
            return
        try:
            answer = called(self._check)(event)
        except TypeError as error:
            raise misfit(error, self._check, "a property of `always` is called with one note") from None
        complaint = _complaint(self._check, answer)
        if complaint:
            raise Violation(complaint, event.subject)

    def at_quiescence(self) -> None:
        """Apply the closing function."""
        if self._at_end is None:
            return
        try:
            answer = self._at_end()
        except TypeError as error:
            raise misfit(error, self._at_end, "a property of `eventually` is called with nothing") from None
        complaint = _complaint(self._at_end, answer)
        if complaint:
            raise Violation(complaint)


class FunctionWitness:
    """A witness over notes, written as a function that returns True when the thing was seen."""

    watches: ClassVar[tuple[type, ...]] = (Note,)

    def __init__(self, name: str, seen: Callable[[Note], bool]) -> None:
        self.name = name
        self.reached = False
        self._seen = seen

    def observe(self, event: Note) -> None:
        """Apply the function."""
        if not self.reached:
            try:
                seen = called(self._seen)(event)
            except TypeError as error:
                raise misfit(error, self._seen, "a witness of `sometimes` is called with one note") from None
            if isinstance(seen, str) or is_put_off(seen):
                raise MisuseError(f"{_returned(seen)}; a witness returns True or False", defined(self._seen))
            self.reached = bool(seen)


class Outcome(enum.StrEnum):
    """How a run ended."""

    QUIET = "quiet"
    VIOLATED = "violated"
    DEADLOCK = "deadlock"
    LIVELOCK = "livelock"
    BOUND = "step bound"
    ERROR = "error"


ENDLESS = (Outcome.BOUND, Outcome.LIVELOCK)
"""The run was not at its end: whoever has such runs has not seen everything."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """Why a run is not quiet: the oracle (or the runtime's own check), what it saw, and at which step."""

    outcome: Outcome
    oracle: str
    message: str
    step: int
    objects: tuple[str, ...] = ()
    where: str = ""
    """The line of the scenario, actor or driver that failed, as the message also says; empty if none did."""

    @property
    def signature(self) -> tuple[str, ...]:
        """What two findings of the same bug have in common."""
        return (self.oracle, *self.objects)


def oracle_name(oracle: object) -> str:
    """The theorem as people read it: a given name, or the class name in kebab case."""
    given = getattr(oracle, "name", None)
    if given is not None:
        return str(given)
    return _kebab(type(oracle).__name__)


@cache
def _kebab(letters: str) -> str:
    return "".join(f"-{c.lower()}" if c.isupper() and i else c.lower() for i, c in enumerate(letters))
