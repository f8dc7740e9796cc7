"""Makes one campaign of the parts of a job array: their counts are added up, and each finding stands there once."""

from __future__ import annotations

import json
from collections.abc import Sequence
from contextlib import ExitStack, suppress
from dataclasses import replace
from functools import partial
from pathlib import Path

from ..terminal.exits import Refusal
from ..traces.store import load, save
from ..traces.trace import TraceError
from .ledger import book_finding
from .store import FINDINGS, CampaignStore, create, open_to_read
from .views import is_over

_MOST_RANGES = 8
_CARRIED = ("stopmarker", "code", "jobs", "engine")


def merge(folder: Path, parts: Sequence[Path]) -> CampaignStore:
    """A new campaign in `folder`; Refusal if the parts are not of one campaign. Parts may be missing or unfinished."""
    with ExitStack() as stack:
        stores = [stack.enter_context(open_to_read(part)) for part in parts]
        _check(stores)
        options = replace(stores[0].options, part=(1, 1))
        facts: dict[str, object] = {name: stores[0].fact(name) for name in _CARRIED}
        facts["seconds"] = sum(float(store.fact("seconds")) for store in stores)
        facts["merged"] = json.dumps(sorted(store.options.part[0] for store in stores))
        facts["missing"] = "; ".join(_missing(stores))
        return create(folder, options, facts, partial(_add_all, stores))


def _check(stores: Sequence[CampaignStore]) -> None:
    """One campaign, each part once, none of them at work."""
    first = stores[0]
    seen: dict[int, Path] = {}
    for store in stores:
        what = f"merge {store.folder}"
        part, parts = store.options.part
        if store.is_running:
            raise Refusal(f"{what}: it is running; wait until it is over")
        if store.fact("merged"):
            raise Refusal(f"{what}: it was merged already; merge its parts")
        if store.fact("code") != first.fact("code"):
            raise Refusal(f"{what}: its models differ from those of {first.folder}")
        if replace(store.options, part=(1, parts)) != replace(first.options, part=(1, parts)):
            raise Refusal(f"{what}: its options differ from those of {first.folder}")
        if parts != first.options.part[1]:
            raise Refusal(f"{what}: it is a part of {parts}, {first.folder} one of {first.options.part[1]}")
        if part in seen:
            raise Refusal(f"{what}: part {part}/{parts}, as is {seen[part]}; each part counts once")
        seen[part] = store.folder


def _missing(stores: Sequence[CampaignStore]) -> list[str]:
    parts = stores[0].options.part[1]
    there = {store.options.part[0]: store for store in stores}
    absent = [part for part in range(1, parts + 1) if part not in there]
    unfinished = [part for part, store in sorted(there.items()) if not is_over(store)]
    return [*_told(absent, parts, "missing"), *_told(unfinished, parts, "unfinished")]


def _told(numbers: Sequence[int], parts: int, what: str) -> list[str]:
    if len(numbers) < 2:
        return [f"part {number}/{parts} is {what}" for number in numbers]
    ranges: list[tuple[int, ...]] = []
    for number in numbers:
        if ranges and ranges[-1][-1] == number - 1:
            ranges[-1] = (ranges[-1][0], number)
        else:
            ranges.append((number,))
    shown = ["-".join(map(str, ends)) for ends in ranges[:_MOST_RANGES]]
    return [f"{len(numbers)} of {parts} parts are {what}: {', '.join(shown)}{', …' if ranges[_MOST_RANGES:] else ''}"]


def _add_all(stores: Sequence[CampaignStore], merged: CampaignStore) -> None:
    for store in stores:
        _add(merged, store, _copied_traces(store, merged.folder))
    merged.run(
        "UPDATE failures SET state = 'quarantined', reason = ? "
        "WHERE exact IS NOT NULL AND exact NOT IN (SELECT exact FROM findings)",
        "its trace file is lost; `campaign resume` of its part makes it again, then merge anew",
    )


def _copied_traces(store: CampaignStore, folder: Path) -> dict[str, str]:
    """Old name of each trace file to its new name, but for those that are lost or damaged."""
    copied = {}
    for row in store.run("SELECT DISTINCT file FROM findings ORDER BY file"):
        with suppress(TraceError):
            copied[row["file"]] = save(load(store.folder / FINDINGS / row["file"]), folder / FINDINGS).name
    return copied


def _add(merged: CampaignStore, store: CampaignStore, files: dict[str, str]) -> None:
    """Add what a part did; of the canary, which runs in all parts, the worst is kept."""
    cells = "UPDATE cells SET complete = max(complete, ?), next = max(next, ?), last = min(last, ?) WHERE cell = ?"
    merged.run_all(cells, (tuple(row) for row in store.run("SELECT complete, next, last, cell FROM cells")))
    merged.run_all(
        "INSERT INTO shards VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO UPDATE SET "
        "failing = min(failing, excluded.failing), state = max(state, excluded.state)",
        (tuple(row) for row in store.run("SELECT * FROM shards WHERE state IN ('done', 'quarantined')")),
    )
    merged.run_all(
        "INSERT INTO coverage VALUES (?, ?, ?) ON CONFLICT DO UPDATE SET count = count + excluded.count",
        (tuple(row) for row in store.run("SELECT * FROM coverage")),
    )
    for row in store.run("SELECT * FROM failures ORDER BY failure").fetchall():
        columns = tuple(row)[1:]
        merged.run(f"INSERT INTO failures VALUES (NULL, {', '.join('?' * len(columns))})", *columns)
    for row in store.run("SELECT * FROM findings ORDER BY exact").fetchall():
        if row["file"] in files:
            book_finding(merged, *tuple(row)[:-1], files[row["file"]])
