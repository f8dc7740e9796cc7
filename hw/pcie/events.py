"""What an endpoint made of answers and resets, as typed records (vtd-pcie §1.2, §1.4 and §1.6).

`hw.events` explains the fields that recur.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from hw.bus import Resource
from hw.events.event import Arrow, Event
from hw.events.link import DEVICE_PRI, pasid_resource, whose


class AccessOutcome(Enum):
    """How an access ended, as the endpoint sees it."""

    WRITTEN = "written"
    REFUSED = "refused by software: the page request was answered with a failure"
    GIVEN_UP = "given up, although software had answered Success"
    FAILED = "the host answered with an error"
    STOPPED = "left alone: the host wants the function to stop"


class DeviceError(Enum):
    """What a function reports to whoever reads its error registers."""

    UNSUPPORTED_REQUEST = "Unsupported Request to a translation request: the function must hold ATS for disabled"
    COMPLETER_ABORT = "Completer Abort to a translation request: AER"
    READ_REFUSED = "Unsupported Request to an untranslated read: AER"
    PAGE_REFUSED = "a page request was refused: the job ends with an error of the device's own"


@dataclass(frozen=True, slots=True, kw_only=True)
class AccessEnded(Event):
    """The device is done with an access, one way or another."""

    job: int
    outcome: AccessOutcome

    def _label(self) -> str:
        return f"access {self.job} {self.outcome.name.lower().replace('_', ' ')}"


@dataclass(frozen=True, slots=True, kw_only=True)
class UntranslatedSent(Arrow):
    """The device sent an access with a virtual address; `tag` tells it from its others."""

    pasid: int
    address: int
    tag: int
    target: str

    def _label(self) -> str:
        return f"access {self.tag} P{self.pasid} {self.address:#x}"

    def _touches(self) -> tuple[Resource, ...]:
        return (pasid_resource(self.pasid),)


@dataclass(frozen=True, slots=True, kw_only=True)
class WriteDropped(Event):
    """The IOMMU threw a posted write away; the device is not told."""

    pasid: int
    address: int

    def _label(self) -> str:
        return f"write to {self.address:#x} of {whose(self.pasid)} is dropped"


@dataclass(frozen=True, slots=True, kw_only=True)
class FunctionReset(Event):
    """A reset, which `what` names, begins life number `life`, and makes the function forget so many page requests."""

    life: int
    forgotten: int
    what: str = "FLR"

    def _label(self) -> str:
        return f"{self.what}: {self.forgotten} page requests forgotten"

    def _touches(self) -> tuple[Resource, ...]:
        return (DEVICE_PRI,)


@dataclass(frozen=True, slots=True, kw_only=True)
class HeldUp(Event):
    """A context of the function needs a page and may not ask for it, as page requests are off."""

    pasid: int

    def _label(self) -> str:
        return f"P{self.pasid} is held up: PRI is off"


@dataclass(frozen=True, slots=True, kw_only=True)
class PriSwitched(Event):
    """Software switched the page request interface of the function on or off."""

    enabled: bool

    def _label(self) -> str:
        return f"PRI {'on' if self.enabled else 'off'}"

    def _touches(self) -> tuple[Resource, ...]:
        return (DEVICE_PRI,)


@dataclass(frozen=True, slots=True, kw_only=True)
class InvalidationMetReset(Event):
    """An Invalidate Request found the function in reset, which answers it or not."""

    itag: int
    answered: bool

    def _label(self) -> str:
        return f"INV {self.itag} during FLR: {'answered' if self.answered else 'ignored'}"


@dataclass(frozen=True, slots=True, kw_only=True)
class InvalidationTimedOut(Event):
    """The IOMMU gave up waiting for the completion of an ATC invalidation."""

    command: int

    def _label(self) -> str:
        return f"ATC invalidation (command {self.command}) times out"


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkTranslated(Event):
    """A device asks for a translation on behalf of a work: under which PASID the work came, and under which it asks."""

    work: int
    pasid: int

    def _label(self) -> str:
        return f"translate for a work of PASID {self.work} as PASID {self.pasid}"


@dataclass(frozen=True, slots=True, kw_only=True)
class DeviceLost(Event):
    """The function answers nothing from here on: its link is down, or it is being reset."""

    def _label(self) -> str:
        return "the device is gone"


@dataclass(frozen=True, slots=True, kw_only=True)
class DeviceErrorSeen(Event):
    """The device met an error of the host's making."""

    pasid: int
    error: DeviceError

    def _label(self) -> str:
        return f"device error: {self.error.name.lower().replace('_', ' ')}"
