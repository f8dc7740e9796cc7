"""What findings come to: the word of a verdict, its exit code, and what it is said within.

A model in error shows nothing about what it models, so an error is never called a violation. Where both were found the
violation decides, and both are told.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from actors.runtime.primitives.events import Outcome
from actors.runtime.primitives.step import looks_of
from actors.runtime.runs.schedule import ParamValue
from actors.runtime.world import World
from scenarios.scenario import model_of

from ..experiments.terms import Terms
from ..explore.search import FoundSignature
from ..terminal.counting import counted
from ..terminal.exits import Exit

Params = Sequence[tuple[str, ParamValue]]
VIOLATED, ERROR, VACUOUS = "violated", "error", "vacuous"
EXITS = {VIOLATED: Exit.VIOLATED, ERROR: Exit.ERROR, VACUOUS: Exit.INCONCLUSIVE}
MEMORY = {
    "sc": "sequentially consistent memory",
    "tso": "x86 memory (TSO)",
    "arm": "Armv8 memory (hardware, not the Linux-kernel model; no load buffering)",
}
"""The memory models, each with what it leaves out (docs/memory-models.md)."""


def worse(outcomes: Iterable[str]) -> str | None:
    """`violated` or `error`, whichever weighs more; None if there is no outcome."""
    words = {ERROR if outcome == Outcome.ERROR else VIOLATED for outcome in outcomes}
    return VIOLATED if VIOLATED in words else ERROR if words else None


def errors(found: Iterable[FoundSignature]) -> int:
    """How many runs ended because the model is in error."""
    return sum(one.count for one in found if one.finding.outcome is Outcome.ERROR)


def besides(number: int) -> str:
    """What is said behind a violation of the runs in error; nothing if there are none."""
    return f" In error: {counted(number, 'more schedule')}." if number else ""


def memory_of(*experiments: Params) -> str:
    """The memory model that experiments have, by their parameters; all of them, if they differ."""
    return ", ".join(_models(experiments))


def memory(*experiments: Params) -> str:
    """The memory model, as people read it."""
    return "; ".join(MEMORY[model] for model in _models(experiments))


def _models(experiments: Sequence[Params]) -> list[str]:
    used = {model_of(dict(params)) for params in experiments}
    return [model for model in MEMORY if model in used] or ["sc"]


def bounds(terms: Terms) -> str:
    """Within which bounds something was found, or was not."""
    named = ", ".join(f"{name}={value}" for name, value in terms.params)
    world = terms.make_world()()
    what = f"{terms.scenario}{f' ({named})' if named else ''}"
    when = time_outs(world)
    return f"Bounds: {what}, at most {world.step_bound:,} steps a run, {memory(terms.params)}, time-outs {when}."


def time_outs(world: World) -> str:
    """When time-outs come in a world, but for those of waits that say so themselves."""
    looks = looks_of(world.time_out)
    return "only when nothing else can move" if not looks else "at any moment" if looks == 1 else f"after {looks} looks"
