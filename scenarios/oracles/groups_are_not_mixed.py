"""A page request group that software closes holds requests of one group of the device (SMMU-R07; smmuv3 §1.8)."""

from __future__ import annotations

from actors.runtime.primitives.events import Violation
from drivers.events.faults import GroupClosed
from hw.events.link import PageRequestQueued, PageRequestSent

from .oracle import EventOracle


class GroupsAreNotMixed(EventOracle):
    """PRGIndex is reused, so groups are counted per PRGIndex: a Last ends one, whatever becomes of it."""

    watches = (PageRequestSent, PageRequestQueued, GroupClosed)

    def __init__(self) -> None:
        self._ended: dict[int, int] = {}
        self._sent: dict[int, int] = {}
        self._queued: dict[int, int] = {}

    def observe(self, event: PageRequestSent | PageRequestQueued | GroupClosed) -> None:
        """Follow each request from the link to the list."""
        match event:
            case PageRequestSent(ordinal=ordinal, prgi=prgi, last=last):
                self._sent[ordinal] = self._ended.setdefault(prgi, 0)
                self._ended[prgi] += last
            case PageRequestQueued(number=number, ordinal=ordinal, marker=False):
                self._queued[number] = self._sent[ordinal]
            case GroupClosed(prgi=prgi, numbers=numbers):
                groups = [self._queued[number] for number in numbers]
                if len(set(groups)) > 1:
                    raise Violation(
                        f"group g{prgi} is closed with #{numbers[0]} of an earlier group that was answered long ago: "
                        "a stale address is faulted in for whoever owns the PASID now",
                        f"g{prgi}",
                    )
