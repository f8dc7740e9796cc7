"""Goals: rare meetings that are worth having seen in a scenario, beyond its witness. A goal remembers its run, so these
are makers of goals."""

from __future__ import annotations

from actors.runtime.primitives.goals import InOrder, Part
from drivers.events.binding import ContextQuieted, PageRequestTaken, PasidAllocated, PasidFreed, TeardownBegun
from drivers.events.faults import EventTaken, UnbindReturned
from hw.events.faults import DmaStalled, EventQueued
from hw.events.link import (
    AtcInvalidated,
    CommandDone,
    DmaLanded,
    PageRequestQueued,
    PageRequestRefused,
    PageRequestSent,
    ResponseReceived,
    Translated,
)
from hw.pcie.events import FunctionReset


def overflow_while_unbinding() -> InOrder:
    """The PRI queue refuses a request between the first step of tear-down and the release of the PASID."""
    return InOrder(
        "the PRI queue overflows while its PASID is unbound", TeardownBegun, PageRequestRefused, until=(PasidFreed,)
    )


def response_after_unbind() -> InOrder:
    """The device takes a response after the PASID it was for went back to the pool."""
    return InOrder("a response arrives after its PASID was freed", PageRequestSent, PasidFreed, ResponseReceived)


def overflow_again() -> InOrder:
    """A second overflow, after software took an entry."""
    return InOrder("the PRI queue overflows again", PageRequestRefused, PageRequestTaken, PageRequestRefused)


def stall_while_unbinding() -> InOrder:
    """An access stalls between the first step of tear-down and the return of unbind."""
    return InOrder("an access stalls while its PASID is unbound", TeardownBegun, DmaStalled, until=(UnbindReturned,))


def event_taken_after_unbind() -> InOrder:
    """A stall event that was in the queue when unbind returned is taken."""
    return InOrder(
        "a stall event is taken after unbind returned",
        Part(EventQueued, lambda event: event.stall),
        UnbindReturned,
        Part(EventTaken, lambda event: event.stall),
    )


def stall_behind_quiet_context() -> InOrder:
    """An access still stalls after the CD was made quiet in memory: the SMMU works with what it has cached."""
    return InOrder("an access stalls behind a quiet CD", ContextQuieted, DmaStalled)


def write_after_reuse() -> InOrder:
    """A write of the device lands after its PASID was handed out again."""
    return InOrder("a write lands after its PASID changed hands", Part(PasidAllocated, _is_second), DmaLanded)


def answer_between_invalidations() -> InOrder:
    """A translation request finds a page while the TLB is clean already, and the ATC is not."""
    return InOrder(
        "a translation is answered between the TLB's and the ATC's invalidation",
        Part(CommandDone, lambda done: done.text.startswith("TLBI")),
        Part(Translated, lambda answer: answer.page != 0),
        AtcInvalidated,
    )


def stray_response_after_reset() -> InOrder:
    """A response of the life before a reset comes while the function waits for none."""
    return InOrder(
        "a response comes into a life that waits for none",
        PageRequestSent,
        FunctionReset,
        Part(ResponseReceived, lambda response: response.group < 0),
    )


class RequestsOfTwoBindings:
    """Requests that came under different owners of the PASID (nobody is one) are in the PRI queue at once."""

    name = "the PRI queue holds requests of two bindings"
    parts = 2
    watches: tuple[type, ...] = (PageRequestQueued, PageRequestTaken)

    def __init__(self) -> None:
        self.reached = False
        self.met = 0
        self._queued: dict[int, int] = {}

    def observe(self, event: PageRequestQueued | PageRequestTaken) -> None:
        """Count the entries that come into the queue and those that are taken."""
        match event:
            case PageRequestQueued(number=number, binding=binding, marker=False):
                self._queued[number] = binding
                self.met = max(self.met, len(set(self._queued.values())))
                self.reached = self.met >= self.parts
            case PageRequestTaken(number=number):
                self._queued.pop(number, None)


def _is_second(event: PasidAllocated) -> bool:
    return event.binding > 1
