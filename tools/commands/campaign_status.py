"""`stopmarker campaign status`: how a campaign goes, while it runs or after."""

from __future__ import annotations

from pathlib import Path

from tools.campaign.store import open_to_read
from tools.campaign.telling import status_document, status_lines
from tools.campaign.views import verdict
from tools.terminal.exits import Exit
from tools.terminal.output import Output


def main(out: Output, *, directory: str) -> Exit:
    """Say it; the exit code is the campaign's verdict so far."""
    with open_to_read(Path(directory)) as store:
        out.lines(status_lines(store))
        out.document("campaign-status", status_document(store))
        return verdict(store)[1]
