"""The witness: a page request without its Last is thrown away."""

from __future__ import annotations

from drivers.events.binding import FaultDropped

from .witness import FirstEvent


class PartialIsDiscarded(FirstEvent):
    """Reached by the first one."""

    watches = (FaultDropped,)
