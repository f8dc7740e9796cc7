"""What all engines have in common: how a piece of work is done, and what can come of it."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Protocol

from ..checkpoint import code_digest
from ..exits import Diverged, Refusal
from .exemplar import Exemplar, Shrinking, run_shrinking
from .ledger import Lease
from .matrix import Cell, Shard
from .probe import Probe, Size, run_probe
from .shard import Seen, run_shard

Task = Shard | Shrinking | Probe


@dataclass(frozen=True, slots=True)
class Failed:
    """The work cannot be done; it would fail in the same way again."""

    reason: str
    diverged: bool = False
    """Because a run is not a function of its schedule."""


@dataclass(frozen=True, slots=True)
class OtherCode:
    """The worker has other models than the coordinator: its results would be those of another campaign."""

    where: str


@dataclass(frozen=True, slots=True)
class Killed:
    """The worker died of it, or with it."""

    reason: str
    times: int = 1


Result = Seen | Exemplar | Size | Failed | OtherCode | Killed


LOOK_EVERY = 0.25
"""Seconds between two looks of whoever waits for an engine: at Ctrl-C, and at the time."""


class Engine(Protocol):
    """Has work done by others, several pieces at a time. It knows nothing of stores."""

    @property
    def free(self) -> int:
        """How many more pieces it can begin now."""
        ...

    def submit(self, lease: Lease) -> None:
        """Begin a piece of work."""
        ...

    def wait(self, seconds: float) -> Sequence[tuple[Lease, Result]]:
        """What came of work that was begun; after `seconds` at the latest, perhaps nothing."""
        ...

    def close(self) -> None:
        """Stop at once; unfinished work is lost."""
        ...


def perform(task: Task, code: bytes) -> Result:
    """Do a piece of work, in whatever process this is; only its death is not a result.

    `code` is the coordinator's digest of the models and of the scenario's file.
    """
    try:
        if code_of(task.cell) != code:
            return OtherCode(task.cell.scenario)
        match task:
            case Shard():
                return run_shard(task)
            case Shrinking():
                return run_shrinking(task)
            case Probe():
                return run_probe(task)
    except Refusal as refusal:
        return Failed(str(refusal), isinstance(refusal, Diverged))
    except Exception as error:
        return Failed(" ".join(f"{type(error).__name__}: {error}".split()))


def code_of(cell: Cell) -> bytes:
    """The digest of all code that decides what a cell's shards do, as this process found it; Refusal if it is gone."""
    _, separator, _ = cell.scenario.partition("::")
    return _code(cell.scenario if separator else "")


def code_of_all(cells: Iterable[Cell]) -> str:
    """The same of several cells."""
    return hashlib.sha256(b"".join(sorted({code_of(cell) for cell in cells}))).hexdigest()


@cache
def _code(scenario: str) -> bytes:
    try:
        return code_digest(scenario)
    except OSError as error:
        reason = error.strerror or error
        raise Refusal(f"read scenario {scenario}: {reason}; a campaign runs where it was started") from None
