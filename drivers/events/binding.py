"""What software did, as typed records for oracles and renderers (`hw.events` explains the fields that recur)."""

from __future__ import annotations

from dataclasses import dataclass

from hw.bus import Resource
from hw.events.event import Arrow, Event
from hw.events.link import pasid_resource


@dataclass(frozen=True, slots=True, kw_only=True)
class PasidAllocated(Event):
    """A PASID was handed out, for binding number `binding`."""

    pasid: int
    binding: int
    mm: str

    def _label(self) -> str:
        return f"bind P{self.pasid} to {self.mm} (bind{self.binding})"

    def _touches(self) -> tuple[Resource, ...]:
        return (pasid_resource(self.pasid),)


@dataclass(frozen=True, slots=True, kw_only=True)
class TeardownBegun(Event):
    """The endpoint's driver begins to take a PASID away from its device."""

    pasid: int

    def _label(self) -> str:
        return f"tear-down of P{self.pasid} begins"

    def _touches(self) -> tuple[Resource, ...]:
        return (pasid_resource(self.pasid),)


@dataclass(frozen=True, slots=True, kw_only=True)
class PasidFreed(Event):
    """A PASID was given back; from now on it may be handed out."""

    pasid: int
    binding: int

    def _label(self) -> str:
        return f"unbind: free P{self.pasid} (bind{self.binding})"

    def _touches(self) -> tuple[Resource, ...]:
        return (pasid_resource(self.pasid),)


@dataclass(frozen=True, slots=True, kw_only=True)
class BindReturned(Event):
    """A bind is over: from now on the device may be told to use the PASID."""

    pasid: int

    def _label(self) -> str:
        return f"bind of P{self.pasid} returns"

    def _touches(self) -> tuple[Resource, ...]:
        return (pasid_resource(self.pasid),)


@dataclass(frozen=True, slots=True, kw_only=True)
class ContextWritten(Arrow):
    """The `entry` of a PASID (a CD, or a PASID entry) was made valid or invalid in memory, by its `bit`, on behalf of a
    binding."""

    pasid: int
    valid: bool
    binding: int
    entry: str
    bit: str
    target: str

    def _label(self) -> str:
        return f"{self.entry}[{self.pasid}].{self.bit}={int(self.valid)}"


@dataclass(frozen=True, slots=True, kw_only=True)
class FpdWritten(Event):
    """The word of a PASID entry with P and FPD was stored: whether faults of the PASID go unrecorded from now on."""

    pasid: int
    fpd: bool

    def _label(self) -> str:
        return f"PE[{self.pasid}].FPD={int(self.fpd)}"


@dataclass(frozen=True, slots=True, kw_only=True)
class ContextQuieted(Arrow):
    """The CD of a PASID was replaced by the release CD, on behalf of a binding: valid, and without a page table."""

    pasid: int
    binding: int
    target: str

    def _label(self) -> str:
        return f"CD[{self.pasid}].EPD0=1"


@dataclass(frozen=True, slots=True, kw_only=True)
class PageRequestTaken(Event):
    """Software took entry `number` of the queue of page requests, as the IOMMU calls it, and gave its slot back."""

    number: int
    pasid: int
    marker: bool
    queue: str

    def _label(self) -> str:
        return f"take {self.queue} #{self.number}{' (Stop Marker)' if self.marker else ''}"


@dataclass(frozen=True, slots=True, kw_only=True)
class FaultDropped(Event):
    """Software threw away a request that was never part of a closed group."""

    number: int
    pasid: int

    def _label(self) -> str:
        return f"discard partial #{self.number}"

    def _touches(self) -> tuple[Resource, ...]:
        return (pasid_resource(self.pasid),)


@dataclass(frozen=True, slots=True, kw_only=True)
class FaultResolved(Event):
    """A request was looked up: it will be handled for `mm`, binding `binding` (0: nobody, answered Invalid)."""

    number: int
    pasid: int
    binding: int
    mm: str

    def _label(self) -> str:
        return f"look up #{self.number}: P{self.pasid} = {self.mm} (bind{self.binding})"

    def _touches(self) -> tuple[Resource, ...]:
        return (pasid_resource(self.pasid),)


@dataclass(frozen=True, slots=True, kw_only=True)
class Answered(Arrow):
    """Software wrote a page response as command or descriptor `command`, for the group that entry `number` closed.

    `response` is what the IOMMU calls such a command.
    """

    number: int
    pasid: int
    prgi: int
    code: int
    command: int
    response: str
    target: str

    def _label(self) -> str:
        return f"{self.response} g{self.prgi} for #{self.number}"


@dataclass(frozen=True, slots=True, kw_only=True)
class UnbindRefused(Event):
    """`unbind` returned an error and changed nothing."""

    pasid: int
    error: str

    def _label(self) -> str:
        return f"unbind P{self.pasid}: -{self.error}"


@dataclass(frozen=True, slots=True, kw_only=True)
class DrainTimedOut(Event):
    """Nobody saw the Stop Marker in time."""

    pasid: int

    def _label(self) -> str:
        return f"no Stop Marker for P{self.pasid} in time"
