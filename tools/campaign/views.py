"""What there is to say about a campaign, read from its store: while it runs, after it, or after it was killed."""

from __future__ import annotations

import json
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from actors.runtime.primitives.events import Outcome

from ..terminal.exits import Exit
from ..traces.store import load
from ..traces.trace import TraceError
from ..traces.verdicts import EXITS, worse
from .bucket import Bucket
from .store import FINDINGS, CampaignStore

FAILS, PASSES, NOT_RUN = "fails, as it must", "does not fail", "not yet run"
"""What becomes of the canary, a scenario that must fail in every campaign."""
_MINUTE = 60.0


@dataclass(frozen=True, slots=True, kw_only=True)
class DistinctFinding:
    """One exact finding: all failing runs that shrink to the same happens-before order."""

    exact: str
    bucket: Bucket
    outcome: str
    message: str
    params: Mapping[str, Any]
    steps: int
    switches: int
    file: str
    """The trace file, as a path from where the store is read."""
    count: int
    cells: tuple[str, ...]
    """Where it was met."""
    seed: int
    """Of the first shard that met it; which shard, and which schedule of it, from 1."""
    first_shard: str
    at: int
    rerun: str
    """The command that makes its run again; if its trace file is gone, a run before it was shrunk."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FilledBucket:
    """A bucket with all that fell into it, the shortest first."""

    bucket: Bucket
    findings: tuple[DistinctFinding, ...]

    @property
    def count(self) -> int:
        """Failing runs."""
        return sum(finding.count for finding in self.findings)

    @property
    def shortest(self) -> DistinctFinding:
        """The one to look at."""
        return self.findings[0]


@dataclass(frozen=True, slots=True, kw_only=True)
class SetAside:
    """Work that could not be done: a shard, or a failing schedule that could not be shrunk (then with a `token`)."""

    what: str
    reason: str
    token: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Status:
    """How a campaign goes."""

    running: bool
    over: bool
    """Nothing is left within the schedules or the budget."""
    seconds: float
    schedules: int
    failing: int
    """Schedules that violate something, or in which the model is in error."""
    errors: int
    """The latter, as far as they were looked at."""
    rate: float
    """Schedules a second, over the last minute."""
    new_pairs: float
    """Pairs a minute, over the last minute."""
    cells: int
    complete: int
    shards: Mapping[str, int]
    buckets: int
    findings: int
    to_shrink: int
    canary: str
    oldest: tuple[str, float] | None
    """The piece of work that has been out longest, and for how many seconds."""
    memory: int


def groups(store: CampaignStore) -> list[FilledBucket]:
    """All findings in their buckets, in alphabetical order."""
    found: dict[Bucket, list[DistinctFinding]] = {}
    for row in store.run("SELECT * FROM findings ORDER BY steps, switches, exact").fetchall():
        finding = _finding(store, row)
        found.setdefault(finding.bucket, []).append(finding)
    return [FilledBucket(bucket=bucket, findings=tuple(found[bucket])) for bucket in sorted(found)]


def lost_traces(store: CampaignStore) -> list[DistinctFinding]:
    """The findings whose trace files are gone or damaged."""
    found = [finding for group in groups(store) for finding in group.findings]
    return [finding for finding in found if not _is_whole(Path(finding.file))]


def set_aside(store: CampaignStore) -> list[SetAside]:
    """What was quarantined."""
    shards = store.run(
        "SELECT label, number, reason FROM shards JOIN cells USING (cell) WHERE state = 'quarantined' "
        "ORDER BY cell, number"
    )
    found = [SetAside(what=f"shard {row['number']} of {row['label']}", reason=row["reason"]) for row in shards]
    failures = store.run(
        "SELECT label, reason, token FROM failures JOIN cells USING (cell) WHERE state = 'quarantined' ORDER BY failure"
    )
    what = "a failing schedule of {}, not shrunk"
    found += [SetAside(what=what.format(row["label"]), reason=row["reason"], token=row["token"]) for row in failures]
    return found


def status(store: CampaignStore) -> Status:
    """How it goes now."""
    seconds, rate, new_pairs, memory = _pace(store)
    shards = {row["state"]: row["n"] for row in store.run("SELECT state, count(*) n FROM shards GROUP BY state")}
    sums = store.run("SELECT coalesce(sum(schedules), 0), coalesce(sum(failing), 0) FROM shards WHERE cell > 0")
    schedules, failing = sums.fetchone()
    cells, complete = store.run("SELECT count(*), coalesce(sum(complete), 0) FROM cells WHERE cell > 0").fetchone()
    buckets = "SELECT count(*) FROM (SELECT DISTINCT family, oracle, first, second FROM findings)"
    return Status(
        running=store.is_running,
        over=is_over(store),
        seconds=seconds,
        schedules=schedules,
        failing=failing,
        errors=store.one("SELECT coalesce(sum(count), 0) FROM failures WHERE outcome = ?", Outcome.ERROR.value),
        rate=rate,
        new_pairs=new_pairs,
        cells=cells,
        complete=complete,
        shards=shards,
        buckets=store.one(buckets),
        findings=store.one("SELECT count(*) FROM findings"),
        to_shrink=store.one("SELECT count(*) FROM failures WHERE state IN ('waiting', 'leased')"),
        canary=canary(store),
        oldest=_oldest(store, seconds),
        memory=memory,
    )


def canary(store: CampaignStore) -> str:
    """FAILS, PASSES or NOT_RUN."""
    silent = "state = 'quarantined' OR state = 'done' AND NOT failing"
    bad, done = store.run(
        f"SELECT coalesce(sum({silent}), 0), coalesce(sum(state = 'done'), 0) FROM shards WHERE cell = 0"
    ).fetchone()
    return PASSES if bad else FAILS if done else NOT_RUN


def is_over(store: CampaignStore) -> bool:
    """Whether a resume would have nothing to do."""
    left = (
        "SELECT (SELECT count(*) FROM shards WHERE state IN ('waiting', 'leased')) + "
        "(SELECT count(*) FROM cells WHERE cell > 0 AND (last IS NULL OR next < last))"
    )
    shrinks = store.one("SELECT count(*) FROM failures WHERE state IN ('waiting', 'leased')")
    budget = store.options.budget
    used_up = budget is not None and float(store.fact("seconds")) >= budget
    return not shrinks and (used_up or not store.one(left))


def verdict(store: CampaignStore) -> tuple[str, Exit]:
    """What the campaign has come to so far."""
    if canary(store) == PASSES:
        return "canary does not fail", Exit.INTERNAL
    outcomes = store.run("SELECT DISTINCT outcome FROM failures ORDER BY outcome").fetchall()
    if (found := worse(row["outcome"] for row in outcomes)) is not None:
        return found, EXITS[found]
    if store.one("SELECT count(*) FROM shards WHERE state = 'quarantined'") or store.fact("missing"):
        return "incomplete", Exit.INCONCLUSIVE
    if not store.one("SELECT count(*) FROM shards WHERE cell > 0 AND state = 'done'"):
        return "nothing run", Exit.NOTHING_SELECTED
    return "not found", Exit.NOTHING_VIOLATED


def coverage(store: CampaignStore) -> dict[str, dict[str, int]]:
    """The counts of each family."""
    found: dict[str, dict[str, int]] = {}
    for row in store.run("SELECT family, key, count FROM coverage ORDER BY family, key"):
        found.setdefault(row["family"], {})[row["key"]] = row["count"]
    return found


def _finding(store: CampaignStore, row: Any) -> DistinctFinding:
    met: Sequence[Any] = store.run(
        "SELECT count, seed, at, number, label, token FROM failures JOIN cells USING (cell) WHERE exact = ? "
        "ORDER BY number, cell, at",
        row["exact"],
    ).fetchall()
    path = store.folder / FINDINGS / row["file"]
    return DistinctFinding(
        exact=row["exact"],
        bucket=Bucket(row["family"], row["oracle"], (row["first"], row["second"])),
        outcome=row["outcome"],
        message=row["message"],
        params=json.loads(row["params"]),
        steps=row["steps"],
        switches=row["switches"],
        file=str(path),
        count=sum(one["count"] for one in met),
        cells=tuple(dict.fromkeys(one["label"] for one in met)),
        seed=met[0]["seed"],
        first_shard=f"shard {met[0]['number']} of {met[0]['label']}",
        at=met[0]["at"],
        rerun=f"stopmarker replay {shlex.quote(str(path)) if path.exists() else met[0]['token']}",
    )


def _is_whole(path: Path) -> bool:
    try:
        load(path)
    except TraceError:
        return False
    return True


def _pace(store: CampaignStore) -> tuple[float, float, float, int]:
    """Seconds run, schedules a second, new pairs a minute, and the memory of the largest worker."""
    seconds = float(store.fact("seconds"))
    last = store.run("SELECT * FROM samples ORDER BY seconds DESC LIMIT 1").fetchone()
    if last is None:
        return seconds, 0.0, 0.0, 0
    earlier = store.run(
        "SELECT seconds, schedules, pairs FROM samples WHERE seconds <= ? ORDER BY seconds DESC LIMIT 1",
        last["seconds"] - _MINUTE,
    ).fetchone()
    then, schedules, pairs = (0.0, 0, 0) if earlier is None else earlier
    span = max(last["seconds"] - then, 1e-9)
    rate, new = (last["schedules"] - schedules) / span, (last["pairs"] - pairs) / span * _MINUTE
    memory = store.one("SELECT memory FROM samples WHERE memory ORDER BY seconds DESC LIMIT 1")
    return seconds, rate, new, memory or 0


def _oldest(store: CampaignStore, seconds: float) -> tuple[str, float] | None:
    row = store.run(
        "SELECT * FROM (SELECT 'shard ' || number || ' of ' || label AS what, since FROM shards "
        "JOIN cells USING (cell) WHERE state = 'leased' "
        "UNION ALL SELECT 'shrinking failure ' || failure || ' of ' || label, since FROM failures "
        "JOIN cells USING (cell) WHERE state = 'leased') ORDER BY since LIMIT 1"
    ).fetchone()
    return None if row is None else (row["what"], max(seconds - row["since"], 0.0))
