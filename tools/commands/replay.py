"""`stopmarker replay`: a recorded run again, compared with the recording; or the state of the world at one step."""

from __future__ import annotations

import re
from dataclasses import asdict
from pathlib import Path

from loguru import logger

from actors.runtime.schedule import Recipe, TokenError
from tools import __version__
from tools.exits import Exit, Refusal
from tools.output import Output
from tools.replay import State, replay_recipe, replay_trace, state_at
from tools.report import run_document, verdict
from tools.show.ladder import ladder
from tools.show.rows import wrap
from tools.store import load
from tools.terms import Terms
from tools.trace import Trace
from tools.verdicts import bounds


def main(out: Output, *, what: tuple[str, ...], step: int | None) -> Exit:
    """Replay a file, or a token, which a mail may have broken into several words."""
    recipe, then = source(what)
    if step is not None:
        state = state_at(recipe, step)
        out.lines(_told(state))
        out.document("state", {**_experiment(recipe), **asdict(state)})
        return Exit.NOTHING_VIOLATED
    now = replay_recipe(recipe) if then is None else replay_trace(then)
    out.lines([*ladder(now), *wrap(bounds(Terms(recipe.scenario, recipe.params)), "    ")])
    if then is not None:
        out.lines(["", f"Replayed {len(now.steps)} steps: identical to the recording, byte for byte."])
    out.document("replay", {**run_document(now), "identical": then is not None})
    return verdict(now)


def source(what: tuple[str, ...]) -> tuple[Recipe, Trace | None]:
    """The recipe of a token or of a trace file, and of a file the trace."""
    if re.match(r"sm\d+:", what[0]):  # of any version: what is wrong with it is said as of a token
        try:
            return Recipe.parse("".join(what)), None
        except TokenError as problem:
            raise Refusal(str(problem)) from None
    if len(what) > 1:
        raise Refusal(f"read {len(what)} files: one at a time (only a token may come in several words)")
    trace = load(Path(what[0]))
    if trace.stopmarker != __version__:
        logger.warning("stopmarker {} recorded this trace, this is {}", trace.stopmarker, __version__)
    return trace.recipe, trace


def _experiment(recipe: Recipe) -> dict[str, object]:
    return {"scenario": recipe.scenario, "params": dict(recipe.params)}


def _told(state: State) -> list[str]:
    lines = [f"Before step {state.step} of {state.steps}:", ""]
    width = max((len(actor.name) for actor in state.actors), default=0)
    for actor in state.actors:
        does = {"enabled": "can take", "waits": "waits for", "finished": "has finished"}[actor.status]
        lines.append(f"  {actor.name.ljust(width)}  {does} {actor.what}".rstrip())
    if state.events:
        lines += ["", "Last events:", *[f"  {event}" for event in state.events]]
    if state.words:
        lines += ["", "Memory words touched so far:"]
        lines += [f"  {address:#x}  {name.ljust(12)}  {value:#x}" for address, name, value in state.words]
    return lines
