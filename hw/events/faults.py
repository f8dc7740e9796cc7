"""What the event queue and the stall model did, as typed records (smmuv3 §1.7 and §2.5).

`hw.events` explains the fields that recur.
"""

from __future__ import annotations

from dataclasses import dataclass

from hw.bus import Resource
from hw.events.event import Arrow, Event
from hw.events.link import FRAMES, pasid_resource


def stalls_resource(sid: int) -> Resource:
    """The STAGs of a stream and what was decided about each: written by stalls, RESUME and STALL_TERM."""
    return ("SMMU", "stalls", sid)


@dataclass(frozen=True, slots=True, kw_only=True)
class EventQueued(Event):
    """The SMMU wrote EVTQ entry `number`, under `binding` of its PASID; from empty it also raised the interrupt."""

    number: int
    id: str
    sid: int
    pasid: int
    stall: bool
    stag: int
    raised: bool
    binding: int = 0

    def _label(self) -> str:
        what = f"stall STAG {self.stag}" if self.stall else self.id
        return f"EVTQ #{self.number} = {{P{self.pasid} {what}}}{'' if self.raised else ', no interrupt'}"

    def _touches(self) -> tuple[Resource, ...]:
        return (pasid_resource(self.pasid),)


@dataclass(frozen=True, slots=True, kw_only=True)
class EventLost(Event):
    """A record that was no stall met a full EVTQ."""

    id: str
    sid: int

    def _label(self) -> str:
        return f"EVTQ overflow: {self.id} lost"


@dataclass(frozen=True, slots=True, kw_only=True)
class DmaStalled(Event):
    """A transaction of a stream waits in the SMMU for RESUME, as stall `stall` of this run."""

    stall: int
    sid: int
    pasid: int
    stag: int

    def _label(self) -> str:
        return f"DMA P{self.pasid} stalls, STAG {self.stag}"

    def _touches(self) -> tuple[Resource, ...]:
        return (stalls_resource(self.sid),)


@dataclass(frozen=True, slots=True, kw_only=True)
class StallDecided(Event):
    """A RESUME or STALL_TERM met stall `stall` (-1: no such STAG is open, so it had no effect)."""

    stall: int
    sid: int
    stag: int
    command: int
    decision: str

    def _label(self) -> str:
        effect = "" if self.stall >= 0 else " (stale STAG: no effect)"
        return f"STAG {self.stag}: {self.decision}{effect}"

    def _touches(self) -> tuple[Resource, ...]:
        return (stalls_resource(self.sid),)


@dataclass(frozen=True, slots=True, kw_only=True)
class DmaEnded(Arrow):
    """An untranslated DMA ended: in memory, or with an abort; `early` says that no RESUME was waited for."""

    sid: int
    pasid: int
    address: int
    page: int
    ok: bool
    early: bool
    target: str = "device"

    def _label(self) -> str:
        return f"DMA P{self.pasid} {'done' if self.ok else 'aborted'}{' (early retry)' if self.early else ''}"

    def _touches(self) -> tuple[Resource, ...]:
        return (FRAMES,) if self.ok else ()
