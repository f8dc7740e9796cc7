"""What each era of unbinding comes to, and why: the table that tests and `list` show. The verdicts were found by
search."""

from __future__ import annotations

from ..scenario import Expected

CROSS = "no-cross-binding-fault"
DEAD = "no-use-after-free"
LEFT = "nothing-left-when-unbind-returns"
CLEAR = "cleared-context-stays-clear"
MEETS: dict[str, str | int] = {"trigger": "other", "accesses": 0, "touch": 0}
"""Unbind and the end of the mm at the same time, and nothing else."""

EXPECTED = (
    Expected(
        params={"era": "2020"},
        verdict="violated",
        oracle=CROSS,
        why="the flush sees an empty queue while its last entry is handled without the lock and is no work yet",
    ),
    Expected(
        params={"era": "2020", "early": 0, "left": "strict"},
        verdict="holds",
        why="a device that has stopped has no stall left, and the flush waits for the worker",
    ),
    Expected(
        params={"era": "2020-flag"},
        verdict="violated",
        oracle=CROSS,
        why="a stopped device has no stall, says the argument against the flush; but an early retry leaves the record",
    ),
    Expected(
        params={"era": "2020-flag", "early": 0},
        verdict="holds",
        why="without early retry the argument is right",
    ),
    Expected(
        params={"era": "5.14"},
        verdict="violated",
        oracle=CROSS,
        why="the record outlives its access, the PASID goes back with the bond, and the worker looks the mm up late",
    ),
    Expected(
        params={"era": "5.14", "early": 0},
        verdict="holds",
        why="stopping the device ends every stall: the argument of 2020",
    ),
    Expected(params={"era": "5.18"}, verdict="holds", why="a PASID is its mm's as long as the mm lives"),
    Expected(
        params={"era": "5.18", "left": "strict"},
        verdict="violated",
        oracle=LEFT,
        why="nobody waits for EVTQ or work queue",
    ),
    Expected(
        params={"era": "5.18", "trigger": "exit"},
        verdict="violated",
        oracle=CROSS,
        why="the record outlives the bond and then the mm",
    ),
    Expected(
        params={"era": "6.11"},
        verdict="violated",
        oracle=DEAD,
        why="the fault keeps a raw pointer to the handle, which unbind frees",
    ),
    Expected(params={"era": "6.11", "early": 0}, verdict="holds", why="stopping the device ends every stall"),
    Expected(
        params={"era": "7.1"},
        verdict="violated",
        oracle=DEAD,
        why="iopf_queue_remove_device frees a group whose work is queued, or unbind a handle that a fault holds",
    ),
    Expected(
        params={"era": "7.1", "touch": 0},
        verdict="violated",
        oracle=DEAD,
        why="the worker's own PTE lets the access end before the RESUME, so nobody else has to touch the page",
    ),
    Expected(
        params={"era": "7.1", "left": "strict"},
        verdict="violated",
        oracle=LEFT,
        why="a record of the bond is in the EVTQ, or its group with the worker, when unbind returns",
    ),
    Expected(
        params={"era": "7.1", "trigger": "exit"},
        verdict="violated",
        oracle=CROSS,
        why="the record outlives the bond and then the mm, and finds the handle of the PASID's next owner",
    ),
    Expected(
        params={"era": "7.1", "early": 0, "left": "strict"},
        verdict="holds",
        why="stopping the device ends every stall, and removing the device waits for fault_param->lock",
    ),
    Expected(
        params={"era": "7.1-keep"},
        verdict="violated",
        oracle=DEAD,
        why="without 9759ae2cee7c the group lives until its work is done; the handle does not",
    ),
    Expected(
        params={"era": "7.1-keep", "touch": 0}, verdict="holds", why="the worker has done with the handle by then"
    ),
    Expected(
        params={"era": "7.1-flush"},
        verdict="violated",
        oracle=DEAD,
        why="a record that was in the EVTQ becomes a work after the work queue was flushed",
    ),
    Expected(
        params={"era": "7.1-drain", "left": "strict"},
        verdict="holds",
        why="after CD and SYNC no new record can come; the EVTQ is emptied, then every work is waited for",
    ),
    Expected(
        params={"era": "7.1-drain", "trigger": "exit"},
        verdict="holds",
        why="the same when the process dies first",
    ),
    Expected(
        params={"era": "7.1-drain", "trigger": "exit", "left": "strict"},
        verdict="violated",
        oracle=CLEAR,
        why="the worker has the last pin of the mm, so release runs in the very drain, behind the clearing of the CD",
    ),
    Expected(
        params={"era": "7.1-late-list", "early": 0},
        verdict="violated",
        oracle=DEAD,
        why="up to 06e14c36e20b: the domain is taken off its lists when it has been freed",
    ),
    Expected(
        params={"era": "5.14", **MEETS},
        verdict="violated",
        oracle="no-foreign-teardown",
        why="a release that waited for sva_lock writes its CD when the PASID belongs to somebody else",
    ),
    Expected(
        params={"era": "5.18", **MEETS},
        verdict="violated",
        oracle=DEAD,
        why="a release that waited for sva_lock reads the ASID from the shared cd that unbind has freed",
    ),
    Expected(
        params={"era": "6.11", **MEETS},
        verdict="holds",
        why="the release CD translates nothing, and the PASID is not handed out before __mmdrop",
    ),
    Expected(
        params={"era": "7.1", **MEETS},
        verdict="holds",
        why="as in 6.11: no harm",
    ),
    Expected(
        params={"era": "7.1", **MEETS, "left": "strict"},
        verdict="violated",
        oracle=CLEAR,
        why="release takes only devices_lock, and unbind clears the CD before it takes the master off the list: the CD "
        "of a PASID that nobody has is valid again",
    ),
    Expected(
        params={"era": "7.1-leave-first", **MEETS, "left": "strict"},
        verdict="holds",
        why="off the list first: whoever holds devices_lock later finds nothing to write",
    ),
)
