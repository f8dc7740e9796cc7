"""What software did with events, faults and unbinding, as typed records (`hw.events` explains recurring fields)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from hw.bus import Resource
from hw.events.event import Arrow, Event
from hw.events.faults import stalls_resource
from hw.events.link import pasid_resource

PARTIAL: Resource = ("iopf", "partial")
"""The list of page requests whose Last has not come."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EventTaken(Event):
    """Software took EVTQ entry `number` and gave its slot back."""

    number: int
    stall: bool

    def _label(self) -> str:
        return f"take EVTQ #{self.number}"


@dataclass(frozen=True, slots=True, kw_only=True)
class OverflowAcknowledged(Event):
    """Software wrote OVACKFLG of a queue, so that the hardware sees it."""

    queue: str

    def _label(self) -> str:
        return f"{self.queue}: overflow acknowledged"


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupClosed(Event):
    """A Last came: these PRIQ entries are one group from now on."""

    prgi: int
    numbers: Sequence[int]

    def _label(self) -> str:
        return f"group g{self.prgi} = {', '.join(f'#{number}' for number in self.numbers)}"

    def _touches(self) -> tuple[Resource, ...]:
        return (PARTIAL,)


@dataclass(frozen=True, slots=True, kw_only=True)
class BondEnded(Event):
    """Binding `binding` of a PASID is undone: device stopped, CD cleared, caches empty. The PASID may live on."""

    pasid: int
    binding: int

    def _label(self) -> str:
        return f"bind{self.binding} of P{self.pasid} is over"

    def _touches(self) -> tuple[Resource, ...]:
        return (pasid_resource(self.pasid),)


@dataclass(frozen=True, slots=True, kw_only=True)
class FaultSettled(Event):
    """The stall of EVTQ entry `number` was answered, and nothing of software refers to it any more."""

    number: int
    pasid: int

    def _label(self) -> str:
        return f"fault #{self.number} settled"

    def _touches(self) -> tuple[Resource, ...]:
        return (pasid_resource(self.pasid),)


@dataclass(frozen=True, slots=True, kw_only=True)
class Resumed(Arrow):
    """Software wrote a RESUME as command `command`, for EVTQ entry `number`."""

    number: int
    stag: int
    decision: str
    command: int
    target: str

    def _label(self) -> str:
        return f"RESUME STAG {self.stag} {self.decision} for #{self.number}"


@dataclass(frozen=True, slots=True, kw_only=True)
class UnbindReturned(Event):
    """iommu_sva_unbind_device is back at its caller, who may do with device and PASID what he likes."""

    pasid: int
    binding: int

    def _label(self) -> str:
        return f"unbind of bind{self.binding} returns"

    def _touches(self) -> tuple[Resource, ...]:
        return (pasid_resource(self.pasid),)


@dataclass(frozen=True, slots=True, kw_only=True)
class ReleaseBegun(Event):
    """The last pin of an address space was dropped, and whoever did that runs the release callback."""

    mm: str
    by: str

    def _label(self) -> str:
        return f"release of {self.mm} by {self.by}"


@dataclass(frozen=True, slots=True, kw_only=True)
class ReleaseReturned(Event):
    """The mm's release callback is back: the stream's DMA for that PASID must not need software any more."""

    pasid: int
    sid: int

    def _label(self) -> str:
        return f"mm release of P{self.pasid} returns"

    def _touches(self) -> tuple[Resource, ...]:
        return (stalls_resource(self.sid),)
