"""The witness: the fault worker itself drops the last pin, and so runs the release callback (order O4; VTD-R07)."""

from __future__ import annotations

from typing import ClassVar

from drivers.fault_events import ReleaseBegun


class WorkerEndsTheAddressSpace:
    """Reached by a release in the worker's name."""

    watches: ClassVar[tuple[type, ...]] = (ReleaseBegun,)

    def __init__(self) -> None:
        self.reached = False

    def observe(self, event: ReleaseBegun) -> None:
        """Whoever it was."""
        self.reached = self.reached or event.by == "fault_worker"
