"""What the device, the IOMMU and memory said to each other, as typed records: see `hw.events`."""

from __future__ import annotations

from dataclasses import dataclass

from hw.events.event import Arrow, Event

from ..bus import Resource


def pasid_resource(pasid: int) -> Resource:
    """Who owns a PASID, and who still refers to a former owner: written by bind and unbind, read by requests."""
    return ("pasid", pasid)


def whose(pasid: int) -> str:
    """How people call whose traffic it is: the PASID, or the function's own (the RID), where there is none."""
    return "RID" if pasid < 0 else f"P{pasid}"


DEVICE_PRI: Resource = ("device", "PRI")
"""The page request interface of the device: its groups and credits."""
DEVICE_LIFE: Resource = ("device", "life")
"""Whether the device has reported that it stopped."""
FRAMES: Resource = ("frames",)
"""Which frames are free, and whose they are."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PageRequestSent(Arrow):
    """The device sent a PPR: the `ordinal`-th posted request upstream, for its own group number `group`."""

    ordinal: int
    pasid: int
    prgi: int
    group: int
    address: int
    last: bool
    target: str

    def _label(self) -> str:
        return f"PPR P{self.pasid} g{self.prgi}{' L' if self.last else ''}"

    def _touches(self) -> tuple[Resource, ...]:
        return (DEVICE_PRI, DEVICE_LIFE)


@dataclass(frozen=True, slots=True, kw_only=True)
class StopMarkerSent(Arrow):
    """The device sent the Stop Marker of a PASID (stop style B)."""

    ordinal: int
    pasid: int
    target: str

    def _label(self) -> str:
        return f"Stop Marker P{self.pasid}"


@dataclass(frozen=True, slots=True, kw_only=True)
class PageRequestQueued(Event):
    """The IOMMU accepted a PPR (or marker) as queue entry `number`, while `binding` owned the PASID (0: nobody)."""

    number: int
    ordinal: int
    pasid: int
    prgi: int
    last: bool
    marker: bool
    binding: int
    queue: str

    def _label(self) -> str:
        what = "Stop Marker" if self.marker else f"g{self.prgi}{' L' if self.last else ''}"
        return f"{self.queue} #{self.number} = {{P{self.pasid} bind{self.binding} {what}}}"

    def _touches(self) -> tuple[Resource, ...]:
        return (pasid_resource(self.pasid),)


@dataclass(frozen=True, slots=True, kw_only=True)
class PageRequestRefused(Event):
    """The IOMMU did not queue a PPR, for `why`: dropped, or answered by hardware with `code` (-1: no answer).

    An SMMU that then cannot read the STE answers Failure instead of Success.
    """

    ordinal: int
    pasid: int
    prgi: int
    last: bool
    marker: bool
    code: int
    queue: str
    why: str = "overflow"

    def _label(self) -> str:
        what = "Stop Marker lost" if self.marker else f"g{self.prgi} refused"
        answer = "" if self.code < 0 else f", auto response {self.code}"
        return f"{self.queue} {self.why}: {what}{answer}"


@dataclass(frozen=True, slots=True, kw_only=True)
class ResponseSent(Arrow):
    """A PRG Response left for the device as downstream posted request `ordinal`.

    It carries out command number `command`, or is automatic (-1) and answers upstream request `automatic_for`.
    """

    ordinal: int
    pasid: int
    prgi: int
    code: int
    command: int
    automatic_for: int
    target: str = "device"

    def _label(self) -> str:
        code = {0: "Success", 1: "Invalid", 15: "Failure"}.get(self.code, str(self.code))
        return f"RESP g{self.prgi} {code}{' (auto)' if self.command < 0 else ''}"


@dataclass(frozen=True, slots=True, kw_only=True)
class ResponseReceived(Event):
    """The device took downstream posted request `ordinal`, a response, for its open group `group` (-1: none open)."""

    ordinal: int
    prgi: int
    code: int
    group: int
    outstanding: int

    def _label(self) -> str:
        meant = f"group {self.group}" if self.group >= 0 else "nothing outstanding"
        return f"response for g{self.prgi}: {meant}, {self.outstanding} PPR outstanding"

    def _touches(self) -> tuple[Resource, ...]:
        return (DEVICE_PRI,)


@dataclass(frozen=True, slots=True, kw_only=True)
class Translated(Arrow):
    """The IOMMU answered a translation request: the page, or 0 where there is none."""

    pasid: int
    address: int
    page: int
    status: int
    target: str = "device"

    def _label(self) -> str:
        if self.status:
            return f"ATS {whose(self.pasid)} {'UR' if self.status == 1 else 'CA'}"
        return f"ATS {whose(self.pasid)} {f'page {self.page:#x}' if self.page else 'R=W=0'}"


@dataclass(frozen=True, slots=True, kw_only=True)
class DmaIssued(Arrow):
    """The device sent a translated write, its `ordinal`-th posted request upstream.

    `behind`: the ITag of an answer that it should be before, as that took its translation away; -1: none.
    """

    pasid: int
    page: int
    ordinal: int
    behind: int = -1
    target: str

    def _label(self) -> str:
        return f"DMA {whose(self.pasid)} {self.page:#x}"

    def _touches(self) -> tuple[Resource, ...]:
        return (DEVICE_LIFE,)


@dataclass(frozen=True, slots=True, kw_only=True)
class DmaLanded(Event):
    """A device write reached memory: the frame's owner now, and the owner whose job the device was doing."""

    pasid: int
    page: int
    owner: str
    meant_for: str
    tag: int = -1
    """Which untranslated access of the device it was; -1: a translated one."""
    ordinal: int = -1
    """Which posted request upstream a translated one was; -1: an untranslated one."""

    def _label(self) -> str:
        return f"DMA lands in {self.page:#x} ({self.owner})"

    def _touches(self) -> tuple[Resource, ...]:
        return (FRAMES,)


@dataclass(frozen=True, slots=True, kw_only=True)
class DeviceStopped(Arrow):
    """The device reported that it stopped using a PASID, with so many groups still open that it waits for."""

    pasid: int
    style: str
    open_groups: int
    target: str = "process"

    def _label(self) -> str:
        return f"stopped P{self.pasid} ({self.style})"

    def _touches(self) -> tuple[Resource, ...]:
        return (DEVICE_LIFE,)


@dataclass(frozen=True, slots=True, kw_only=True)
class CommandDone(Event):
    """The IOMMU carried out a command."""

    number: int
    text: str

    def _label(self) -> str:
        return self.text


@dataclass(frozen=True, slots=True, kw_only=True)
class AtcInvalidated(Event):
    """The device dropped its cached translations of a PASID."""

    pasid: int

    def _label(self) -> str:
        return f"ATC drops {whose(self.pasid)}"
