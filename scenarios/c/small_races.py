"""Small races in C: a reference, a completion on the stack, a sequence count, an interrupt whose driver goes."""

from __future__ import annotations

from actors.c.module import c_module
from actors.runtime.primitives.events import Note
from actors.runtime.world import World
from scenarios.parameters import one_of
from scenarios.scenario import Expected, scenario

_races = c_module("small_races.c")
REFERENCE = (
    Expected(
        params={"put": "two-steps"},
        verdict="violated",
        oracle="nothing leaks",
        why="both users see two references and leave one: nobody frees the object",
    ),
    Expected(params={"put": "atomic"}, verdict="holds", why="refcount_dec_and_test counts in one step"),
)
COMPLETION = (
    Expected(
        params={"wait": "looks"},
        verdict="violated",
        oracle="UseAfterReturn",
        why="the waiter sees `done` and returns, and the other side is not done with the completion on its stack",
    ),
    Expected(params={"wait": "properly"}, verdict="holds", why="complete() is over when wait_for_completion() returns"),
)
SEQUENCE = (
    Expected(
        params={"count": "none"},
        verdict="violated",
        oracle="the words belong together",
        why="the reader gets the first word from before and the second from after",
    ),
    Expected(params={"count": "kept"}, verdict="holds", why="the count tells the reader to read again"),
)

INTERRUPT = (
    Expected(
        params={"free_irq": "behind"},
        verdict="violated",
        oracle="UseAfterFree",
        why="the handler, or its thread, still runs on what is freed",
    ),
    Expected(params={"free_irq": "ahead"}, verdict="holds", why="free_irq returns when handler and thread are over"),
)


@scenario(
    source="a reference count that is no atomic one",
    expected=REFERENCE,
    put=one_of("two-steps", "atomic", default="two-steps", meaning="how a reference is dropped"),
)
def c_reference(world: World, *, put: str) -> None:
    """Two users drop their reference to an object in C; the last one frees it."""
    code = _races.load(world)
    code.call("setup_reference")
    function = "put_atomically" if put == "atomic" else "put_in_two_steps"
    world.add_actor("first", code.thread(function))
    world.add_actor("second", code.thread(function))
    world.eventually("nothing leaks", lambda: "the object is still there" if code.objects() else None)
    world.sometimes("one user is the last", lambda note: note.subject == "left" and note.value == 0)


@scenario(
    source="a completion on the stack of who waits",
    expected=COMPLETION,
    wait=one_of("looks", "properly", default="looks", meaning="how the waiter knows that it may return"),
)
def c_stack_completion(world: World, *, wait: str) -> None:
    """Somebody waits in C for a completion on its own stack, and returns."""
    code = _races.load(world)
    world.add_actor("waiter", code.thread("wait_for_other", wait == "properly"))
    world.add_actor("other", code.thread("finish", wait == "looks"))
    world.sometimes("it was waited for", lambda note: note.subject == "waited")


@scenario(
    source="a sequence count, as for a clock that many read",
    expected=SEQUENCE,
    count=one_of("none", "kept", default="none", meaning="whether the writer counts before and after"),
)
def c_sequence_count(world: World, *, count: str) -> None:
    """Two words that belong together are read in C while they change."""
    code = _races.load(world)
    world.add_actor("writer", code.thread("advance", count == "kept"))
    world.add_actor("reader", code.thread("read_clock"))
    world.always("the words belong together", _apart)
    world.sometimes("the reader sees the new words", lambda note: note.subject == "read" and note.value == 1)


@scenario(
    source="an interrupt that comes while the driver is removed",
    expected=INTERRUPT,
    free_irq=one_of("behind", "ahead", default="behind", meaning="of what the handler works on, when it is freed"),
)
def c_free_irq(world: World, *, free_irq: str) -> None:
    """The device's interrupt comes while its driver frees what the handler in C works on."""
    code = _races.load(world)
    code.call("probe")
    world.add_actor("irq", code.interrupt(7))
    world.add_actor("remove", code.thread("remove_device", free_irq == "ahead"))
    world.sometimes("the interrupt is handled", lambda note: note.subject == "interrupts")


def _apart(note: Note) -> str | None:
    return f"apart by {note.value}" if note.subject == "apart by" and note.value else None
