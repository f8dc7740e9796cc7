"""Who waits for the command queue's lock is not passed by those who come later for exclusive use (SMMU-R12)."""

from __future__ import annotations

from typing import ClassVar

from actors.runtime.events import Violation
from drivers.cmdq_events import ExclusiveLockTaken, SharedLockTaken, SharedLockWanted


class NoWaiterIsOvertaken:
    """Once can be again and again: bounded overtaking is what keeps a waiter from starving."""

    watches: ClassVar[tuple[type, ...]] = (SharedLockWanted, SharedLockTaken, ExclusiveLockTaken)

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

    def at_quiescence(self) -> None:
        """Nothing more."""
