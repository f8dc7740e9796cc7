"""The witness: a CD leaf is allocated."""

from __future__ import annotations

from typing import ClassVar

from drivers.kernel.memory.objects import ObjectAllocated


class LeafIsAllocated:
    """Reached by the first allocation of a CD leaf."""

    watches: ClassVar[tuple[type, ...]] = (ObjectAllocated,)

    def __init__(self) -> None:
        self.reached = False

    def observe(self, event: ObjectAllocated) -> None:
        """Look at what it is."""
        self.reached = self.reached or event.name.startswith("CD leaf")
