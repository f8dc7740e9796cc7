"""`stopmarker show`: a trace file as a drawing; nothing is run."""

from __future__ import annotations

from pathlib import Path

from tools.show.beside import FEW_STEPS, TITLE, beside, first_difference
from tools.show.columns import columns
from tools.show.ladder import ladder
from tools.show.listing import listing
from tools.show.rows import finding_lines, title, wrap
from tools.terminal.exits import Exit
from tools.terminal.output import Output
from tools.traces.report import run_document, trace_document
from tools.traces.store import load
from tools.traces.trace import Trace

STYLES = {"ladder": ladder, "columns": columns, "list": listing}


def main(out: Output, *, file: str, style: str, every: bool, other: str | None) -> Exit:
    """Draw one trace, or two beside each other."""
    trace = load(Path(file))
    if other is not None:
        return _diff(out, (file, other), (trace, load(Path(other))), every)
    out.lines(STYLES[style](trace, every))
    out.document("trace", trace_document(trace))
    return Exit.NOTHING_VIOLATED


def _short(name: str) -> str:
    """What fits over a column: of a long path the end says most."""
    return name if len(name) <= TITLE else f"…{name[1 - TITLE :]}"


def _diff(out: Output, names: tuple[str, str], traces: tuple[Trace, Trace], every: bool) -> Exit:
    left, right = traces
    lines = wrap(title(left), "    ")
    if title(left) != title(right):
        lines += wrap(title(right), "    ")
    every = every or max(len(trace.steps) for trace in traces) <= FEW_STEPS
    short = _short(names[0]), _short(names[1])
    lines += ["", *beside(left, right, short, every=every), ""]
    for name, trace in zip(names, traces, strict=True):
        lines += wrap(f"{name}: {' '.join(line.strip() for line in finding_lines(trace))}", "    ")
    out.lines(lines)
    place = first_difference(left, right)
    out.document("diff", {"first_difference": place, "left": run_document(left), "right": run_document(right)})
    return Exit.NOTHING_VIOLATED
