"""What the SMMU takes from its command queue is what was issued, in order, each command once (smmuv3 §3.1)."""

from __future__ import annotations

from collections.abc import Sequence

from actors.runtime.primitives.events import Violation
from drivers.events.cmdq import SlotsReserved
from hw.events.commands import CommandTaken

from .oracle import EventOracle


class CommandsRunAsIssued(EventOracle):
    """Compared word by word: what lies in a slot from the lap before, or half written, is another command.

    A command that is never taken is not its business: whoever waits for that one never ends.
    """

    watches = (SlotsReserved, CommandTaken)

    def __init__(self) -> None:
        self._issued: list[Sequence[int]] = []

    def observe(self, event: SlotsReserved | CommandTaken) -> None:
        """Commands are taken in the order in which their slots were reserved."""
        match event:
            case SlotsReserved(commands=commands):
                self._issued.extend(commands)
            case CommandTaken(number=number, q0=q0, q1=q1):
                wanted = tuple(self._issued[number]) if number < len(self._issued) else None
                if wanted != (q0, q1):
                    should = "nothing" if wanted is None else f"{wanted[0]:#x} {wanted[1]:#x}"
                    raise Violation(
                        f"the SMMU takes {q0:#x} {q1:#x} for command #{number}: {should} was issued there", "CMDQ"
                    )
