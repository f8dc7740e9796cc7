"""What software did, as typed records for oracles and renderers (`hw.events` explains the fields that recur)."""

from __future__ import annotations

from dataclasses import dataclass

from hw.bus import Resource
from hw.events.link import pasid_resource


@dataclass(frozen=True, slots=True, kw_only=True)
class PasidAllocated:
    """A PASID was handed out, for binding number `binding`."""

    pasid: int
    binding: int
    mm: str

    @property
    def label(self) -> str:
        """Local action text."""
        return f"bind P{self.pasid} to {self.mm} (bind{self.binding})"

    @property
    def touches(self) -> tuple[Resource, ...]:
        """The owner of the PASID."""
        return (pasid_resource(self.pasid),)


@dataclass(frozen=True, slots=True, kw_only=True)
class TeardownBegun:
    """The endpoint's driver begins to take a PASID away from its device."""

    pasid: int

    @property
    def label(self) -> str:
        """Local action text."""
        return f"tear-down of P{self.pasid} begins"

    @property
    def touches(self) -> tuple[Resource, ...]:
        """The owner of the PASID."""
        return (pasid_resource(self.pasid),)


@dataclass(frozen=True, slots=True, kw_only=True)
class PasidFreed:
    """A PASID was given back; from now on it may be handed out."""

    pasid: int
    binding: int

    @property
    def label(self) -> str:
        """Local action text."""
        return f"unbind: free P{self.pasid} (bind{self.binding})"

    @property
    def touches(self) -> tuple[Resource, ...]:
        """The owner of the PASID."""
        return (pasid_resource(self.pasid),)


@dataclass(frozen=True, slots=True, kw_only=True)
class BindReturned:
    """A bind is over: from now on the device may be told to use the PASID."""

    pasid: int

    @property
    def label(self) -> str:
        """Local action text."""
        return f"bind of P{self.pasid} returns"

    @property
    def touches(self) -> tuple[Resource, ...]:
        """The owner of the PASID."""
        return (pasid_resource(self.pasid),)


@dataclass(frozen=True, slots=True, kw_only=True)
class ContextWritten:
    """The CD (or PASID entry) of a PASID was made valid or invalid in memory, on behalf of a binding."""

    pasid: int
    valid: bool
    binding: int
    target: str

    @property
    def label(self) -> str:
        """Arrow text."""
        entry, bit = ("CD", "V") if self.target == "smmu" else ("PE", "P")
        return f"{entry}[{self.pasid}].{bit}={int(self.valid)}"


@dataclass(frozen=True, slots=True, kw_only=True)
class FpdWritten:
    """The word of a PASID entry with P and FPD was stored: whether faults of the PASID go unrecorded from now on."""

    pasid: int
    fpd: bool

    @property
    def label(self) -> str:
        """Local action text."""
        return f"PE[{self.pasid}].FPD={int(self.fpd)}"


@dataclass(frozen=True, slots=True, kw_only=True)
class ContextQuieted:
    """The CD of a PASID was replaced by the release CD, on behalf of a binding: valid, and without a page table."""

    pasid: int
    binding: int
    target: str

    @property
    def label(self) -> str:
        """Arrow text."""
        return f"CD[{self.pasid}].EPD0=1"


@dataclass(frozen=True, slots=True, kw_only=True)
class PageRequestTaken:
    """Software took entry `number` of the queue of page requests, as the IOMMU calls it, and gave its slot back."""

    number: int
    pasid: int
    marker: bool
    queue: str

    @property
    def label(self) -> str:
        """Local action text."""
        return f"take {self.queue} #{self.number}{' (Stop Marker)' if self.marker else ''}"


@dataclass(frozen=True, slots=True, kw_only=True)
class FaultDropped:
    """Software threw away a request that was never part of a closed group."""

    number: int
    pasid: int

    @property
    def label(self) -> str:
        """Local action text."""
        return f"discard partial #{self.number}"

    @property
    def touches(self) -> tuple[Resource, ...]:
        """The owner of the PASID."""
        return (pasid_resource(self.pasid),)


@dataclass(frozen=True, slots=True, kw_only=True)
class FaultResolved:
    """A request was looked up: it will be handled for `mm`, binding `binding` (0: nobody, answered Invalid)."""

    number: int
    pasid: int
    binding: int
    mm: str

    @property
    def label(self) -> str:
        """Local action text."""
        return f"look up #{self.number}: P{self.pasid} = {self.mm} (bind{self.binding})"

    @property
    def touches(self) -> tuple[Resource, ...]:
        """The owner of the PASID."""
        return (pasid_resource(self.pasid),)


@dataclass(frozen=True, slots=True, kw_only=True)
class Answered:
    """Software wrote a PRI_RESP as command `command`, for the group that entry `number` closed."""

    number: int
    pasid: int
    prgi: int
    code: int
    command: int
    target: str

    @property
    def label(self) -> str:
        """Arrow text."""
        return f"PRI_RESP g{self.prgi} for #{self.number}"


@dataclass(frozen=True, slots=True, kw_only=True)
class UnbindRefused:
    """`unbind` returned an error and changed nothing."""

    pasid: int
    error: str

    @property
    def label(self) -> str:
        """Local action text."""
        return f"unbind P{self.pasid}: -{self.error}"


@dataclass(frozen=True, slots=True, kw_only=True)
class DrainTimedOut:
    """Nobody saw the Stop Marker in time."""

    pasid: int

    @property
    def label(self) -> str:
        """Local action text."""
        return f"no Stop Marker for P{self.pasid} in time"
