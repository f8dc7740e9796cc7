"""A device's queue of page faults in C, its worker, and the removal of the device; and the same race as a model."""

from __future__ import annotations

from actors.c.module import c_module
from actors.runtime.primitives.events import Note
from actors.runtime.world import World
from scenarios.parameters import one_of
from scenarios.scenario import Expected, scenario

EXPECTED = (
    Expected(
        params={"remove": "at-once"},
        verdict="violated",
        oracle="UseAfterFree",
        why="a queued group knows the parameter of the device, which is freed before the worker comes to it",
    ),
    Expected(params={"remove": "drained"}, verdict="holds", why="the queue is flushed before the parameter is freed"),
)
REMOVE = one_of("at-once", "drained", default="at-once", meaning="whether removal waits for the groups that are queued")
_driver = c_module("fault_queue.c")


@scenario(source="the generic fault code of Linux 6.9, in small", expected=EXPECTED, remove=REMOVE)
def c_fault_queue(world: World, *, remove: str) -> None:
    """Page faults are reported and handled in C while their device is removed."""
    code = _driver.load(world)
    code.call("setup")
    world.add_actor("irq", code.thread("report_group", 7))
    world.add_actor("worker", code.worker("iopf_wq"), daemon=True)
    world.add_actor("remove", code.thread("remove_device", remove == "drained"))
    world.eventually("nothing leaks", code.leaks)
    world.sometimes("a group of two pages is handled", two_pages)


def two_pages(note: Note) -> bool:
    """Whether a note says that both pages of the group were handled together."""
    return note.subject == "pages handled" and note.value == 2
