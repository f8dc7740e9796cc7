"""The witness: the fault worker itself drops the last pin, and so runs the release callback (order O4; VTD-R07)."""

from __future__ import annotations

from drivers.events.faults import ReleaseBegun

from .witness import EventWitness


class WorkerEndsTheAddressSpace(EventWitness):
    """Reached by a release in the worker's name."""

    watches = (ReleaseBegun,)

    def observe(self, event: ReleaseBegun) -> None:
        """Look who ran the release callback."""
        self.reached = self.reached or event.by == "fault_worker"
