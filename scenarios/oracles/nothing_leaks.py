"""When all is quiet, what was allocated in the run was freed (smmuv3 I6; SMMU-R44)."""

from __future__ import annotations

from actors.runtime.primitives.events import Violation
from drivers.kernel.memory.objects import ObjectAllocated, ObjectFreed

from .oracle import EventOracle


class NothingLeaks(EventOracle):
    """Objects from before the run may stay."""

    watches = (ObjectAllocated, ObjectFreed)

    def __init__(self) -> None:
        self._alive: dict[str, None] = {}

    def observe(self, event: ObjectAllocated | ObjectFreed) -> None:
        """Count the objects that are allocated and those that are freed."""
        match event:
            case ObjectAllocated(name=name):
                self._alive[name] = None
            case ObjectFreed(name=name):
                self._alive.pop(name, None)

    def at_quiescence(self) -> None:
        """No object is left."""
        for name in self._alive:
            raise Violation(f"leak: {name} was allocated and nobody will ever free it", name)
