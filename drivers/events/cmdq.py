"""What the CPUs that share a command queue did, as typed records (`hw.events` explains recurring fields).

Commands are numbered over the life of the queue, in the order in which their slots were reserved.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from hw.bus import Resource
from hw.events.commands import sync_resource
from hw.events.event import Arrow, Event


@dataclass(frozen=True, slots=True, kw_only=True)
class SlotsReserved(Event):
    """A CPU reserved the slots from command `number` on, and is about to write `commands` (two words each) there."""

    number: int
    commands: Sequence[Sequence[int]]
    owner: bool

    def _label(self) -> str:
        last = self.number + len(self.commands) - 1
        slots = f"slot of #{self.number}" if last == self.number else f"slots of #{self.number} to #{last}"
        return f"reserves {slots}{', as owner' if self.owner else ''}"


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchPublished(Arrow):
    """An owner wrote PROD: commands up to `end` (exclusive) may be consumed, `own` of them are the owner's."""

    end: int
    own: int
    total: int
    target: str

    def _label(self) -> str:
        return f"CMDQ_PROD: {self.total} commands, {self.own} own"


@dataclass(frozen=True, slots=True, kw_only=True)
class SyncReturned(Event):
    """A caller goes on because it takes the CMD_SYNC that is command `number` for complete."""

    number: int

    def _label(self) -> str:
        return f"returns from CMD_SYNC #{self.number}"

    def _touches(self) -> tuple[Resource, ...]:
        return (sync_resource(self.number),)


@dataclass(frozen=True, slots=True, kw_only=True)
class SharedLockWanted(Event):
    """A CPU counted itself in as a waiter for CONS, and met somebody who holds the lock exclusively."""

    cpu: str

    def _label(self) -> str:
        return "waits for the cmdq lock (shared)"


@dataclass(frozen=True, slots=True, kw_only=True)
class SharedLockTaken(Event):
    """The CPU that waited to share the lock for CONS has it."""

    cpu: str

    def _label(self) -> str:
        return "cmdq lock (shared)"


@dataclass(frozen=True, slots=True, kw_only=True)
class ExclusiveLockTaken(Event):
    """A CPU took the lock to move the shared copy of CONS."""

    cpu: str

    def _label(self) -> str:
        return "cmdq lock (exclusive)"
