"""What happened before what in a run: the past of each event as one int, bit *i* for event *i*.

An int with a bit for each event does all that vector clocks do, and joins, tests and rewinds are single operations.
Two events are ordered by their actor, by a race (one writes what the other reads or writes), and from who gives a bit
to who takes it. One that comes because nothing else can move is ordered with all others: it comes when all that was
possible before has been, and whatever comes later was not possible without it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from .step import ANYTHING, Step


def bits(mask: int) -> Iterator[int]:
    """The single-bit masks of `mask`, lowest first."""
    while mask:
        low = mask & -mask
        yield low
        mask ^= low


class Causality:
    """The happens-before relation of a run, grown event by event and cut back to a prefix when the next run begins."""

    __slots__ = ("_givers", "_own", "_readers", "_split", "_time_outs", "_writers", "gave", "past")

    def __init__(self) -> None:
        self.past: list[int] = []
        """For each event the mask of those before it, and itself."""
        self.gave = 0
        """The events that gave anything."""
        self._time_outs = 0
        self._own: dict[int, int] = {}
        self._readers: dict[int, int] = {}
        self._writers: dict[int, int] = {}
        self._givers: dict[int, int] = {}
        self._split: dict[int, tuple[int, ...]] = {}

    def rewind(self, length: int) -> None:
        """Forget all events from number `length` on."""
        keep = (1 << length) - 1
        del self.past[length:]
        self.gave &= keep
        self._time_outs &= keep
        for events in (self._own, self._readers, self._writers, self._givers):
            for key in events:
                events[key] &= keep

    def before(self, actor: int, below: int = ANYTHING) -> int:
        """What is before the next event of `actor` because its own last event is, of those of the mask `below`; and
        because somebody's time was over, which is when nothing else could move."""
        own = self._own.get(actor, 0) & below
        found = self.past[own.bit_length() - 1] if own else 0
        late = self._time_outs & below
        return found | (1 << late.bit_length()) - 1 if late else found

    def events(self, actor: int) -> int:
        """The events of `actor`, as a mask."""
        return self._own.get(actor, 0)

    def conflicts(self, step: Step) -> int:
        """The events so far that race with `step`, as a mask."""
        found = 0
        writers = self._writers
        if step.writes:
            readers = self._readers
            for bit in self._bits(step.writes):
                found |= writers.get(bit, 0) | readers.get(bit, 0)
        if step.reads:
            for bit in self._bits(step.reads):
                found |= writers.get(bit, 0)
        return found

    def changes(self, step: Step) -> int:
        """The events so far that may have let `step` be taken, or stopped it, as a mask.

        Of a condition that names nothing, this is whoever gave something: it changes what others wait for.
        """
        if step.wakes == ANYTHING:
            return self.gave
        return self._wrote(step.wakes) | self._gave(step.wakes)

    def _wrote(self, mask: int) -> int:
        found = 0
        for bit in self._bits(mask):
            found |= self._writers.get(bit, 0)
        return found

    def _gave(self, mask: int) -> int:
        found = 0
        for bit in self._bits(mask):
            found |= self._givers.get(bit, 0)
        return found

    def givers(self, step: Step) -> int:
        """The events so far that gave what `step` takes, as a mask."""
        return self._gave(step.takes)

    def gave_any(self, mask: int) -> int:
        """The events so far that gave anything of a mask, as a mask."""
        return self._gave(mask)

    def closure(self, base: int, events: int) -> int:
        """`base` and all that is before or in `events`."""
        events &= ~base
        while events:
            base |= self.past[events.bit_length() - 1]
            events &= ~base
        return base

    def add(self, actor: int, step: Step) -> None:
        """Add the next event; before it is what its actor did, what it races with, and who gave what it takes."""
        causes = self.conflicts(step) | self.givers(step)
        self.append(actor, step, self.closure(self.before(actor), causes))

    def append(self, actor: int, step: Step, past: int) -> None:
        """Add the next event, with what is before it: that is everything, if nothing else could move."""
        event = 1 << len(self.past)
        if step.timed_out:
            past = event - 1
            self._time_outs |= event
        self.past.append(past | event)
        self._own[actor] = self._own.get(actor, 0) | event
        if step.gives:
            self.gave |= event
        for mask, events in ((step.reads, self._readers), (step.writes, self._writers), (step.gives, self._givers)):
            if mask:
                for bit in self._bits(mask):
                    events[bit] = events.get(bit, 0) | event

    def _bits(self, mask: int) -> Sequence[int]:
        split = self._split.get(mask)
        if split is None:
            split = self._split[mask] = tuple(bits(mask))
        return split
