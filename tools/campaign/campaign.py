"""A campaign as it runs: gives work to an engine, books what comes back, and stops when it must.

Only this process writes the store, and it books a piece of work in one transaction. So it may be killed at any time, as
may its workers: what was booked stays, the rest is done again.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from loguru import logger

from ..terminal.counting import counted
from ..terminal.exits import Refusal, Unfinished
from ..terminal.interrupt import StopRequest
from ..traces.container import decode
from ..traces.store import save
from .coverage import PAIR
from .exemplar import Exemplar
from .ledger import Lease, Ledger
from .shard import Seen
from .store import FINDINGS, CampaignStore
from .views import PASSES, canary, lost_traces
from .work import LOOK_EVERY, Engine, Failed, Killed, OtherCode, Result

SAMPLE_EVERY = 5.0
"""Seconds between two samples of how it goes."""
_SOON = 1.0
"""The first samples come sooner than the others: people want to see a speed."""


@dataclass(slots=True)
class CampaignRun:
    """One run of a campaign, from start or resume to its end."""

    store: CampaignStore
    engine: Engine
    stop: StopRequest
    on_progress: Callable[[float], None] = lambda _: None
    """Called once a second with the seconds that the campaign has run."""
    interrupted: bool = False
    ledger: Ledger = field(init=False)
    _before: float = 0.0
    _begun: float = 0.0
    _sampled: float = 0.0
    _shown: float = 0.0
    _memory: int = 0

    def run(self) -> None:
        """Work until nothing is left, the budget is used up, the canary does not fail, or Ctrl-C."""
        self.ledger = Ledger(self.store)
        self._before = float(self.store.fact("seconds"))
        self._shown = self._before - 1
        self._sampled = self._before - _SOON + LOOK_EVERY
        self._begun = time.monotonic()
        with _resumable(self.store):
            self.ledger.recover()
            self._remake()
            try:
                self._work()
            finally:
                self.engine.close()
            self.ledger.recover()
            self._sample()

    @property
    def seconds(self) -> float:
        """How long the campaign has run, all sessions together. No clock that people set has a part in it."""
        return self._before + time.monotonic() - self._begun

    def _remake(self) -> None:
        """Trace files that somebody deleted or damaged since."""
        if lost := lost_traces(self.store):
            logger.warning("lost or damaged, and made again: {}", counted(len(lost), "trace file"))
            for path in (Path(finding.file) for finding in lost):
                if path.exists():
                    path.replace(path.with_name(f"{path.name}.damaged"))
            self.ledger.remake([finding.exact for finding in lost])

    def _work(self) -> None:
        out = 0
        while not self.stop.requested and canary(self.store) != PASSES:
            while self.engine.free > 0 and (lease := self._next()) is not None:
                self.engine.submit(lease)
                out += 1
            if not out:
                break
            for lease, result in self.engine.wait(LOOK_EVERY):
                out -= 1
                self._settle(lease, result)
            if self.seconds >= self._shown + 1:
                self._shown = self.seconds
                self.on_progress(self._shown)
            if self.seconds >= self._sampled + min(SAMPLE_EVERY, max(self._sampled - self._before, _SOON)):
                self._sample()
        self.interrupted = self.stop.requested and bool(out)

    def _next(self) -> Lease | None:
        budget = self.ledger.options.budget
        return self.ledger.lease(self.seconds, shards=budget is None or self.seconds < budget)

    def _settle(self, lease: Lease, result: Result) -> None:
        logger.debug("{}: {}", lease, type(result).__name__.lower())
        match result:
            case Seen():
                self._memory = max(self._memory, result.memory)
                self.ledger.done(lease, result)
            case Exemplar():
                path = save(decode(result.trace), self.store.folder / FINDINGS)
                self.ledger.shrunk(lease, result, path.name)
            case Failed(reason):
                logger.warning("{} is set aside: {}", lease, reason)
                self.ledger.failed(lease, reason)
            case OtherCode(where):
                self.ledger.give_back(lease)
                raise Unfinished(
                    f"campaign: {where}, or a module that it uses, is not what the campaign began with, so it stops; "
                    f"what it found can be read, and with the old text back: {self.store.resumption}"
                )
            case Killed(reason, times):
                is_aside = self.ledger.killed(lease, reason, times)
                logger.warning("{} is {}: {}", lease, "set aside" if is_aside else "done again", reason)

    def _sample(self) -> None:
        """Keep how it goes, for the status and for whoever resumes."""
        store, self._sampled = self.store, self.seconds
        pairs = f"SELECT count(*) FROM coverage WHERE key GLOB '{PAIR}*'"
        with store.writes():
            store.set_fact("seconds", self._sampled)
            store.run(
                "INSERT OR REPLACE INTO samples VALUES (?, (SELECT coalesce(sum(schedules), 0) FROM shards), "
                f"({pairs}), (SELECT count(*) FROM findings), ?)",
                *(self._sampled, self._memory),
            )
        self._memory = 0


@contextmanager
def _resumable(store: CampaignStore) -> Iterator[None]:
    """What stops a campaign in the middle leaves nothing damaged; say so."""
    try:
        yield
    except Unfinished:
        raise
    except Refusal as refusal:
        raise Unfinished(f"{refusal} (nothing booked is lost: {store.resumption})") from None
