"""What the SMMU does to its registers when the command queue meets an error, and how it goes on (smmuv3 §1.5
and 1.6): CONS stays, CMDQ_CONS.ERR says why, and GERROR differs from GERRORN until software has seen it."""

from __future__ import annotations

from hw.bus import PhysAddr
from hw.fields import Field
from hw.memory import WORD_BYTES, Memory
from hw.smmuv3.commands import Cerror, Command, SyncSignal
from hw.smmuv3.registers import CMDQ_CONS_ERR, CMDQ_ERR, MSI_CMDQ_ABT_ERR, Registers, active_errors

_MSI_DATA = Field(0, 32)


def stop(memory: Memory, registers: Registers, cons: int, error: Cerror) -> None:
    """The queue stops at the command that `cons` selects."""
    memory.write(registers.CMDQ_CONS, CMDQ_CONS_ERR.put(cons, error))
    _activate(memory, registers, CMDQ_ERR)


def stopped(gerror: int, gerrorn: int) -> bool:
    """Whether no command is consumed until software acknowledges the error."""
    return bool(active_errors(gerror, gerrorn) & CMDQ_ERR.mask)


def message_word(command: Command) -> PhysAddr | None:
    """The aligned word of memory that holds the 32 bits which a CMD_SYNC writes when it completes; None if none."""
    signals = command.cs == SyncSignal.IRQ and command.address != 0
    return PhysAddr(command.address & -WORD_BYTES) if signals else None


def send_message(memory: Memory, registers: Registers, command: Command) -> bool:
    """Write the message of a completed CMD_SYNC, whose word exists or not; False if the write was aborted."""
    word = message_word(command)
    if word is None:
        return True
    if not memory.answers(word):
        _activate(memory, registers, MSI_CMDQ_ABT_ERR)
        return False
    half = Field(32, 32) if command.address & (WORD_BYTES // 2) else _MSI_DATA
    memory.write(word, half.put(memory.read(word), command.data))
    return True


def _activate(memory: Memory, registers: Registers, error: Field) -> None:
    """Toggle a bit of GERROR, unless the error is active already: a second toggle would take the first back."""
    gerror = memory.read(registers.GERROR)
    if not active_errors(gerror, memory.read(registers.GERRORN)) & error.mask:
        memory.write(registers.GERROR, gerror ^ error.mask)
