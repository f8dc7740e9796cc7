"""What all engines have in common: how a piece of work is done, and what can come of it."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Protocol

from ..searches.checkpoint import code_digest
from ..terminal.exits import Exit, Refusal
from ..terminal.leaving import staying
from ..terminal.standstill import NoStep, asking_line
from .cells import Cell, Shard
from .exemplar import Exemplar, Shrinking, run_shrinking
from .ledger import Lease
from .probe import Probe, Size, run_probe
from .shard import Seen, run_shard

Task = Shard | Shrinking | Probe


@dataclass(frozen=True, slots=True)
class Failed:
    """The work cannot be done; it would fail in the same way again."""

    reason: str
    code: Exit = Exit.USAGE
    """ERROR if the model is to blame, DIVERGED if a run is not a function of its schedule."""


@dataclass(frozen=True, slots=True)
class OtherCode:
    """The worker has other models than the coordinator: its results would be those of another campaign."""

    where: str


@dataclass(frozen=True, slots=True)
class Killed:
    """The worker died while it had this work."""

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

    `code` is the coordinator's digest of the models and of the scenario's text. It is compared before the text is
    loaded and after the work is done, so that what was run is what the campaign began with.
    """
    if _code_now(task.cell) != code:
        return OtherCode(task.cell.scenario)
    result = _done(task)
    return result if _code_now(task.cell) == code else OtherCode(task.cell.scenario)


def _done(task: Task) -> Result:
    try:
        with staying(asking_line):
            match task:
                case Shard():
                    return run_shard(task)
                case Shrinking():
                    return run_shrinking(task)
                case Probe():
                    return run_probe(task)
    except Refusal as refusal:
        return Failed(str(refusal), refusal.code)
    except NoStep as standstill:
        return Failed(str(standstill), Exit.ERROR)
    except MemoryError:
        return Failed("ERROR: the model needs more memory than a worker may hold (--memory-limit)", Exit.ERROR)
    except (Exception, SystemExit, GeneratorExit) as error:
        return Failed(" ".join(f"{type(error).__name__}: {error}".split()))


@cache
def code_of(cell: Cell) -> bytes:
    """The digest of all code that decides what a cell's shards do, as this process found it first; Refusal if it is
    gone."""
    try:
        return code_digest(_file(cell))
    except OSError as error:
        reason = error.strerror or error
        raise Refusal(f"read scenario {cell.scenario}: {reason}; a campaign runs where it was started") from None


def code_of_all(cells: Iterable[Cell]) -> str:
    """The digest of what several cells run."""
    return hashlib.sha256(b"".join(sorted({code_of(cell) for cell in cells}))).hexdigest()


def _code_now(cell: Cell) -> bytes | None:
    """The digest as it is now; None if a file is gone."""
    try:
        return code_digest(_file(cell))
    except OSError:
        return None


def _file(cell: Cell) -> str:
    return cell.scenario if "::" in cell.scenario else ""
