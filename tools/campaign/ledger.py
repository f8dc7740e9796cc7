"""Who does what: shards and failing schedules are given out once, taken back if their worker dies, booked when done.

Every method is one transaction, so that a campaign can be killed between any two of them. Failures are looked at in
the order of the shards, not in that of their arrival: which of two alike is shrunk must not depend on who was faster.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from actors.runtime.runs.schedule import Recipe

from .cells import CampaignOptions, Shard
from .exemplar import Exemplar, Shrinking
from .probe import Probe
from .shard import Seen
from .store import CampaignStore

MOST_KILLS = 3
"""Workers that one piece of work may kill before it is set aside."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Lease:
    """A piece of work that was given out: a shard, or (with `failure`) a schedule to shrink; a probe has no row."""

    task: Shard | Shrinking | Probe
    cell: int
    number: int = 0
    failure: int | None = None

    @property
    def where(self) -> tuple[str, str, tuple[int, ...]]:
        """Table, condition and values that find its row."""
        if self.failure is not None:
            return "failures", "failure = ?", (self.failure,)
        return "shards", "cell = ? AND number = ?", (self.cell, self.number)

    def __str__(self) -> str:
        if isinstance(self.task, Probe):
            return f"a probe of {self.task.cell.experiment}"
        if self.failure is not None:
            return f"shrinking failure {self.failure} of {self.task.cell.label}"
        return f"shard {self.number} of {self.task.cell.label}"


