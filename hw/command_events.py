"""What the command queue unit did, as typed records (smmuv3 §1.4 to §1.6).

Commands are numbered over the life of the queue, in the order in which they are consumed.
"""

from __future__ import annotations

from dataclasses import dataclass

from hw.bus import Resource


def sync_resource(number: int) -> Resource:
    """Whether the CMD_SYNC that is command `number` is complete: written once, by the SMMU."""
    return ("CMDQ", "CMD_SYNC complete", number)


@dataclass(frozen=True, slots=True, kw_only=True)
class CommandTaken:
    """The SMMU read command `number` from the queue: these two words."""

    number: int
    q0: int
    q1: int

    @property
    def label(self) -> str:
        """Local action text."""
        return f"CMDQ #{self.number} = {self.q0:#x} {self.q1:#x}"


@dataclass(frozen=True, slots=True, kw_only=True)
class SyncCompleted:
    """All commands before the CMD_SYNC that is command `number` are complete, and so is it."""

    number: int

    @property
    def label(self) -> str:
        """Local action text."""
        return f"CMD_SYNC #{self.number} complete"

    @property
    def touches(self) -> tuple[Resource, ...]:
        """The SYNC."""
        return (sync_resource(self.number),)


@dataclass(frozen=True, slots=True, kw_only=True)
class CommandQueueStopped:
    """The queue stops at command `number`: GERROR.CMDQ_ERR is active, and CMDQ_CONS.ERR is the named code."""

    number: int
    error: str

    @property
    def label(self) -> str:
        """Local action text."""
        return f"CMDQ stops at #{self.number}: CERROR_{self.error}"


@dataclass(frozen=True, slots=True, kw_only=True)
class MsiAborted:
    """The completion message of a CMD_SYNC met no memory: GERROR.MSI_CMDQ_ABT_ERR is active; the SYNC is complete."""

    number: int

    @property
    def label(self) -> str:
        """Local action text."""
        return f"MSI of CMD_SYNC #{self.number} aborts"
