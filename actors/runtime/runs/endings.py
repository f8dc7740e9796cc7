"""How a run ends: the findings about a run that came to rest, went round in circles, reached its bound or broke."""

from __future__ import annotations

from ..primitives.audit import FootprintError
from ..primitives.events import Finding, Outcome, Violation, oracle_name, refuse_answer
from ..primitives.failures import broken, failed
from ..primitives.step import MisuseError, Step
from .record import Record
from .running import UndeterminedCall


def violated(record: Record, oracle: str, violation: Violation) -> Finding:
    """An oracle complained about the last step."""
    return Finding(
        outcome=Outcome.VIOLATED,
        oracle=oracle,
        message=str(violation),
        step=_last(record),
        objects=violation.objects,
    )


def raised(record: Record, actor: int, error: BaseException) -> Finding:
    """An actor's code failed in its last step; who fails before the first step fails at it."""
    name = record.world.actors[actor].name
    return failed(name, name, error, _last(record))


def undeclared(record: Record, number: int) -> Finding:
    """The last step decided whether an actor can go, and nothing that was declared tells so."""
    step = record.pending[number]
    assert step is not None
    if not record.steps or not _is_settled(step):  # nothing has happened since it was asked
        error: Exception = MisuseError(
            f"whether `{step.what}` can be taken is another answer each time that it is asked: a condition looks at "
            "the world, and changes nothing"
        )
        return raised(record, number, error)
    error = FootprintError(
        f"step `{record.steps[-1].what}` decides whether {record.world.actors[number].name} can take "
        f"`{step.what}`: both must declare what one leaves for the other. Name one resource in both, such as "
        'writes=["done"] and reads=["done"], or keep it in a world.word()'
    )
    return raised(record, record.actors[-1], error)


def _is_settled(step: Step) -> bool:
    """Whether a condition gives one answer while nothing happens."""
    return step.ready is None or len({bool(step.ready()) for _ in range(3)}) == 1


def undetermined(record: Record, error: UndeterminedCall) -> None:
    """The run is no function of its schedule, even if its code swallowed the exception: it ends as an error."""
    record.index = len(record.steps)  # a condition may have raised in the middle of a step
    if record.finding is None:
        record.finding = Finding(
            outcome=Outcome.ERROR,
            oracle=type(error).__name__,
            message=f"{type(error).__name__}: {error}",
            step=_last(record),
        )
        record.failing = record.schedule
    record.outcome = record.finding.outcome


def at_rest(record: Record) -> Finding | None:
    """Nobody can go: who is stuck, or what an oracle says about the end; None if all is well."""
    world = record.world
    if waiting := stuck(record):
        return _deadlock(record, waiting)
    for number, step in enumerate(record.pending):
        if step is None and world.actors[number].cpu.holds:
            return _held(record, number)
    world.is_racing = False
    for oracle in world.oracles:
        try:
            answer: object = oracle.at_quiescence()  # type: ignore[func-returns-value]  # which it may do all the same
            refuse_answer(answer)
        except Violation as violation:
            return violated(record, oracle_name(oracle), violation)
        except KeyboardInterrupt:
            raise
        except BaseException as error:  # a bug of the oracle is a finding like any other, and replays
            return broken(oracle_name(oracle), error, _last(record))
    return None


def stuck(record: Record) -> list[int]:
    """Who is not done, but for daemons that have nothing to do."""
    actors = record.world.actors
    return [
        number
        for number, step in enumerate(record.pending)
        if step is not None and not (actors[number].daemon and step.idle)
    ]


def at_bound(record: Record) -> Finding:
    """The run was to be no longer."""
    live = [record.world.actors[number].name for number in record.enabled()]
    return Finding(
        outcome=Outcome.BOUND,
        oracle="step-bound",
        message=f"still busy after {record.index} steps: raise the scenario's bound, or look for a livelock "
        f"among {', '.join(live)}",
        step=record.index,
    )


def waits(record: Record, number: int) -> str:
    """What an actor waits for, and since when."""
    step = record.pending[number]
    assert step is not None
    reason = step.blocked() if step.blocked is not None else step.what
    verb = "spins" if step.spins else "waits"
    return f"{record.world.actors[number].name} {verb} since step {record.since(number)} for {reason}"


def soft_lockup(record: Record, late: Step) -> tuple[str, Violation] | None:
    """Nothing can move before the time-out `late` comes: who spins until then, if anybody does."""
    spinners = [number for number in record.live if _spins(record, number)]
    if not spinners:
        return None
    told = "; ".join(waits(record, number) for number in spinners)
    names = [record.world.actors[number].name for number in spinners]
    message = f"nothing else can move before `{late.what}`, and until then somebody spins: {told}"
    return "no-soft-lockup", Violation(message, *sorted(names))


def _spins(record: Record, number: int) -> bool:
    """Whether it waits for a spin lock, or where it may not sleep."""
    step = record.pending[number]
    return step is not None and (step.spins or bool(record.world.actors[number].cpu.spinning))


def _held(record: Record, number: int) -> Finding:
    actor = record.world.actors[number]
    last = max((index for index, who in enumerate(record.actors) if who == number), default=0)
    return Finding(
        outcome=Outcome.VIOLATED,
        oracle="held-at-the-end",
        message=f"{actor.name} ends and still holds {', '.join(actor.cpu.holds)}",
        step=last,
        objects=(actor.name, *actor.cpu.holds),
    )


def _deadlock(record: Record, stuck: list[int]) -> Finding:
    actors = record.world.actors
    over = [actors[number] for number, step in enumerate(record.pending) if step is None and actors[number].cpu.holds]
    ended = [f"{actor.name} has ended and still holds {', '.join(actor.cpu.holds)}" for actor in over]
    return Finding(
        outcome=Outcome.DEADLOCK,
        oracle="no-deadlock",
        message="; ".join([*(waits(record, number) for number in stuck), *ended]),
        step=record.index,
        objects=tuple(sorted(record.world.actors[number].name for number in stuck)),
    )


def _last(record: Record) -> int:
    return max(record.index - 1, 0)
