"""A campaign over all scenarios with a fixed seed, and the buckets that it must find.

`python -m tests.campaign.smoke small DIR` (or `full`) runs it and compares with `smoke-small.txt`; with `--write` it
writes that file, which is right when scenarios, models or strategies were changed on purpose.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from difflib import unified_diff
from pathlib import Path

import click

from scenarios import catalogue
from tools.campaign.cells import CampaignOptions, make_matrix
from tools.campaign.conduct import conduct
from tools.campaign.store import CampaignStore, create
from tools.campaign.views import groups, is_over, set_aside
from tools.campaign.work import code_of_all
from tools.campaign.workers import Workers
from tools.experiments.experiment import open_experiment
from tools.terminal.interrupt import stop_request
from tools.terminal.log import configure
from tools.terminal.output import Output

SEED = 1


@dataclass(frozen=True, slots=True)
class Extent:
    """How much of each combination is run; and of which: all that a verdict is stated for, or one for each verdict."""

    strategies: tuple[str, ...]
    schedules: int
    size: int
    every: bool


EXTENTS = {
    "small": Extent(("delay-1", "dpor", "surw"), 20, 20, every=False),
    "full": Extent(("portfolio",), 600, 300, every=True),
}


def run(folder: Path, name: str) -> CampaignStore:
    """The campaign, run to its end."""
    extent = EXTENTS[name]
    sizes = {"size": extent.size, "schedules": extent.schedules}
    rows = [((), ())] if extent.every else _first_rows()
    cells = [cell for names, params in rows for cell in make_matrix(names, params, extent.strategies, **sizes)]
    options = CampaignOptions(cells=tuple(cells), schedules=extent.schedules, seed=SEED)
    store = create(folder, options, {"code": code_of_all(options.all_cells), "seconds": 0.0})
    with stop_request() as stop:
        conduct(Output(as_json=False, color=False), store, Workers(os.cpu_count() or 1), stop)
    return store


def buckets(store: CampaignStore) -> list[str]:
    """One line for each bucket."""
    return [f"{group.bucket.family}: {group.bucket.oracle}: {group.bucket.reason}" for group in groups(store)]


def complaints(store: CampaignStore, file: Path) -> list[str]:
    """What is wrong with a campaign: not finished, not the buckets of the file, or a finding where none may be."""
    found = [f"{one.what}: {one.reason}" for one in set_aside(store)]
    if not is_over(store):
        found.append("it did not come to its end")
    found += unified_diff(file.read_text(encoding="utf-8").splitlines(), buckets(store), "expected", "found", "", "", 0)
    safe = _safe(store.options)
    for group in groups(store):
        for finding in group.findings:
            found += [f"{cell}: {finding.message}" for cell in finding.cells if cell in safe]
    return found


def expected(name: str) -> Path:
    """The file of the buckets that are found."""
    return Path(__file__).parent / f"smoke-{name}.txt"


def _first_rows() -> list[tuple[Sequence[str], Sequence[str]]]:
    """Each scenario with the first combination of each verdict that is stated for it."""
    found: dict[tuple[str, str], Sequence[str]] = {}
    for name in catalogue.MODULES:
        for row in catalogue.load(name).expected:
            found.setdefault((name, row.verdict), [f"{key}={value}" for key, value in row.params.items()])
    return [((name,), params) for (name, _), params in found.items()]


def _safe(options: CampaignOptions) -> set[str]:
    """The cells of which a scenario states that nothing can be found in them, or that nothing was."""
    verdicts: dict[tuple[object, ...], str] = {}
    for name in catalogue.MODULES:
        for row in catalogue.load(name).expected:
            verdicts[name, *open_experiment(name, dict(row.params)).params.items()] = row.verdict
    full = {cell.label: open_experiment(cell.scenario, dict(cell.params)) for cell in options.cells}
    stated = {label: verdicts.get((one.name, *one.params.items())) for label, one in full.items()}
    return {label for label, verdict in stated.items() if verdict in ("holds", "vacuous", "not found")}


@click.command()
@click.argument("name", type=click.Choice(list(EXTENTS)))
@click.argument("folder", type=click.Path(path_type=Path))
@click.option("--write", is_flag=True, help="Take what is found for what is expected.")
def main(name: str, folder: Path, write: bool) -> None:
    """Run, and compare."""
    configure(verbose=False)
    with run(folder, name) as store:
        if write:
            expected(name).write_text("".join(f"{line}\n" for line in buckets(store)), encoding="utf-8")
        wrong = complaints(store, expected(name))
    click.echo("\n".join(wrong) or "As expected.")
    sys.exit(bool(wrong))


if __name__ == "__main__":
    main()
