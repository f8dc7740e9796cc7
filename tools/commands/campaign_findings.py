"""`stopmarker campaign findings`: what a campaign found, in buckets."""

from __future__ import annotations

from pathlib import Path

from tools.campaign.store import open_to_read
from tools.campaign.telling import findings_document, findings_lines
from tools.campaign.views import verdict
from tools.terminal.exits import Exit
from tools.terminal.output import Output


def main(out: Output, *, directory: str) -> Exit:
    """List them; the exit code is the campaign's verdict so far."""
    with open_to_read(Path(directory)) as store:
        out.lines(findings_lines(store))
        out.document("campaign-findings", findings_document(store))
        return verdict(store)[1]
