"""Memory that tells of stores which no cpu made: those of steps that touch memory and other state at once."""

from __future__ import annotations

from hw.bus import PhysAddr
from hw.fields import WORD_MASK
from hw.memory import FRAME_BYTES, Memory

from ..audit import AuditedMemory
from ..session import Session
from .accesses import Accesses, Word
from .passing import Passing


class WatchedMemory(AuditedMemory):
    """Holds the newest of all stores; what else can be read is known to `accesses`."""

    def __init__(self, frames: int, session: Session) -> None:
        super().__init__(frames, session)
        self.accesses = Accesses(session)
        self.passing = Passing(session, self.accesses)
        self.older: dict[PhysAddr, int] = {}
        """What the step that is being taken sees of words instead of the newest, until anybody takes another."""
        self.older_in = -1
        """The number of that step."""

    def read(self, address: PhysAddr) -> int:
        """The newest value, or an older one that the step has chosen; audited, what the step declared."""
        newest = super().read(address) if self._session.checks_memory else Memory.read(self, address)
        return self.older.get(address, newest) if self.older_in == len(self._session.steps) else newest

    def write(self, address: PhysAddr, value: int) -> None:
        """A store that is the newest for everybody from now on; before the run begins, what was there ever since."""
        if self._session.steps and self.answers(address):
            views, accesses = self.passing.begin(), self.accesses
            word = self.known_word(address)
            before = views.before_store(address, releases=False)
            access = accesses.store(views, address, word, word.newest, value, before)
            views.store(address, accesses.past[access], releases=False)
            self.older.pop(address, None)
        if self._session.checks_memory:
            super().write(address, value)
        else:
            Memory.write(self, address, value)

    def word(self, address: PhysAddr) -> Word | None:
        """What is known of the word at an address; None where there is no memory."""
        return self.accesses.known(address) or (self.known_word(address) if self.answers(address) else None)

    def known_word(self, address: PhysAddr) -> Word:
        """What is known of a word."""
        return self.accesses.known(address) or self.accesses.word(address, self.peek(address))

    def peek(self, address: PhysAddr) -> int:
        """The newest value, whatever step is taken."""
        return Memory.read(self, address)

    def poke(self, address: PhysAddr, value: int) -> None:
        """The newest store, which is known already."""
        Memory.write(self, address, value)

    def refuse(self, address: PhysAddr, value: int) -> None:
        """BusError, or another one, if memory does not take such a store."""
        if not isinstance(value, int) or not 0 <= value <= WORD_MASK or not self.answers(address):
            Memory.write(self, address, value)

    def zero_frame(self, address: PhysAddr) -> None:
        """Clear a frame for everybody: nobody sees what was stored there before."""
        super().zero_frame(address)
        first = address - address % FRAME_BYTES
        self.accesses.forget(first, first + FRAME_BYTES)
