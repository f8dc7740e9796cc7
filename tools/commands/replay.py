"""`stopmarker replay`: a recorded run again, compared with the recording; or the state of the world at one step."""

from __future__ import annotations

import re
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from loguru import logger

from actors.runtime.runs.schedule import Recipe, TokenError
from tools import __version__
from tools.experiments.experiment import find_scenario
from tools.experiments.terms import Terms
from tools.own_files.trust import check
from tools.show.ladder import ladder
from tools.show.rows import wrap
from tools.terminal.exits import Exit, Refusal
from tools.terminal.output import Output
from tools.terminal.printable import one_line
from tools.traces.container import encode
from tools.traces.replay import State, changed_since, replay_recipe, replay_trace, state_at
from tools.traces.report import run_document, verdict
from tools.traces.store import load_with_bytes
from tools.traces.trace import Trace
from tools.traces.verdicts import bounds


@dataclass(frozen=True, slots=True)
class Recording:
    """What is to be made again: of a token the recipe alone, of a file its trace as well."""

    recipe: Recipe
    trace: Trace | None = None
    exact: bool = True
    """Whether the file's bytes are those that stopmarker writes for this trace."""

    def replayed(self) -> Trace:
        """The run again; Diverged if it is another one."""
        return replay_recipe(self.recipe) if self.trace is None else replay_trace(self.trace)


def main(out: Output, *, what: tuple[str, ...], step: int | None, scenario: str | None, trust: bool) -> Exit:
    """Replay a file, or a token, which a mail may have broken into several words."""
    then = recording(what, scenario, trust)
    if step is not None:
        state = state_at(then.recipe, step)
        out.lines(_told(state))
        out.document("state", {**_experiment(then.recipe), **asdict(state)})
        return Exit.NOTHING_VIOLATED
    now = then.replayed()
    out.lines([*ladder(now), *wrap(bounds(Terms(then.recipe.scenario, then.recipe.params)), "    ")])
    changed = "" if then.trace is None else changed_since(then.trace)
    if changed:
        logger.warning("{}; the run is the same", one_line(changed))
    if then.trace is not None:
        alike = "byte for byte" if then.exact else "though the file's bytes are not those that stopmarker writes for it"
        out.lines(["", f"Replayed {len(now.steps)} steps: identical to the recording, {alike}."])
    out.document(
        "replay",
        {**run_document(now), "identical": then.trace is not None, "same_bytes": then.exact, "changed": changed},
    )
    return verdict(now)


def recording(what: tuple[str, ...], scenario: str | None, trust: bool) -> Recording:
    """The recording that a token or a file is; of `scenario`, if that is given, whatever it names itself.

    Refusal if it would run a file that this user has not run before, unless that is named as `scenario` or `trust` is
    said.
    """
    found = _read(what)
    if scenario is not None:
        recipe = replace(found.recipe, scenario=find_scenario(scenario)[0])
        trace = found.trace and replace(found.trace, scenario=recipe.scenario)
        return replace(found, recipe=recipe, trace=trace)
    check(found.recipe.scenario, trust, "this token" if found.trace is None else what[0])
    return found


def _read(what: tuple[str, ...]) -> Recording:
    if re.match(r"sm\d+:", what[0]):  # of any version: what is wrong with it is said as of a token
        try:
            return Recording(Recipe.parse("".join(what)))
        except TokenError as problem:
            raise Refusal(one_line(str(problem))) from None
    if len(what) > 1:
        raise Refusal(f"read {len(what)} files: one at a time (only a token may come in several words)")
    trace, data = load_with_bytes(Path(what[0]))
    if trace.stopmarker != __version__:
        logger.warning("stopmarker {} recorded this trace, this is {}", one_line(trace.stopmarker), __version__)
    return Recording(trace.recipe, trace, encode(trace) == data)


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
