"""What software did around a reset, as typed records (`hw.events` explains the fields that recur)."""

from __future__ import annotations

from dataclasses import dataclass

from hw.events.event import Event


@dataclass(frozen=True, slots=True, kw_only=True)
class InvalidationWithheld(Event):
    """A notifier asked for no Invalidate Request, as the device is about to be reset and has no translation."""

    pasid: int

    def _label(self) -> str:
        return f"no Invalidate Request P{self.pasid}: ATS is blocked"


@dataclass(frozen=True, slots=True, kw_only=True)
class Resubmitted(Event):
    """A batch is put into the invalidation queue again, after a time-out aborted its wait."""

    device_tlb: bool
    """It asks a device to answer."""

    def _label(self) -> str:
        return f"submit again{' (device-TLB)' if self.device_tlb else ''}"


@dataclass(frozen=True, slots=True, kw_only=True)
class SubmissionEnded(Event):
    """Whoever submitted descriptors `first` to `wait` of the invalidation queue hears that they are complete, or not.

    The last one is their own wait; the numbers are those of `DescriptorDone`.
    """

    first: int
    wait: int
    complete: bool

    def _label(self) -> str:
        return f"#{self.first} to #{self.wait} {'complete' if self.complete else 'aborted'}"


@dataclass(frozen=True, slots=True, kw_only=True)
class GivenUp(Event):
    """The driver returns from a submission whose wait `wait` is not complete; `device_tlb`: it asks a device."""

    device_tlb: bool
    wait: int

    def _label(self) -> str:
        return f"wait #{self.wait} is given up: -ETIMEDOUT"
