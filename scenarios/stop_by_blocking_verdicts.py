"""What each shipped combination of `stop-by-blocking-translation` must come to, and why."""

from __future__ import annotations

from .scenario import Expected

ERRORS = "device-sees-no-error"
LOST = "every-access-lands-or-is-refused"
FOREIGN = "no-dma-into-foreign-frame"
MEMORY = {"watch": "memory"}

EXPECTED = (
    Expected(
        params={"block": "clear-cd"},
        verdict="violated",
        oracle=ERRORS,
        why="C_BAD_CD answers a translation request with a Completer Abort: AER",
    ),
    Expected(
        params={"block": "abort-ste"},
        verdict="violated",
        oracle=ERRORS,
        why="an aborting stream answers UR, and the function must hold ATS for disabled",
    ),
    Expected(
        params={"block": "no-ats"},
        verdict="violated",
        oracle=ERRORS,
        why="EATS=0 answers UR (and records F_BAD_ATS_TREQ)",
    ),
    Expected(
        params={"block": "quiet-cd"},
        verdict="violated",
        oracle=ERRORS,
        why="translation requests find holes, which is no error, but the page request that follows is refused",
    ),
    Expected(
        params={"stop": "late", "accesses": 2},
        verdict="violated",
        oracle=ERRORS,
        why="when the stop comes the device has met the error",
    ),
    *(
        Expected(
            params={"stop": "first", "block": block, "accesses": 2},
            verdict="holds",
            why="the device has nothing in flight any more, so nobody meets the block",
        )
        for block in ("clear-cd", "abort-ste", "no-ats", "quiet-cd")
    ),
    Expected(
        params={"stop": "first", "present": 0},
        verdict="holds",
        why="a device that stops waits for the answer to its page request (style A) while software still gives one",
    ),
    Expected(
        params={"present": 0, "block": "quiet-cd"},
        verdict="violated",
        oracle=ERRORS,
        why="the request was right when it was sent, and is refused because translation was taken away meanwhile",
    ),
    Expected(
        params={"accesses": 2, **MEMORY},
        verdict="holds",
        why="with the ATC invalidated the block does keep the device out of freed memory: it is only no stop",
    ),
    Expected(
        params={"atc": "kept", **MEMORY},
        verdict="violated",
        oracle=FOREIGN,
        why="a translated write is not looked up again: only an ATC invalidation takes access away",
    ),
    Expected(
        params={"stop": "first", "atc": "kept", "accesses": 2, **MEMORY},
        verdict="holds",
        why="a device that stops a PASID drops its entries itself (vtd-pcie §1.3)",
    ),
    Expected(
        params={"traffic": "untranslated"},
        verdict="violated",
        oracle=LOST,
        why="posted writes vanish in the block and nobody tells the device",
    ),
    Expected(
        params={"traffic": "untranslated", "block": "no-ats", **MEMORY},
        verdict="violated",
        oracle=FOREIGN,
        why="EATS=0 ends translation requests, not translation: a walk refills the TLB after its invalidation",
    ),
    Expected(
        params={"traffic": "untranslated", "stop": "first", "accesses": 2},
        verdict="holds",
        why="what was posted is pushed before the device says that it has stopped",
    ),
)
