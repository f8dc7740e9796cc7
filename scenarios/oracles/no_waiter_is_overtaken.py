"""Who waits for the command queue's lock is not passed by those who come later for exclusive use (SMMU-R12)."""

from __future__ import annotations

from actors.runtime.primitives.events import Violation
from drivers.events.cmdq import ExclusiveLockTaken, SharedLockTaken, SharedLockWanted

from .oracle import EventOracle


class NoWaiterIsOvertaken(EventOracle):
    """Once can be again and again: bounded overtaking is what keeps a waiter from starving."""

    watches = (SharedLockWanted, SharedLockTaken, ExclusiveLockTaken)

    def __init__(self) -> None:
        self._waiting: dict[str, None] = {}

    def observe(self, event: SharedLockWanted | SharedLockTaken | ExclusiveLockTaken) -> None:
        """All of them are changes of one word."""
        match event:
            case SharedLockWanted(cpu=cpu):
                self._waiting[cpu] = None
            case SharedLockTaken(cpu=cpu):
                self._waiting.pop(cpu, None)
            case ExclusiveLockTaken(cpu=cpu):
                for waiter in self._waiting:
                    raise Violation(
                        f"{cpu} takes the lock exclusively while {waiter} waits for it: nothing keeps that from "
                        "happening for ever",
                        "cmdq lock",
                    )
