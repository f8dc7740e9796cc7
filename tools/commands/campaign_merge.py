"""`stopmarker campaign merge`: one campaign of the parts of a job array."""

from __future__ import annotations

from pathlib import Path

from tools.campaign.merge import merge
from tools.campaign.telling import campaign_document, findings_lines
from tools.campaign.views import status, verdict
from tools.exits import Exit
from tools.output import Output


def main(out: Output, *, directory: str, parts: tuple[str, ...]) -> Exit:
    """Merge, and say what was found."""
    with merge(Path(directory), [Path(part) for part in parts]) as store:
        missing = store.fact("missing")
        now = status(store)
        out.document("campaign", {**campaign_document(store), "missing": missing or None})
        out.lines(findings_lines(store))
        out.lines([f"{now.failing:,} of {now.schedules:,} schedules in {len(parts)} parts violated."])
        if missing:
            out.lines([f"Not all of it: {missing}."])
        return verdict(store)[1]
