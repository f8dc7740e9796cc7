"""How a cpu waits: each wait is a step that is not offered before what is waited for has come.

Time does not exist here, so a wait with a time-out says when that can come: at `"any"` moment, whether or not somebody
is about to end the wait; `"last"`, only when nothing else can move, as a second does against microseconds; or after so
many looks of the waiter, a number. What a wait does not say is taken from `world.time_out`, which is `"any"`: whoever
is right with that is right with the others.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence
from functools import partial

from hw.bus import PhysAddr

from .audit import FootprintError
from .looks import looks_further
from .misuse import no_word, not_asked
from .places import defined
from .resources import listed, unhashable
from .stage import Stage
from .step import MisuseError, Resource, Step, TimeOut, is_put_off, looks_of, operation
from .thread import Thread


class WaitingThread(Thread):
    """A thread that waits for words of memory, for what a condition says, or for its time to be over."""

    __slots__ = ("_memory", "_session")

    def __init__(self, stage: Stage, number: int, name: str) -> None:
        super().__init__(stage, number, name)
        self._memory = stage.memory
        self._session = stage.session

    @operation
    def wait(
        self,
        what: str,
        until: Callable[[], bool],
        *,
        reads: Sequence[Resource] = (),
        writes: Sequence[Resource] = (),
        idle: bool = False,
        sleeps: bool = True,
    ) -> Generator[Step, int, None]:
        """One step that is not offered until `until()`; the footprint names all that the condition looks at.

        `idle` says that a daemon which waits here has nothing left to do; `sleeps=False` is a busy wait, allowed
        under a spin lock. MisuseError for a footprint that names nothing: nobody's step could end such a wait.
        """
        self._may_wait(what, sleeps)
        if not reads and not writes:
            self.refuse(_names_nothing(self.name, what))
        failed = list[BaseException]()
        yield Step(what, self._named(reads), self._named(writes), ready=asked(until, failed, until), idle=idle)
        if failed:
            raise failed[0]

    @operation
    def poll(
        self,
        address: PhysAddr,
        until: Callable[[int], bool],
        what: str,
        *,
        idle: bool = False,
        sleeps: bool = True,
    ) -> Generator[Step, int, int]:
        """One step that is not offered until a word of memory satisfies `until`; the value that did."""
        self._may_wait(what, sleeps)
        read, mask, failed = self._memory.read, self._stage.mask(("word", address)), list[BaseException]()
        yield Step(what, mask, ready=asked(lambda: until(read(address)), failed, until), idle=idle)
        if failed:
            raise failed[0] if isinstance(address, int) else no_word(what, address)
        return self._polled(address, until)

    @operation
    def poll_words(
        self, addresses: Sequence[PhysAddr], until: Callable[..., bool], what: str, *, idle: bool = False
    ) -> Generator[Step, int, list[int]]:
        """A busy wait, one step, that is not offered until several words of memory, given in order, satisfy `until`."""
        self._may_wait(what, sleeps=False)
        mask = self._session.footprint(tuple([("word", address) for address in addresses]))
        read, failed = self._memory.read, list[BaseException]()
        if not addresses:
            self.refuse(MisuseError(f"{self.name} waits for `{what}` and names no word"))
        yield Step(
            what, mask, ready=asked(lambda: until(*[read(each) for each in addresses]), failed, until), idle=idle
        )
        if failed:
            raise failed[0]
        return [read(address) for address in addresses]

    @operation
    def wait_timeout(
        self,
        what: str,
        until: Callable[[], bool],
        *,
        reads: Sequence[Resource] = (),
        writes: Sequence[Resource] = (),
        time_out: TimeOut | None = None,
        idle: bool = False,
        sleeps: bool = True,
    ) -> Generator[Step, int, bool]:
        """As `wait`, but False if its time is over first; a step, or one for each look."""
        self._may_wait(what, sleeps)
        if not reads and not writes:
            self.refuse(_names_nothing(self.name, what))
        failed = list[BaseException]()
        step = partial(Step, what, self._named(reads), self._named(writes), idle=idle)
        came = yield from waited(step, asked(until, failed, until), self.looks(time_out))
        if failed:
            raise failed[0]
        return came

    @operation
    def poll_timeout(
        self,
        address: PhysAddr,
        until: Callable[[int], bool],
        what: str,
        *,
        time_out: TimeOut | None = None,
        idle: bool = False,
        sleeps: bool = True,
    ) -> Generator[Step, int, int | None]:
        """As `poll`, but None if its time is over first; a step, or one for each look."""
        self._may_wait(what, sleeps)
        read, failed, looks = self._memory.read, list[BaseException](), self.looks(time_out)
        step = partial(Step, what, self._stage.mask(("word", address)), idle=idle)
        came = yield from waited(step, asked(lambda: until(read(address)), failed, until), looks)
        if failed:
            raise failed[0] if isinstance(address, int) else no_word(what, address)
        if not came:
            return None
        return read(address) if looks else self._polled(address, until)

    @operation
    def sleep(self, what: str = "sleep", *, idle: bool = False) -> Generator[Step, int, None]:
        """One step that comes only when nothing else can move: msleep(), or hardware that is slow."""
        self.might_sleep(what)
        yield Step(what, ready=_never, idle=idle, times_out=True, wakes=self._stage.mask(("time",)))

    def looks(self, time_out: TimeOut | None) -> int:
        """How often it looks before its time is over, 0 if it waits until nothing else can move."""
        try:
            return looks_of(self._stage.time_out if time_out is None else time_out)
        except MisuseError as error:
            self.refuse(error)

    def _may_wait(self, what: str, sleeps: bool) -> None:
        if self._stage.current != self.number:
            self.acts(what)
        if self.spinning:
            self.waits_spinning(what, sleeps)

    def _polled(self, address: PhysAddr, until: Callable[[int], bool]) -> int:
        """The value that ended a wait for a word."""
        value, stores = self._memory.read(address), self._stage.stores.get(address)
        # What looks further may have been true before: what it asks for now says nothing of then.
        if stores and not looks_further(until, (value, *(before for _, before in stores))):
            self.waited_for(sum(1 << index for index, before in stores if not until(before)))
        return value

    def _named(self, resources: Sequence[Resource]) -> int:
        """The mask of what a step says that it touches; MisuseError, which counts also if an actor catches it."""
        try:
            return self._session.footprint(listed(resources))
        except MisuseError as error:
            self.refuse(error)
        except TypeError:
            self.refuse(unhashable(resources))


def waited(step: Callable[..., Step], until: Callable[[], bool], looks: int) -> Generator[Step, int, bool]:
    """The steps of a wait of so many looks (see `WaitingThread.looks`); whether that came before its time-out.

    `step` makes one, and is given what makes it wait.
    """
    for _ in range(looks):
        yield step()
        if until():
            return True
    if looks:
        return False
    yield step(ready=until, times_out=True)
    return until()


def asked(until: Callable[[], bool], failed: list[BaseException], given: object) -> Callable[[], bool]:
    """A condition that can be asked anywhere: if it raises, its step can be taken, and raises what is in `failed`.

    `given` is what the user wrote, for messages.
    """

    def ready() -> bool:
        failed.clear()
        try:
            answer = until()
            if answer is not True and is_put_off(answer):
                raise MisuseError(
                    f"a condition returned {type(answer).__name__}; it returns True or False", defined(given)
                )
            return answer
        except (KeyboardInterrupt, FootprintError):
            raise
        except BaseException as error:
            failed.append(
                error if callable(given) else not_asked("a wait", given, "when it ends, such as lambda: done")
            )
            return True

    return ready


def _names_nothing(name: str, what: str) -> MisuseError:
    return MisuseError(f"{name} waits for `{what}` and names nothing that this depends on: give reads= or writes=")


def _never() -> bool:
    return False
