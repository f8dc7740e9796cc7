"""What the event queue and the stall model did, as typed records (smmuv3 §1.7 and §2.5).

`hw.events` explains the fields that recur.
"""

from __future__ import annotations

from dataclasses import dataclass

from hw.bus import Resource
from hw.events import FRAMES, pasid_resource


def stalls_resource(sid: int) -> Resource:
    """The STAGs of a stream and what was decided about each: written by stalls, RESUME and STALL_TERM."""
    return ("SMMU", "stalls", sid)


@dataclass(frozen=True, slots=True, kw_only=True)
class EventQueued:
    """The SMMU wrote EVTQ entry `number`, under `binding` of its PASID; from empty it also raised the interrupt."""

    number: int
    id: str
    sid: int
    pasid: int
    stall: bool
    stag: int
    raised: bool
    binding: int = 0

    @property
    def label(self) -> str:
        """Local action text."""
        what = f"stall STAG {self.stag}" if self.stall else self.id
        return f"EVTQ #{self.number} = {{P{self.pasid} {what}}}{'' if self.raised else ', no interrupt'}"

    @property
    def touches(self) -> tuple[Resource, ...]:
        """The owner of the PASID."""
        return (pasid_resource(self.pasid),)


@dataclass(frozen=True, slots=True, kw_only=True)
class EventLost:
    """A record that was no stall met a full EVTQ."""

    id: str
    sid: int

    @property
    def label(self) -> str:
        """Local action text."""
        return f"EVTQ overflow: {self.id} lost"


@dataclass(frozen=True, slots=True, kw_only=True)
class DmaStalled:
    """A transaction of a stream waits in the SMMU for RESUME, as stall `stall` of this run."""

    stall: int
    sid: int
    pasid: int
    stag: int

    @property
    def label(self) -> str:
        """Local action text."""
        return f"DMA P{self.pasid} stalls, STAG {self.stag}"

    @property
    def touches(self) -> tuple[Resource, ...]:
        """The stream's STAGs."""
        return (stalls_resource(self.sid),)


@dataclass(frozen=True, slots=True, kw_only=True)
class StallDecided:
    """A RESUME or STALL_TERM met stall `stall` (-1: no such STAG is open, so it had no effect)."""

    stall: int
    sid: int
    stag: int
    command: int
    decision: str

    @property
    def label(self) -> str:
        """Local action text."""
        effect = "" if self.stall >= 0 else " (stale STAG: no effect)"
        return f"STAG {self.stag}: {self.decision}{effect}"

    @property
    def touches(self) -> tuple[Resource, ...]:
        """The stream's STAGs."""
        return (stalls_resource(self.sid),)


@dataclass(frozen=True, slots=True, kw_only=True)
class DmaEnded:
    """An untranslated DMA ended: in memory, or with an abort; `early` says that no RESUME was waited for."""

    sid: int
    pasid: int
    address: int
    page: int
    ok: bool
    early: bool
    target: str = "device"

    @property
    def label(self) -> str:
        """Arrow text."""
        return f"DMA P{self.pasid} {'done' if self.ok else 'aborted'}{' (early retry)' if self.early else ''}"

    @property
    def touches(self) -> tuple[Resource, ...]:
        """Owners of frames."""
        return (FRAMES,) if self.ok else ()
