"""What `stopmarker explain` says of a run that goes round in a circle."""

from __future__ import annotations

from tools.experiments.terms import Terms
from tools.findings.circles import Circle, Look
from tools.show.beside import beside
from tools.show.rows import finding_lines, replay_lines, title, wrap
from tools.terminal.counting import counted
from tools.traces.report import run_document
from tools.traces.verdicts import bounds

_SHOWN = 8
"""Other orders that are named."""


def told_circle(circle: Circle) -> list[str]:
    """The circle in sentences, and the nearest schedule that ends."""
    trace, length = circle.trace, len(circle.trace.steps) - circle.finding.step
    lines = [*wrap(title(trace), "    "), "", *finding_lines(trace), ""]
    names = [trace.actors[step.actor] for step in trace.steps[circle.finding.step :]]
    turns = ", ".join(f"{name} takes {counted(names.count(name), 'step')}" for name in dict.fromkeys(names))
    lines += wrap(
        f"The circle was gone round again, and came to the same state each time. In each round of {length}: {turns}. "
        "Whoever can go in it goes, so a fair scheduler may go on like that for ever.",
        "    ",
    )
    lines.append("")
    if circle.looks:
        lines.append("What those look at who never finish:")
        lines += [line for look in circle.looks for line in wrap(f"  - {_look(look)}", "    ")]
        lines.append("")
    lines += _ways(circle)
    recipe = trace.recipe
    lines += wrap(f"Tried: {counted(circle.tried, 'other order')}, each different in one step of the circle.", "    ")
    return [*lines, *wrap(bounds(Terms(recipe.scenario, recipe.params)), "    ")]


def circle_document(circle: Circle) -> dict[str, object]:
    """The same as data."""
    nearest = circle.ways_out[0].trace.recipe.token() if circle.ways_out else None
    return {
        **run_document(circle.trace),
        "circle": {"start": circle.finding.step, "length": len(circle.trace.steps) - circle.finding.step},
        "looks": [
            {"actor": look.actor, "what": look.what, "at": look.at, "changed_by": look.changed_by}
            for look in circle.looks
        ],
        "ways_out": [
            {
                "step": way.step,
                "goes": way.instead,
                "what": way.what,
                "before": way.of,
                "token": way.trace.recipe.token(),
            }
            for way in circle.ways_out
        ],
        "tried": circle.tried,
        "nearest_passing": nearest,
    }


def _look(look: Look) -> str:
    by = ", ".join(look.changed_by)
    changed = f"which changes by {by}" if by else "which nothing in the circle changes"
    return f"{look.actor}: {look.what} looks at {look.at}, {changed}"


def _ways(circle: Circle) -> list[str]:
    if not circle.ways_out:
        return ["No order that differs in one step of the circle leaves it.", ""]
    lines = ["It ends, if then everybody goes in turn, where at"]
    for way in circle.ways_out[:_SHOWN]:
        lines += wrap(f"  - step {way.step} {way.instead}: {way.what} comes before {way.of}", "    ")
    if len(circle.ways_out) > _SHOWN:
        lines.append(f"  - and in {len(circle.ways_out) - _SHOWN} more ways")
    passing = circle.ways_out[0].trace
    drawn = beside(circle.trace, passing, ("goes round", "ends"), every=True)
    return [*lines, "", "The nearest schedule that ends:", *drawn, *replay_lines(passing.recipe.token()), ""]
