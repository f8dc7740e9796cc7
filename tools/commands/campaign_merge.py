"""`stopmarker campaign merge`: one campaign of the parts of a job array."""

from __future__ import annotations

from pathlib import Path

from tools.campaign.merge import merge
from tools.campaign.telling import campaign_document, failing_line, findings_lines
from tools.campaign.views import status, verdict
from tools.counting import counted
from tools.exits import Exit
from tools.output import Output
from tools.show.rows import wrap


def main(out: Output, *, directory: str, parts: tuple[str, ...]) -> Exit:
    """Merge, and say what was found."""
    with merge(Path(directory), [Path(part) for part in parts]) as store:
        now = status(store)
        out.document("campaign", campaign_document(store))
        out.lines(findings_lines(store))
        where = f"{counted(now.schedules, 'schedule')} in {counted(len(parts), 'part')}"
        out.lines([failing_line(now, where)])
        if missing := store.fact("missing"):
            out.lines(wrap(f"Not all of it: {missing}.", "    "))
        return verdict(store)[1]
