"""The endpoint's Page Request Interface: groups, credits, responses, and both ways to stop a PASID (vtd-pcie
§1.4 and §1.5)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum

from hw.bus import Pasid, Prgi
from hw.pcie.tlp import ResponseCode

GROUPS = 1 << 9


class PriError(Exception):
    """The device model used PRI in a way the specification leaves undefined or forbids."""


class Reaction(Enum):
    """What a response makes the function do."""

    RETRY = "Success: send the Translation Request again; the page may be gone once more"
    ABORT = "Invalid Request: give this access up; PRI stays enabled"
    DISABLED = "Response Failure, or any response after it: page requests have stopped until re-enabled"
    CREDIT_ONLY = "the group was stale: only its credits come back"
    UNEXPECTED = "no such group is waiting for a response: UPRGI is set"


@dataclass(slots=True, kw_only=True)
class RequestGroup:
    """A page request group from its first request to its response."""

    pasid: Pasid
    requests: int = 0
    closed: bool = False
    """The request with Last was sent."""
    stale: bool = False
    """Its PASID was stopped by marker (style B)."""


class PageRequestInterface:
    """Groups, credits and status of one function; a reset makes it forget all of them."""

    def __init__(self, credits: int, groups: int = GROUPS) -> None:
        """`credits` is the Outstanding Page Request Allocation: page requests, not groups."""
        if credits < 1:
            raise ValueError(f"{credits} page request credits: at least 1 is needed")
        if not 1 <= groups <= GROUPS:
            raise ValueError(f"{groups} page request groups: allowed are 1..{GROUPS}")
        self.credits = credits
        self.groups = groups
        self.enabled = False
        self.response_failure = False
        """Status.RF"""
        self.unexpected_prgi = False
        """Status.UPRGI"""
        self.outstanding = 0
        self._open: dict[Prgi, RequestGroup] = {}

    @property
    def stopped(self) -> bool:
        """Status.Stopped: disabled, and nothing is outstanding."""
        return not self.enabled and self.answered

    @property
    def answered(self) -> bool:
        """Whether every group has its response."""
        return not self._open

    @property
    def can_send(self) -> bool:
        """Whether a page request may leave now: PRI is enabled and a credit is left."""
        return self.enabled and self.room_for(1)

    def room_for(self, requests: int) -> bool:
        """Whether credits are left for so many page requests."""
        return self.outstanding + requests <= self.credits

    def enable(self) -> None:
        """Control.Enable 0 to 1 clears RF and UPRGI."""
        if not self.enabled and not self.stopped:
            raise PriError(
                f"PRI enabled while groups {[*self._open]} are outstanding: wait for Stopped, or reset first"
            )
        self.enabled = True
        self.response_failure = False
        self.unexpected_prgi = False

    def disable(self) -> None:
        """Control.Enable 1 to 0: no new requests, the old ones live on."""
        self.enabled = False

    def reset_pending(self) -> None:
        """Control.Reset clears credits and groups; it works only while PRI is disabled."""
        if self.enabled:
            raise PriError("Control.Reset while PRI is enabled: clear Control.Enable first")
        self._open.clear()
        self.outstanding = 0

    def reset(self) -> None:
        """Function Level Reset: the function forgets its groups; the host does not."""
        self.enabled = False
        self.response_failure = False
        self.unexpected_prgi = False
        self.reset_pending()

    def open_group(self, pasid: Pasid) -> Prgi:
        """Open the next group."""
        if not self.enabled:
            raise PriError(f"group for PASID {pasid} while PRI is disabled")
        prgi = self.next_prgi()
        self._open[prgi] = RequestGroup(pasid=pasid)
        return prgi

    def next_prgi(self) -> Prgi:
        """The lowest PRGI that is not in use, so that a reused one is an everyday event."""
        return self._unused(range(self.groups))

    def _unused(self, numbers: Iterable[int]) -> Prgi:
        for number in numbers:
            if number not in self._open:
                return Prgi(number)
        raise PriError(f"one more group: all {self.groups} PRGIs are in use")

    def send(self, prgi: Prgi, *, last: bool) -> None:
        """Account for one page request of an open group."""
        group = self._open.get(prgi)
        if group is None or group.closed:
            state = "not open" if group is None else "closed"
            raise PriError(f"page request in group {prgi}, which is {state}: open are {[*self._open]}")
        if not self.can_send:
            raise PriError(
                f"page request in group {prgi} with enabled={self.enabled} and {self.outstanding} of {self.credits} "
                "credits in use: check can_send first"
            )
        self.outstanding += 1
        group.requests += 1
        group.closed = last

    def respond(self, prgi: Prgi, code: int, pasid: Pasid | None = None) -> Reaction:
        """A PRG Response arrives; with `pasid`, it must name the group's PASID too (PRG Response PASID Required)."""
        if self.response_failure:
            return Reaction.DISABLED
        group = self._open.get(prgi)
        failed = code not in (ResponseCode.SUCCESS, ResponseCode.INVALID)
        mismatch = group is not None and pasid is not None and pasid != group.pasid
        # Only Response Failure may come before the group's Last.
        if group is None or mismatch or not (group.closed or failed):
            self.unexpected_prgi = True
            return Reaction.UNEXPECTED
        del self._open[prgi]
        self.outstanding -= group.requests
        if failed:
            self.response_failure = True
            self.enabled = False
            return Reaction.DISABLED
        if group.stale:
            return Reaction.CREDIT_ONLY
        return Reaction.RETRY if code == ResponseCode.SUCCESS else Reaction.ABORT

    def mark_stale(self, pasid: Pasid) -> None:
        """Stop style B: responses to this PASID's groups will only give credits back."""
        for group in self._open.values():
            if group.pasid == pasid:
                group.stale = True

    def outstanding_of(self, pasid: Pasid) -> int:
        """Page requests of a PASID without a response that matters; stop style A waits until there are none."""
        return sum(group.requests for group in self._open.values() if group.pasid == pasid and not group.stale)


class CreditIgnoringPri(PageRequestInterface):
    """BUG: sends as many page requests as it likes; the queue was made as large as the allocations (race VTD-R27)."""

    def room_for(self, requests: int) -> bool:
        """There is always room: credits are not looked at."""
        return True


class TagKeepingPri(PageRequestInterface):
    """Goes round its PRGIs, and after a reset goes on where it was: when tags begin anew is the device's choice."""

    def __init__(self, credits: int, groups: int = GROUPS) -> None:
        """Begin with the first PRGI."""
        super().__init__(credits, groups)
        self._first = 0

    def next_prgi(self) -> Prgi:
        """The next in turn that is not in use."""
        return self._unused((self._first + offset) % self.groups for offset in range(self.groups))

    def open_group(self, pasid: Pasid) -> Prgi:
        """Open the next group; the PRGI behind it is the next to be tried."""
        prgi = super().open_group(pasid)
        self._first = (prgi + 1) % self.groups
        return prgi


class TagForgettingPri(PageRequestInterface):
    """BUG: forgets its open groups although nobody has reset it; the host goes on to answer them."""

    def forget(self) -> list[Prgi]:
        """The groups that have been sent whole, which are no longer open."""
        gone = [prgi for prgi, group in self._open.items() if group.closed]
        for prgi in gone:
            self.outstanding -= self._open.pop(prgi).requests
        return gone
