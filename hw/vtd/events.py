"""What a VT-d unit did with requests and faults, as typed records (`hw.events` explains the fields that recur)."""

from __future__ import annotations

from dataclasses import dataclass

from hw.bus import Resource
from hw.events.event import Event
from hw.events.link import FRAMES


@dataclass(frozen=True, slots=True, kw_only=True)
class AccessAborted(Event):
    """A DMA got nothing, for `reason`: a read completed with UR, or a write was dropped. `silent`: FPD stood.

    `logged` says that a fault recording register took it; else it was silenced, or lost to an overflow.
    """

    pasid: int
    address: int
    tag: int
    write: bool
    reason: str
    silent: bool
    logged: bool

    def _label(self) -> str:
        what = "write dropped" if self.write else "read UR"
        log = "silent" if self.silent else "recorded" if self.logged else "record lost"
        return f"P{self.pasid} {what}: {self.reason}, {log}"


@dataclass(frozen=True, slots=True, kw_only=True)
class FaultRecorded(Event):
    """A fault recording register took a request's fault (`index`), or an overflow lost it (-1)."""

    pasid: int
    reason: str
    kind: str
    index: int

    def _label(self) -> str:
        where = f"FRCD[{self.index}]" if self.index >= 0 else "PFO"
        return f"{where}: {self.reason} ({self.kind.lower().replace('_', ' ')})"


@dataclass(frozen=True, slots=True, kw_only=True)
class DmaRead(Event):
    """A device read came out of memory: the frame's owner now, and the owner whose job the device was doing."""

    pasid: int
    page: int
    owner: str
    meant_for: str
    tag: int

    def _label(self) -> str:
        return f"DMA reads {self.page:#x} ({self.owner})"

    def _touches(self) -> tuple[Resource, ...]:
        return (FRAMES,)


@dataclass(frozen=True, slots=True, kw_only=True)
class ItagTaken(Event):
    """Descriptor `number` of the invalidation queue asks device `sid` to forget, which knows the request by `itag`."""

    number: int
    sid: int
    itag: int

    def _label(self) -> str:
        return f"#{self.number} gets ITag {self.itag}"


@dataclass(frozen=True, slots=True, kw_only=True)
class DescriptorDone(Event):
    """The unit carried out descriptor `number` of the invalidation queue."""

    number: int
    text: str

    def _label(self) -> str:
        return f"{self.text} done"


@dataclass(frozen=True, slots=True, kw_only=True)
class QueueStopped(Event):
    """The invalidation queue stopped with `error`; so many waits were aborted."""

    error: str
    aborted: int

    def _label(self) -> str:
        return f"{self.error}: {self.aborted} waits aborted" if self.aborted else self.error
