"""The witness: a second process gets the PASID."""

from __future__ import annotations

from drivers.events.binding import PasidAllocated

from .witness import FirstEvent


class PasidChangesHands(FirstEvent):
    """Reached by the first allocation of the run."""

    watches = (PasidAllocated,)
