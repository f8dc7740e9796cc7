"""The witness: a CD leaf is allocated."""

from __future__ import annotations

from drivers.kernel.memory.objects import ObjectAllocated

from .witness import EventWitness


class LeafIsAllocated(EventWitness):
    """Reached by the first allocation of a CD leaf."""

    watches = (ObjectAllocated,)

    def observe(self, event: ObjectAllocated) -> None:
        """Look at what was allocated."""
        self.reached = self.reached or event.name.startswith("CD leaf")
