"""`stopmarker campaign show`: one finding of a campaign, drawn."""

from __future__ import annotations

from pathlib import Path

from tools.campaign.store import CampaignStore, open_to_read
from tools.campaign.telling import finding_document, finding_lines
from tools.campaign.views import DistinctFinding, groups
from tools.show.ladder import ladder
from tools.terminal.exits import Exit, Refusal
from tools.terminal.output import Output
from tools.traces.store import load
from tools.traces.trace import TraceError


def main(out: Output, *, directory: str, finding: str | None) -> Exit:
    """Draw it, and say all that is known of it."""
    with open_to_read(Path(directory)) as store:
        one = _find(store, finding)
        out.document("campaign-finding", finding_document(one))
        out.lines([*finding_lines(one), ""])
        out.lines(_drawn(store, one))
    return Exit.NOTHING_VIOLATED


def _drawn(store: CampaignStore, finding: DistinctFinding) -> list[str]:
    try:
        return ladder(load(Path(finding.file)))
    except TraceError as lost:
        raise Refusal(f"{lost}; made again by: {store.resumption}") from None


def _find(store: CampaignStore, name: str | None) -> DistinctFinding:
    """The finding whose digest begins like that; without a name, the only one."""
    found = [finding for group in groups(store) for finding in group.findings]
    fitting = [finding for finding in found if finding.exact.startswith(name or "")]
    if len(fitting) == 1:
        return fitting[0]
    what = f"show {name or 'the finding'} of {store.folder}"
    if not fitting:
        raise Refusal(f"{what}: there is none (see `stopmarker campaign findings`)")
    raise Refusal(f"{what}: which? {', '.join(finding.exact for finding in fitting[:6])}")
