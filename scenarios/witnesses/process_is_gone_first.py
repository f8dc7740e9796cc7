"""The witness: the process drops its reference to its mm before the bond is undone."""

from __future__ import annotations

from drivers.kernel.memory.objects import ObjectTouched

from .witness import EventWitness


class ProcessIsGoneFirst(EventWitness):
    """Reached when the process's own mmdrop comes before arm64_mm_context_put; both touch the mm."""

    watches = (ObjectTouched,)

    def __init__(self) -> None:
        self._dropped = False

    def observe(self, event: ObjectTouched) -> None:
        """The drop has to come first, then the unpinning."""
        if event.what.startswith("put"):
            self._dropped = True
        elif event.what == "arm64_mm_context_put":
            self.reached = self.reached or self._dropped
