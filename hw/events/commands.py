"""What the command queue unit did, as typed records (smmuv3 §1.4 to §1.6).

Commands are numbered over the life of the queue, in the order in which they are consumed.
"""

from __future__ import annotations

from dataclasses import dataclass

from hw.bus import Resource
from hw.events.event import Event


def sync_resource(number: int) -> Resource:
    """Whether the CMD_SYNC that is command `number` is complete: written once, by the SMMU."""
    return ("CMDQ", "CMD_SYNC complete", number)


@dataclass(frozen=True, slots=True, kw_only=True)
class CommandTaken(Event):
    """The SMMU read command `number` from the queue: these two words."""

    number: int
    q0: int
    q1: int

    def _label(self) -> str:
        return f"CMDQ #{self.number} = {self.q0:#x} {self.q1:#x}"


@dataclass(frozen=True, slots=True, kw_only=True)
class SyncCompleted(Event):
    """All commands before the CMD_SYNC that is command `number` are complete, and so is it."""

    number: int

    def _label(self) -> str:
        return f"CMD_SYNC #{self.number} complete"

    def _touches(self) -> tuple[Resource, ...]:
        return (sync_resource(self.number),)


@dataclass(frozen=True, slots=True, kw_only=True)
class CommandQueueStopped(Event):
    """The queue stops at command `number`: GERROR.CMDQ_ERR is active, and CMDQ_CONS.ERR is the named code."""

    number: int
    error: str

    def _label(self) -> str:
        return f"CMDQ stops at #{self.number}: CERROR_{self.error}"


@dataclass(frozen=True, slots=True, kw_only=True)
class MsiAborted(Event):
    """The completion message of a CMD_SYNC met no memory: GERROR.MSI_CMDQ_ABT_ERR is active; the SYNC is complete."""

    number: int

    def _label(self) -> str:
        return f"MSI of CMD_SYNC #{self.number} aborts"
