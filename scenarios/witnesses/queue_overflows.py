"""The witness: the PRI queue refuses a page request."""

from __future__ import annotations

from hw.events.link import PageRequestRefused

from .witness import FirstEvent


class QueueOverflows(FirstEvent):
    """Reached by the first refusal."""

    watches = (PageRequestRefused,)
