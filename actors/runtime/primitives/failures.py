"""Findings about code of a model that failed, whatever run it failed in: an actor, a property, a step never awaited."""

from __future__ import annotations

from .events import Finding, Outcome
from .places import asserted, is_asserted, place_of
from .step import BrokenRule

NEVER_AWAITED = "never-awaited"
"""The oracle's name of a finding about a step that was made and dropped."""


def failed(name: str, shown: str, error: BaseException, step: int) -> Finding:
    """The code of an actor or of an oracle called `name` failed; a false assertion and a broken rule are violations."""
    where, said = place_of(error) or getattr(error, "where", ""), str(error)
    if isinstance(error, RuntimeError) and said == "no running event loop":
        said = f"{said}: an actor awaits its cpu, ports and locks, nothing of asyncio"
    is_failed_assertion = isinstance(error, AssertionError) and is_asserted(error)
    if is_failed_assertion and not said:
        said = asserted(error)
    return Finding(
        outcome=Outcome.VIOLATED if is_failed_assertion or isinstance(error, BrokenRule) else Outcome.ERROR,
        oracle=type(error).__name__,
        message=_at(f"{shown} raised {type(error).__name__}{f': {said}' if said else ''}", where),
        step=step,
        objects=(name,),
        where=where,
    )


def never_awaited(name: str, what: str, where: str, step: int) -> Finding:
    """Somebody made the coroutine `what` and dropped it; without a name, it was the function that fills the world."""
    return Finding(
        outcome=Outcome.ERROR,
        oracle=NEVER_AWAITED,
        message=_at(
            f"{name} never awaits `{what}(...)`, so it does nothing: write `await {what}(...)`"
            if name
            else f"the scenario calls `{what}(...)`, which does nothing there: only an actor takes steps",
            where,
        ),
        step=step,
        objects=(name,),
        where=where,
    )


def deaf(name: str, step: int) -> Finding:
    """An actor cannot be ended."""
    return Finding(
        outcome=Outcome.ERROR,
        oracle="cannot-be-ended",
        message=f"{name} catches BaseException again and again, so that its run cannot be ended: catch Exception",
        step=step,
        objects=(name,),
    )


def broken(oracle: str, error: BaseException, step: int) -> Finding:
    """An oracle's code failed."""
    return failed(oracle, f"oracle {oracle}", error, step)


def _at(message: str, where: str) -> str:
    return f"{message} ({where})" if where and where not in message else message