class Ledger:
    """The books of a campaign. One coordinator has it; `recover` first takes back what an earlier one had given out."""

    def __init__(self, store: CampaignStore) -> None:
        self.store = store
        self.options: CampaignOptions = store.options

    def recover(self) -> None:
        """Whatever is given out belongs to a coordinator that is dead, since this one has the lock."""
        with self.store.writes():
            for table in ("shards", "failures"):
                self.store.run(f"UPDATE {table} SET state = 'waiting' WHERE state = 'leased'")

    def remake(self, lost: Sequence[str]) -> None:
        """Findings whose traces are lost, by their digests: what was shrunk to them is shrunk again, to the same."""
        with self.store.writes():
            for exact in lost:
                self.store.run("DELETE FROM findings WHERE exact = ?", exact)
                again = "UPDATE failures SET state = 'waiting', kills = 0, exact = NULL WHERE exact = ?"
                self.store.run(again, exact)

    def lease(self, seconds: float, *, shards: bool = True) -> Lease | None:
        """The next piece of work, None if there is none now; without `shards` only what failed already."""
        with self.store.writes():
            lease = self._failure() or (self._redone() or self._fresh() if shards else None)
            if lease is not None:
                table, condition, values = lease.where
                self.store.run(f"UPDATE {table} SET state = 'leased', since = ? WHERE {condition}", seconds, *values)
        return lease

    def give_back(self, lease: Lease) -> None:
        """Nobody does it now; it is not its fault."""
        with self.store.writes():
            table, condition, values = lease.where
            self.store.run(f"UPDATE {table} SET state = 'waiting' WHERE {condition}", *values)

    def killed(self, lease: Lease, reason: str, times: int = 1) -> bool:
        """Its worker died, so many times; True if it is set aside for that."""
        table, condition, values = lease.where
        with self.store.writes():
            sql = f"UPDATE {table} SET state = 'waiting', kills = kills + ? WHERE {condition}"
            self.store.run(sql, times, *values)
            kills: int = self.store.one(f"SELECT kills FROM {table} WHERE {condition}", *values)
            if kills >= MOST_KILLS:
                self._quarantine(lease, f"{reason}, {kills} times")
        return kills >= MOST_KILLS

    def failed(self, lease: Lease, reason: str) -> None:
        """It cannot be done, and would fail in the same way again."""
        with self.store.writes():
            self._quarantine(lease, reason)

    def done(self, lease: Lease, seen: Seen) -> None:
        """Book a shard with all that it saw."""
        run = self.store.run
        with self.store.writes():
            run(
                "UPDATE shards SET state = 'done', schedules = ?, steps = ?, failing = ?, seconds = ? "
                "WHERE cell = ? AND number = ?",
                *(seen.schedules, seen.steps, seen.failing, seen.seconds, lease.cell, lease.number),
            )
            if lease.cell:
                self._see(lease, seen)
            if not lease.number:
                run("UPDATE cells SET open = 1 WHERE cell = ?", lease.cell)
            if seen.complete:
                run("UPDATE cells SET complete = 1, last = next WHERE cell = ?", lease.cell)
            self._triage(lease.cell)

    def shrunk(self, lease: Lease, exemplar: Exemplar, file: str) -> None:
        """Book a finding, whose trace is written already."""
        bucket = exemplar.bucket
        with self.store.writes():
            book_finding(
                self.store,
                *(exemplar.exact, bucket.family, bucket.oracle, *bucket.pair, exemplar.outcome, exemplar.message),
                *(json.dumps(dict(lease.task.cell.params)), exemplar.steps, exemplar.switches, file),
            )
            done = "UPDATE failures SET state = 'done', exact = ? WHERE failure = ?"
            self.store.run(done, exemplar.exact, lease.failure)

    def _see(self, lease: Lease, seen: Seen) -> None:
        family = self.options.all_cells[lease.cell].scenario
        self.store.run_all(
            "INSERT INTO coverage VALUES (?, ?, ?) ON CONFLICT DO UPDATE SET count = count + excluded.count",
            ((family, key, count) for key, count in seen.coverage.items()),
        )
        self.store.run_all("INSERT INTO reports VALUES (?, ?, ?, ?, ?, ?, ?, ?)", self._reports(lease, seen))

    def _reports(self, lease: Lease, seen: Seen) -> Iterator[tuple[object, ...]]:
        for failure in seen.failures:
            signature = json.dumps(failure.signature)
            what = (failure.key, failure.outcome, signature, failure.count, failure.at, bytes(failure.schedule))
            yield (lease.cell, lease.number, *what)

    def _quarantine(self, lease: Lease, reason: str) -> None:
        table, condition, values = lease.where
        sql = f"UPDATE {table} SET state = 'quarantined', reason = ? WHERE {condition}"
        self.store.run(sql, reason, *values)
        if lease.failure is None:
            if not lease.number:
                self.store.run("UPDATE cells SET open = 1 WHERE cell = ?", lease.cell)
            self._triage(lease.cell)

    def _triage(self, cell: int) -> None:
        """Look at the failures of all shards up to the first that is not finished."""
        run, options = self.store.run, self.options
        number: int = self.store.one("SELECT triaged FROM cells WHERE cell = ?", cell)
        finished = "SELECT state IN ('done', 'quarantined') FROM shards WHERE cell = ? AND number = ?"
        while self.store.one(finished, cell, number):
            rows = "SELECT * FROM reports WHERE cell = ? AND number = ? ORDER BY at"
            for report in run(rows, cell, number).fetchall():
                self._meet(cell, number, report)
            run("DELETE FROM reports WHERE cell = ? AND number = ?", cell, number)
            number = options.next_mine(cell, number + 1)
        run("UPDATE cells SET triaged = ? WHERE cell = ?", number, cell)

    def _meet(self, cell: int, number: int, report: Any) -> None:
        known = "UPDATE failures SET count = count + ? WHERE cell = ? AND key = ?"
        if self.store.run(known, report["count"], cell, report["key"]).rowcount:
            return
        what = self.options.all_cells[cell]
        recipe = Recipe(scenario=what.scenario, params=what.params, schedule=tuple(report["schedule"]))
        self.store.run(
            "INSERT INTO failures (part, cell, key, outcome, signature, count, number, seed, at, schedule, token, "
            "state) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 'waiting')",
            *(self.options.part[0], cell, report["key"], report["outcome"], report["signature"]),
            *(report["count"], number),
            *(self.options.shard(cell, number).seed, report["at"], report["schedule"], recipe.token()),
        )

    def _failure(self) -> Lease | None:
        row = self.store.run("SELECT * FROM failures WHERE state = 'waiting' ORDER BY failure LIMIT 1").fetchone()
        if row is None:
            return None
        cell = self.options.all_cells[row["cell"]]
        task = Shrinking(cell=cell, signature=tuple(json.loads(row["signature"])), schedule=tuple(row["schedule"]))
        return Lease(task=task, cell=row["cell"], failure=row["failure"])

    def _redone(self) -> Lease | None:
        """A shard that was given out before."""
        sql = "SELECT cell, number FROM shards WHERE state = 'waiting' ORDER BY number, cell LIMIT 1"
        row = self.store.run(sql).fetchone()
        return None if row is None else self._shard(row["cell"], row["number"])

    def _fresh(self) -> Lease | None:
        """The next shard of the cell that has had the fewest. The canary gets one only while other cells have work."""
        left = "(last IS NULL OR next < last)"
        others = f"(SELECT min(next) FROM cells WHERE cell > 0 AND {left})"
        row = self.store.run(
            f"SELECT cell, next FROM cells WHERE {left} AND (open OR next = 0) AND (cell > 0 OR next <= {others}) "
            "ORDER BY next, cell LIMIT 1"
        ).fetchone()
        if row is None:
            return None
        cell, number = row
        self.store.run("UPDATE cells SET next = ? WHERE cell = ?", self.options.next_mine(cell, number + 1), cell)
        self.store.run("INSERT INTO shards (cell, number, state, since) VALUES (?, ?, 'waiting', 0)", cell, number)
        return self._shard(cell, number)

    def _shard(self, cell: int, number: int) -> Lease:
        return Lease(task=self.options.shard(cell, number), cell=cell, number=number)


def book_finding(store: CampaignStore, *row: object) -> None:
    """Add a finding, or if it is known, keep the shorter run of the two."""
    store.run(
        "INSERT INTO findings VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (exact) DO UPDATE SET "
        "params = excluded.params, steps = excluded.steps, switches = excluded.switches, file = excluded.file, "
        "message = excluded.message "
        "WHERE (excluded.steps, excluded.switches, excluded.params) < (steps, switches, params)",
        *row,
    )
