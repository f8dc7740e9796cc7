"""One line a step: number, actor, what it did, its events behind it."""

from __future__ import annotations

from tools.traces.trace import Trace

from .rows import footer, header, plain, preemptions, rows


def listing(trace: Trace, every: bool = False) -> list[str]:
    """The lines of the list; lines are as long as they are."""
    drawn = rows(trace, every)
    chosen = dict.fromkeys(row.step for row in drawn)
    left = set(preemptions(trace))
    bad = trace.finding.step if trace.finding else -1
    texts: dict[int, list[str]] = {}
    for event in trace.events:
        arrow = f" -> {plain(event.target)}" if event.target else ""
        texts.setdefault(event.step, []).append(plain(event.label) + arrow)
    wide = max((len(plain(trace.actors[trace.steps[number].actor])) for number in chosen), default=0)
    lines = [*header(trace, drawn), ""]
    for number in chosen:
        step = trace.steps[number]
        outcome = f" = {step.outcome} of {step.options}" if step.options > 1 else ""
        line = f"{number:>4}  {plain(trace.actors[step.actor]).ljust(wide)}  {plain(step.what)}{outcome}"
        if number in texts:
            line += f"   [{'; '.join(texts[number])}]"
        line += "  <== preempt" if number in left else ""
        line += "  [*]" if number == bad else ""
        lines.append(line)
    return [*lines, "", *footer(trace)]
