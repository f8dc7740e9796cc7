"""What was meant, where Python itself would only say that two things do not fit: a line for each mistaken call.

They are made when a call has failed, so a call that is right pays nothing for them.
"""

from __future__ import annotations

from hw.bus import PhysAddr
from hw.fields import WORD_MASK
from hw.memory import BusError

from .resources import shown
from .rwlock import RwSemaphore
from .step import MisuseError
from .sync import Interrupt
from .workqueue import Workqueue

_PARTS = {
    "lock": "a mutex or a spin lock of the world, as cpu.lock(mutex)",
    "unlock": "a mutex or a spin lock of the world, as cpu.unlock(mutex)",
    "send": "a port of the world and then the message, as cpu.send(port, message)",
    "receive": "a port of the world, as cpu.receive(port)",
}


def no_part(operation: str, found: object) -> MisuseError:
    """An operation was given something else than the part of the world that it works on."""
    hint = _PARTS[operation]
    match found:
        case RwSemaphore() if operation in ("lock", "unlock"):
            verb = "acquire" if operation == "lock" else "release"
            hint = f"of a reader-writer lock it is `await rwlock.{verb}_read(cpu)` or `await rwlock.{verb}_write(cpu)`"
        case Interrupt():
            hint = f"{hint}; an interrupt is awaited by itself: `await irq.take(cpu)`"
        case Workqueue():
            hint = f"{hint}; a work queue has methods: `await queue.queue(work)`, `await queue.take(cpu)`"
        case _:
            hint = f"give {hint}"
    return MisuseError(f"cpu.{operation}: found {shown(found)}; {hint}")


def not_asked(what: str, found: object, meaning: str) -> MisuseError:
    """A value stands where a function is asked again and again."""
    return MisuseError(f"{what}: found {shown(found)}; give a function that says {meaning}")


def no_word(what: str, found: object) -> MisuseError:
    """Something else stands where a word of memory is named."""
    return MisuseError(f"`{what}`: found {shown(found)}, which is no word: give what `world.word()` returned")


def not_stored(what: str, address: PhysAddr, value: object, said: str) -> Exception:
    """Why a value was not stored: BusError, or MisuseError if it is no number; memory said something of its own."""
    if not isinstance(value, int):
        return MisuseError(f"`{what}`: found {shown(value)} to be stored: a word holds a number, 0..{WORD_MASK:#x}")
    if 0 <= value <= WORD_MASK:
        return BusError(
            f"`{what}`: write of {value:#x}{said[said.find(' at ') :]}; the word comes first, then the value"
        )
    return BusError(f"`{what}`: write of {value} to {address:#x}: a word holds 0..{WORD_MASK:#x}")
