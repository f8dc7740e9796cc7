"""An ITag names one invalidation at a device until that is complete or given up (vtd-pcie I11; §1.3)."""

from __future__ import annotations

from actors.runtime.primitives.events import Violation
from hw.pcie.events import InvalidationTimedOut
from hw.vtd.events import DescriptorDone, ItagTaken

from .oracle import EventOracle


class NoItagHasTwoOwners(EventOracle):
    """A completion carries nothing but tags: with two owners it ends whichever comes first."""

    watches = (ItagTaken, DescriptorDone, InvalidationTimedOut)

    def __init__(self) -> None:
        self._owned: dict[int, tuple[int, int]] = {}

    def observe(self, event: ItagTaken | DescriptorDone | InvalidationTimedOut) -> None:
        """Tags are taken, and given back with the descriptor."""
        match event:
            case ItagTaken(number=number, sid=sid, itag=itag):
                for other, owned in self._owned.items():
                    if owned == (sid, itag):
                        raise Violation(
                            f"invalidations #{other} and #{number} are both ITag {itag} of device {sid}: the first "
                            "completion may be that of the other",
                            f"ITag {itag}",
                        )
                self._owned[number] = (sid, itag)
            case DescriptorDone(number=number) | InvalidationTimedOut(command=number):
                self._owned.pop(number, None)
