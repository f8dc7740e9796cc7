"""What each shipped combination of `stop-by-blocking-translation` must come to, and why: on SMMUv3, then on VT-d."""

from __future__ import annotations

from ..scenario import Expected

ERRORS = "device-sees-no-error"
LOST = "every-access-lands-or-is-refused"
FOREIGN = "no-dma-into-foreign-frame"
MEMORY = {"watch": "memory"}
VTD = {"iommu": "vtd"}
CHECKED = {**VTD, "block": "quiet-cd", "atc": "kept", "translated": "checked", **MEMORY}

SMMUV3_EXPECTED = (
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
        leaves=("F_BAD_ATS_TREQ",),
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
        leaves=("C_BAD_CD",),
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

VTD_ERRORS = (
    Expected(
        params=VTD,
        verdict="violated",
        oracle=ERRORS,
        why="by the contract of 2020 an absent PASID entry answers with a hole, which is no error; the page request "
        "that follows is refused by hardware",
    ),
    Expected(
        params={**VTD, "absent": "ur"},
        leaves=("PASID_ENTRY_P",),
        verdict="violated",
        oracle=ERRORS,
        why="as seed 001 has it: where an absent entry is answered with UR, the function must hold ATS for disabled",
    ),
    Expected(
        params={**VTD, "absent": "ca"},
        leaves=("PASID_ENTRY_P",),
        verdict="violated",
        oracle=ERRORS,
        why="or with a Completer Abort: AER",
    ),
    Expected(
        params={**VTD, "block": "abort-ste"},
        leaves=("CONTEXT_ENTRY_P",),
        verdict="violated",
        oracle=ERRORS,
        why="a function without a context entry may not ask: UR",
    ),
    Expected(
        params={**VTD, "block": "no-ats"},
        leaves=("DTE_CLEAR",),
        verdict="violated",
        oracle=ERRORS,
        why="DTE=0 answers UR (and records it)",
    ),
    Expected(
        params={**VTD, "block": "quiet-cd"},
        verdict="violated",
        oracle=ERRORS,
        why="FPD keeps faults from the host's log; the device's page request is refused as without it",
    ),
    Expected(
        params={**VTD, "stop": "late", "accesses": 2},
        verdict="violated",
        oracle=ERRORS,
        why="when the stop comes the device has met the error",
    ),
    *(
        Expected(
            params={**VTD, "stop": "first", "block": block, "accesses": 2},
            verdict="holds",
            why="the device has nothing in flight any more, so nobody meets the block",
        )
        for block in ("clear-cd", "abort-ste", "no-ats", "quiet-cd")
    ),
    Expected(
        params={**VTD, "stop": "first", "present": 0},
        verdict="holds",
        why="a device that stops waits for the answer to its page request, so the drain has nothing to wait for",
    ),
    Expected(
        params={**VTD, "present": 0, "block": "quiet-cd"},
        verdict="violated",
        oracle=ERRORS,
        why="the request was right when it was sent, and is refused because translation was taken away meanwhile",
    ),
    Expected(
        params={**VTD, "traffic": "untranslated"},
        leaves=("PASID_ENTRY_P",),
        verdict="violated",
        oracle=LOST,
        why="posted writes vanish in the block and nobody tells the device",
    ),
    Expected(
        params={**VTD, "traffic": "untranslated", "stop": "first", "accesses": 2},
        verdict="holds",
        why="what was posted is pushed before the device says that it has stopped",
    ),
)
VTD_MEMORY = (
    Expected(
        params={**VTD, **MEMORY},
        verdict="holds",
        why="entry, IOTLB and device TLB go, and then the pages: the block keeps the device out, it is only no stop",
    ),
    *(
        Expected(
            params={**VTD, "block": block, "accesses": 2, **MEMORY},
            verdict="holds",
            why="the same, wherever translation requests end",
        )
        for block in ("abort-ste", "no-ats", "quiet-cd")
    ),
    *(
        Expected(
            params={**VTD, "block": block, "atc": "kept", **MEMORY},
            verdict="violated",
            oracle=FOREIGN,
            why="a translated write is not looked up again: only a device-TLB invalidation takes access away",
        )
        for block in ("abort-ste", "no-ats", "quiet-cd")
    ),
    Expected(
        params={**VTD, "atc": "kept", **MEMORY},
        verdict="holds",
        why="this tear-down ends in a drain, whose round trip is a device-TLB invalidation (vtd-pcie §3.6, D3)",
    ),
    Expected(
        params=CHECKED,
        verdict="violated",
        oracle=FOREIGN,
        why="a unit that looks up translated writes, too, may have looked before the block, and writes after it",
    ),
    Expected(
        params={**CHECKED, "pasid_cache": "drains"},
        verdict="holds",
        why="if the PASID-cache invalidation waits for what was looked up, the entry alone keeps the device out",
    ),
    Expected(
        params={**VTD, "stop": "first", "block": "quiet-cd", "atc": "kept", "accesses": 2, **MEMORY},
        verdict="holds",
        why="a device that stops a PASID drops its entries itself (vtd-pcie §1.3)",
    ),
    Expected(
        params={**VTD, "traffic": "untranslated", "accesses": 2, **MEMORY},
        verdict="holds",
        why="the IOTLB invalidation waits for writes that have found the entry",
    ),
    Expected(
        params={**VTD, "traffic": "untranslated", "block": "no-ats", **MEMORY},
        verdict="violated",
        oracle=FOREIGN,
        why="DTE=0 ends translation requests, not translation: a walk refills the IOTLB after its invalidation",
    ),
)

EXPECTED = SMMUV3_EXPECTED + VTD_ERRORS + VTD_MEMORY
