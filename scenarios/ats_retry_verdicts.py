"""What each shipped combination of `ats-retry` must come to, and why."""

from __future__ import annotations

from .scenario import Expected

LANDS = "every-access-lands-or-is-refused"
FOREIGN = "no-dma-into-foreign-frame"
BEHIND = "no-write-behind-its-invalidation"

EXPECTED = (
    Expected(
        params={"device": "right"},
        verdict="holds",
        why="Success is a hint: the device asks again, finds a hole, and requests the page once more",
    ),
    Expected(
        params={"device": "right", "gone": 2},
        verdict="holds",
        why="the same loop twice over; nothing in it counts",
    ),
    Expected(params={"device": "right", "gone": 0}, verdict="vacuous", why="nobody takes the page away"),
    Expected(
        params={"device": "trusts"},
        verdict="violated",
        oracle=LANDS,
        why="the write goes out untranslated on the strength of a Success, meets a hole, and is dropped unseen",
    ),
    Expected(
        params={"device": "trusts", "gone": 0},
        verdict="vacuous",
        why="as long as no page goes away the broken device is right, which is why nobody notices",
    ),
    Expected(
        params={"device": "gives-up"},
        verdict="violated",
        oracle=LANDS,
        why="a page that is gone again is not an error, but this device takes it for one",
    ),
    Expected(
        params={"device": "right", "change": "exit"},
        verdict="holds",
        why="the dying process's faults are answered Invalid, and the device aborts",
    ),
    Expected(
        params={"device": "insists", "change": "exit"},
        verdict="violated",
        oracle="no-retry-after-failure",
        why="Invalid means that software will not serve the address, now or later",
    ),
    Expected(
        params={"notifier": "no-wait"},
        verdict="violated",
        oracle=FOREIGN,
        why="the page is freed while a write with the old translation is on its way",
    ),
    Expected(
        params={"device": "answers-early"},
        verdict="violated",
        oracle=BEHIND,
        why="PCIe 10.3.1: the answer overtakes a write that is still inside, and the host takes the page for unused",
    ),
    Expected(
        params={"device": "caches-late"},
        verdict="violated",
        oracle=BEHIND,
        why="PCIe 10.3.3: a translation that arrives after its invalidation was answered is kept, and never goes away",
    ),
)
