"""Nobody touches an object that was freed (smmuv3 I6; SMMU-R10, SMMU-R32, SMMU-R49)."""

from __future__ import annotations

from actors.runtime.primitives.events import Violation
from drivers.kernel.memory.objects import ObjectFreed, ObjectTouched

from .oracle import EventOracle


class NoUseAfterFree(EventOracle):
    """Names are not reused, so a touch after a free is a touch of freed memory."""

    watches = (ObjectFreed, ObjectTouched)

    def __init__(self) -> None:
        self._freed: dict[str, ObjectFreed] = {}

    def observe(self, event: ObjectFreed | ObjectTouched) -> None:
        """Remember what is dead."""
        match event:
            case ObjectFreed(name=name):
                self._freed.setdefault(name, event)
            case ObjectTouched(name=name, what=what) if name in self._freed:
                freed = self._freed[name]
                raise Violation(
                    f"use after free: {name}, freed at step {freed.step} by {freed.by}, touched for `{what}`", name
                )
