"""`stopmarker campaign resume`: go on with a campaign, whose options were given at its start and cannot change."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

from tools.campaign.conduct import conduct, make_engine
from tools.campaign.store import CampaignStore, open_to_write
from tools.campaign.work import code_of_all
from tools.own_files.trust import check
from tools.terminal.exits import Exit, Refusal
from tools.terminal.interrupt import stop_request
from tools.terminal.output import Output


def main(
    out: Output, *, directory: str, jobs: int | None, engine: str | None, scheduler: str | None, trust: bool
) -> Exit:
    """Run what is left; how many workers there are, and where, may be different from before."""
    with open_to_write(Path(directory)) as store:
        _check(store, trust)
        engine = engine or str(store.fact("engine"))
        if scheduler is None and engine == store.fact("engine"):
            scheduler = store.fact("scheduler")
        jobs = jobs or int(store.fact("jobs"))
        with stop_request() as stop, closing(make_engine(engine, jobs, scheduler)) as chosen:
            return conduct(out, store, chosen, stop)


def _check(store: CampaignStore, trust: bool) -> None:
    what = f"resume {store.folder}"
    if store.fact("merged"):
        raise Refusal(f"{what}: it was merged from parts; resume those, and merge again")
    if store.fact("code") != code_of_all(store.options.all_cells):
        raise Refusal(
            f"{what}: a scenario or a model was changed since it began, and what it found belongs to the old one; put "
            "the old text back, or start a new campaign"
        )
    for scenario in sorted({cell.scenario for cell in store.options.all_cells}):
        check(scenario, trust, what)
