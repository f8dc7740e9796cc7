"""A campaign in words, and as data: its status, its findings, what was set aside."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict

from actors.runtime.primitives.events import Outcome

from ..show.rows import plain, wrap
from ..terminal.counting import counted
from ..traces.verdicts import Params, besides, memory, memory_of, worse
from .coverage import Coverage
from .saturation import saturation
from .store import CampaignStore
from .views import DistinctFinding, FilledBucket, Status, coverage, groups, set_aside, status, verdict

_WIDE = "    "


def status_line(now: Status) -> str:
    """How it goes, in one line."""
    out = "" if now.oldest is None else f", oldest {now.oldest[1]:.0f} s"
    return (
        f"{_clock(now.seconds)}  schedules {now.schedules:,} ({now.rate:,.0f}/s), "
        f"violations {now.failing - now.errors:,}, "
        f"findings {now.findings:,} in {counted(now.buckets, 'bucket')}, new pairs {now.new_pairs:,.0f}/min, "
        f"shards {now.shards.get('done', 0):,}{out}"
    )


def status_lines(store: CampaignStore) -> list[str]:
    """How it goes, and how much there may be that was not seen."""
    now = status(store)
    state = "over" if now.over else "running" if now.running else "stopped: `campaign resume` continues it"
    missing = store.fact("missing")
    done, violating = now.shards.get("done", 0), counted(now.failing - now.errors, "violating schedule")
    lines = [
        f"campaign {store.folder}: {'incomplete' if missing else state}",
        *(wrap(f"  lacking   {missing}", " " * 12) if missing else ()),
        f"  ran       {_clock(now.seconds)}, {now.schedules:,} schedules, {now.rate:,.0f}/s in the last minute",
        f"  cells     {now.cells:,}; in {now.complete:,} of them every behaviour was seen",
        f"  shards    {done:,} done, {now.shards.get('leased', 0)} out, {now.shards.get('quarantined', 0)} set aside",
        f"  findings  {now.findings:,} in {counted(now.buckets, 'bucket')}, {violating}"
        + (f", {counted(now.errors, 'schedule')} in error" if now.errors else "")
        + (f", {now.to_shrink} still to shrink" if now.to_shrink else ""),
        f"  canary    {now.canary}",
    ]
    if now.memory:
        lines.append(f"  memory    {now.memory / 2**20:,.0f} MiB in the largest worker")
    if now.oldest is not None and now.running:
        lines += wrap(f"  oldest    {now.oldest[0]}: out for {now.oldest[1]:.0f} s", " " * 12)
    lines += ["", f"Coverage: {now.new_pairs:,.0f} new ordered pairs a minute in the last minute."]
    for family, counts in coverage(store).items():
        lines += wrap(f"  {family}: {saturation(counts)}", _WIDE)
        for name, (full, part) in Coverage(counts).goals.items():
            lines += wrap(f"    {_goal(name, full, part)}", _WIDE * 2)
    return [*lines, *set_aside_lines(store)]


def failing_line(now: Status, ran: str) -> str:
    """How many of the schedules that `ran` failed, and how."""
    if now.errors and now.failing <= now.errors:
        return f"ERROR: {now.errors:,} of {ran}: the model itself is wrong."
    return f"{now.failing - now.errors:,} of {ran} violated.{besides(now.errors)}"


def findings_lines(store: CampaignStore) -> list[str]:
    """The buckets, each with its shortest exemplar and how to run that again."""
    found = groups(store)
    lines: list[str] = []
    for group in found:
        one = group.shortest
        more = f", {len(group.findings) - 1} more like it" if group.findings[1:] else ""
        lines += [
            f"{one.exact}  {group.bucket.family}: {group.bucket.oracle}",
            *(wrap(f"  ERROR: {plain(one.message)}", _WIDE) if one.outcome == Outcome.ERROR else ()),
            *wrap(f"  {group.bucket.reason}", _WIDE),
            *wrap(f"  {_met(group)}; shortest {counted(one.steps, 'step')}{more}", _WIDE),
            f"  {one.rerun}",
        ]
    findings = sum(len(group.findings) for group in found)
    lines.append(f"{counted(len(found), 'bucket')}, {counted(findings, 'finding')}. Bounds: {memory(*_params(store))}.")
    return [*lines, *set_aside_lines(store)]


def finding_lines(finding: DistinctFinding) -> list[str]:
    """All that is known of one finding, but for its ladder."""
    params = ", ".join(f"{name}={value}" for name, value in finding.params.items()) or "all parameters as by default"
    return [
        f"finding {finding.exact}: {finding.bucket.oracle} in {finding.bucket.family}",
        *(wrap(f"  ERROR: {plain(finding.message)}", _WIDE) if finding.outcome == Outcome.ERROR else ()),
        *wrap(f"  {finding.bucket.sentence}", _WIDE),
        *wrap(f"  with {params}", _WIDE),
        *wrap(f"  met {counted(finding.count, 'time')} in {counted(len(finding.cells), 'cell')}", _WIDE),
        *wrap(f"  first at schedule {finding.at} of {finding.first_shard} (seed {finding.seed})", _WIDE),
        f"  {finding.rerun}",
    ]


def set_aside_lines(store: CampaignStore) -> list[str]:
    """What could not be done, and why."""
    found = set_aside(store)
    lines = ["", f"Set aside: {len(found)}"] if found else []
    for one in found:
        lines += wrap(f"  {one.what}: {one.reason}", _WIDE)
        if one.token is not None:
            lines.append(f"  stopmarker replay {one.token}")
    return lines


def campaign_document(store: CampaignStore) -> dict[str, object]:
    """What whoever ran or merged it has to say at the end."""
    return {**status_document(store), **findings_document(store), "running": False}


def status_document(store: CampaignStore) -> dict[str, object]:
    """The status as data."""
    now = status(store)
    seen = coverage(store)
    return {
        **asdict(now),
        "oldest": None if now.oldest is None else {"what": now.oldest[0], "seconds": round(now.oldest[1], 3)},
        "verdict": verdict(store)[0],
        "memory": memory_of(*_params(store)),
        "missing": store.fact("missing") or None,
        "seed": store.options.seed,
        "part": list(store.options.part),
        "set_aside": [asdict(one) for one in set_aside(store)],
        "coverage": {
            family: {
                "saturation": asdict(saturation(counts)),
                "goals": {name: list(pair) for name, pair in Coverage(counts).goals.items()},
                "pairs": Coverage(counts).pairs,
            }
            for family, counts in seen.items()
        },
    }


def findings_document(store: CampaignStore) -> dict[str, object]:
    """The findings as data."""
    return {
        "verdict": verdict(store)[0],
        "memory": memory_of(*_params(store)),
        "buckets": [group_document(group) for group in groups(store)],
        "set_aside": [asdict(one) for one in set_aside(store)],
    }


def group_document(group: FilledBucket) -> dict[str, object]:
    """A bucket as data."""
    return {
        **_bucket(group.shortest),
        "verdict": worse([group.shortest.outcome]),
        "count": group.count,
        "findings": [*map(finding_document, group.findings)],
    }


def finding_document(finding: DistinctFinding) -> dict[str, object]:
    """A finding as data."""
    model = memory_of(tuple(finding.params.items()))
    return {**asdict(finding), **_bucket(finding), "verdict": worse([finding.outcome]), "memory": model}


def _bucket(finding: DistinctFinding) -> dict[str, object]:
    bucket = finding.bucket
    return {"bucket": {"family": bucket.family, "oracle": bucket.oracle, "pair": list(bucket.pair)}}


def _params(store: CampaignStore) -> Sequence[Params]:
    """What is searched, by its parameters."""
    return [cell.params for cell in store.options.cells]


def _met(group: FilledBucket) -> str:
    cells = len({cell for finding in group.findings for cell in finding.cells})
    return f"{counted(group.count, 'violating schedule')} in {counted(cells, 'cell')}"


def _goal(name: str, full: int, part: int) -> str:
    near = f", {part:,} came near" if part else ""
    return f"{name}: {counted(full, 'schedule')}{near}" if full else f"{name}: never reached{near}"


def _clock(seconds: float) -> str:
    minutes, rest = divmod(int(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}"
