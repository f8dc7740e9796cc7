"""What can be wrong with C: that it cannot be made into an image, and what its functions do when they run."""

from __future__ import annotations

from actors.runtime.primitives.step import BrokenRule


class CompileError(Exception):
    """C that cannot be made into an image: one line that says of which file, where, and why."""


class CFault(BrokenRule):
    """A function in C did what it must not; the class of each says what."""


class NullPointer(CFault):
    """An access to address 0 or near it."""


class WildPointer(CFault):
    """An access to where nothing is."""


class WriteToConstant(CFault):
    """A write to code or to a constant."""


class UseAfterFree(CFault):
    """An access to an object that was freed."""


class OutOfBounds(CFault):
    """An access beside an object of the heap."""


class UseAfterReturn(CFault):
    """An access to a variable of a function that has returned."""


class DoubleFree(CFault):
    """An object was freed that was free."""


class BadFree(CFault):
    """What was freed is no object."""


class MissingFunction(CFault):
    """A function was called that nobody defines."""


class MissingVariable(CFault):
    """An access to a variable that nobody defines."""


class StackOverflow(CFault):
    """A stack is full, or the stack pointer has left it."""


class DivisionError(CFault):
    """A division by zero, or one whose result has no place."""


class IllegalInstruction(CFault):
    """An instruction that cannot be executed, such as what the compiler writes for what cannot happen."""


class BadAccess(CFault):
    """An access, or a call, that the processor refuses."""


class EndlessLoop(CFault):
    """A loop in which nothing happens that others could see."""


class SleepsWhileAtomic(CFault):
    """What may sleep was called under a spin lock."""


class NotHeld(CFault):
    """A lock was given back by who does not hold it."""


class StillHeld(CFault):
    """A thread ended, or a work did, with a lock in hand."""


class FreesHeldLock(CFault):
    """An object was freed while a lock in it was held."""


class OverwritesHeldLock(CFault):
    """A lock was overwritten, or initialised, while it was held."""


class CopiesHeldLock(CFault):
    """A lock was read by a plain access, such as a copy of the structure around it, while it was held."""


class Warned(CFault):
    """A WARN_ON of the user's."""


class Bug(CFault):
    """A BUG_ON of the user's."""


class WouldWait(CFault):
    """A call that is no actor's came to where it would have to wait."""


class Exhausted(CFault):
    """More of something than there is: heap, locks, work queues, works, call sites of allocations."""


class Destroyed(CFault):
    """A work was queued on a work queue that is gone."""


FAULTS: tuple[type[CFault], ...] = (
    NullPointer,
    WildPointer,
    WriteToConstant,
    UseAfterFree,
    OutOfBounds,
    UseAfterReturn,
    DoubleFree,
    BadFree,
    MissingFunction,
    StackOverflow,
    DivisionError,
    IllegalInstruction,
    BadAccess,
    EndlessLoop,
    SleepsWhileAtomic,
    NotHeld,
    StillHeld,
    FreesHeldLock,
    Warned,
    Bug,
    WouldWait,
    Exhausted,
    Destroyed,
    OverwritesHeldLock,
    CopiesHeldLock,
    MissingVariable,
)
"""In the order of `enum fault` in runtime.h."""
