"""`stopmarker show`: a trace file as a drawing; nothing is run."""

from __future__ import annotations

from pathlib import Path

from tools.exits import Exit
from tools.output import Output
from tools.report import trace_document
from tools.show.columns import columns
from tools.show.ladder import ladder
from tools.show.listing import listing
from tools.store import load

STYLES = {"ladder": ladder, "columns": columns, "list": listing}


def main(out: Output, *, file: str, style: str, every: bool) -> Exit:
    """Draw."""
    trace = load(Path(file))
    out.lines(STYLES[style](trace, every))
    out.document("trace", trace_document(trace))
    return Exit.NOTHING_VIOLATED
