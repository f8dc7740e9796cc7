"""The witness: the mm's end reaches the driver while the binding is there, and its CD becomes the release CD."""

from __future__ import annotations

from drivers.events.binding import ContextQuieted

from .witness import FirstEvent


class ReleaseWritesContext(FirstEvent):
    """Reached by the first release CD."""

    watches = (ContextQuieted,)
