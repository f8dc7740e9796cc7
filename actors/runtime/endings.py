"""How a run ends: the findings about a run that came to rest, went round in circles, reached its bound or broke."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .audit import FootprintError
from .events import Finding, Outcome, Violation, oracle_name, refuse_answer
from .places import asserted, is_asserted, place_of
from .running import UndeterminedCall
from .step import BrokenRule

if TYPE_CHECKING:
    from .execution import Execution

NEVER_AWAITED = "never-awaited"
"""The oracle's name of a finding about a step that was made and dropped."""


def violated(execution: Execution, oracle: str, violation: Violation) -> Finding:
    """An oracle complained about the last step."""
    return Finding(
        outcome=Outcome.VIOLATED,
        oracle=oracle,
        message=str(violation),
        step=_last(execution),
        objects=violation.objects,
    )


def raised(execution: Execution, actor: int, error: BaseException) -> Finding:
    """An actor's code failed in its last step; who fails before the first step fails at it."""
    name = execution.world.actors[actor].name
    return failed(name, name, error, _last(execution))


def failed(name: str, shown: str, error: BaseException, step: int) -> Finding:
    """The code of an actor or of an oracle called `name` failed; a false assertion and a broken rule are violations."""
    where, said = place_of(error) or getattr(error, "where", ""), str(error)
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


def undeclared(execution: Execution, number: int) -> Finding:
    """The last step decided whether an actor can go, and nothing that was declared tells so."""
    step = execution.pending[number]
    assert step is not None
    error = FootprintError(
        f"step `{execution.steps[-1].what}` decides whether {execution.world.actors[number].name} can take "
        f"`{step.what}`: both must declare what one leaves for the other. Name one resource in both, such as "
        'writes=["done"] and reads=["done"], or keep it in a world.word()'
    )
    return raised(execution, execution.actors[-1], error)


def undetermined(execution: Execution, error: UndeterminedCall) -> None:
    """The run is no function of its schedule, even if its code swallowed the exception: it ends as an error."""
    execution.index = len(execution.steps)  # a condition may have raised in the middle of a step
    if execution.finding is None:
        execution.finding = Finding(
            outcome=Outcome.ERROR,
            oracle=type(error).__name__,
            message=f"{type(error).__name__}: {error}",
            step=_last(execution),
        )
        execution.failing = execution.schedule
    execution.outcome = execution.finding.outcome


def at_rest(execution: Execution) -> Finding | None:
    """Nobody can go: who is stuck, or what an oracle says about the end; None if all is well."""
    world = execution.world
    stuck = [
        number
        for number, step in enumerate(execution.pending)
        if step is not None and not (world.actors[number].daemon and step.idle)
    ]
    if stuck:
        return _deadlock(execution, stuck)
    for oracle in world.oracles:
        try:
            answer: object = oracle.at_quiescence()  # type: ignore[func-returns-value]  # which it may do all the same
            refuse_answer(answer)
        except Violation as violation:
            return violated(execution, oracle_name(oracle), violation)
        except KeyboardInterrupt:
            raise
        except BaseException as error:  # a bug of the oracle is a finding like any other, and replays
            return broken(oracle_name(oracle), error, _last(execution))
    return None


def at_bound(execution: Execution) -> Finding:
    """The run was to be no longer."""
    live = [execution.world.actors[number].name for number in execution.enabled()]
    return Finding(
        outcome=Outcome.BOUND,
        oracle="step-bound",
        message=f"still busy after {execution.index} steps: raise the scenario's bound, or look for a livelock "
        f"among {', '.join(live)}",
        step=execution.index,
    )


def waits(execution: Execution, number: int) -> str:
    """What an actor waits for, and since when."""
    step = execution.pending[number]
    assert step is not None
    reason = step.blocked() if step.blocked is not None else step.what
    return f"{execution.world.actors[number].name} waits since step {execution.since(number)} for {reason}"


def _deadlock(execution: Execution, stuck: list[int]) -> Finding:
    return Finding(
        outcome=Outcome.DEADLOCK,
        oracle="no-deadlock",
        message="; ".join(waits(execution, number) for number in stuck),
        step=execution.index,
        objects=tuple(sorted(execution.world.actors[number].name for number in stuck)),
    )


def broken(oracle: str, error: BaseException, step: int) -> Finding:
    """An oracle's code failed."""
    return failed(oracle, f"oracle {oracle}", error, step)


def _at(message: str, where: str) -> str:
    return f"{message} ({where})" if where and where not in message else message


def _last(execution: Execution) -> int:
    return max(execution.index - 1, 0)
