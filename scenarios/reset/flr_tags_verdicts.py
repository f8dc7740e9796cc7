"""What each shipped combination of `flr-tags` must come to, and why: on VT-d, which is the default, and on SMMUv3."""

from __future__ import annotations

from actors.runtime.runs.schedule import ParamValue

from ..scenario import Expected

CORRUPT = "no-old-answer-for-a-new-request"
TIMES_OUT = "no-invalidation-times-out"
HANG = "no-deadlock"
DMA = "no-dma-into-foreign-frame"
UNMAP: dict[str, ParamValue] = {"requests": 0, "unmap": 1}
ARM: dict[str, ParamValue] = {"iommu": "smmuv3"}
ARM_RIGHT: dict[str, ParamValue] = {"iommu": "smmuv3", "drain": "halt-before", "end": "stopped"}

VTD_EXPECTED = (
    Expected(
        params={"drain": "none"},
        verdict="violated",
        oracle=CORRUPT,
        why="seed 001: the response to tag 0 of the old life completes the request with tag 0 of the new one",
    ),
    Expected(
        params={"drain": "before"},
        verdict="violated",
        oracle=CORRUPT,
        why="the function, which nobody has halted, asks behind the drain's last look",
    ),
    Expected(
        params={"drain": "halt-before"},
        verdict="violated",
        oracle=CORRUPT,
        why="PRI is off, but the completion of that write may pass a page request, which then is behind the drain",
    ),
    Expected(
        params={"drain": "halt-before", "config_completion": "pushes"},
        verdict="holds",
        why="leans on a completion that brings page requests along, which PCIe does not promise (vtd-pcie §1.1)",
    ),
    Expected(
        params={"drain": "halt-read-before"},
        verdict="holds",
        why="who reads PRI back has all requests before the drain, D1 to D5: nothing is left at the FLR (SMMU-R51)",
    ),
    Expected(
        params={"drain": "after"},
        verdict="holds",
        why="the host reads until the FLR is over, which pushes old requests, and PD their answers before PRI Enable",
    ),
    Expected(
        params={"drain": "after-unread"},
        verdict="violated",
        oracle=CORRUPT,
        why="the write's completion may pass an old request, and no time that has gone by says where that is",
    ),
    Expected(
        params={"drain": "after-unread", "config_completion": "pushes"},
        verdict="holds",
        why="leans on a completion that brings page requests along, which PCIe does not promise (vtd-pcie §1.1)",
    ),
    Expected(params={"drain": "around"}, verdict="holds", why="the second drain is the one that counts"),
    Expected(
        params={"drain": "halt-read-before", "end": "d0"},
        verdict="holds",
        why="D0 asks a flag of the IOMMU's driver, which is still set when the function's driver has switched PRI off",
    ),
    Expected(
        params={"drain": "after", "end": "d0"},
        verdict="holds",
        why="the same: an FLR switches PRI off in the function, not in the flag",
    ),
    Expected(
        params={"drain": "halt-read-before", "end": "d0-register"},
        verdict="violated",
        oracle=CORRUPT,
        why="a drain that looked at the function's own bit would return at D0 once PRI is off",
    ),
    Expected(
        params={"drain": "after", "end": "d0-register"},
        verdict="violated",
        oracle=CORRUPT,
        why="the same: an FLR switches PRI off",
    ),
    Expected(
        params={"drain": "after", "end": "worker"},
        verdict="violated",
        oracle=CORRUPT,
        why="flush_workqueue says that each answer was executed, which it is before it has left",
    ),
    Expected(
        params={"drain": "after", "end": "no-pd"},
        verdict="violated",
        oracle=CORRUPT,
        why="a wait without PD says no more: the answer is still inside, and leaves after PRI is on again",
    ),
    Expected(
        params={"drain": "halt-read-before", "end": "no-pd"},
        verdict="violated",
        oracle=CORRUPT,
        why="the same: the answer leaves after the FLR",
    ),
    Expected(
        params={"drain": "halt-before", "end": "stopped"},
        verdict="holds",
        why="the function itself says that it has every answer",
    ),
    Expected(
        params={"drain": "after", "end": "stopped"},
        verdict="violated",
        oracle=CORRUPT,
        why="after the FLR the function knows of no request, so it reads Stopped at once",
    ),
    Expected(
        params={"drain": "after", "pushed": "root-complex"},
        verdict="violated",
        oracle=CORRUPT,
        why="as in `prq-drain` without a tear-down: the round trip brings a request in behind the drain's last look",
    ),
    Expected(
        params={"drain": "halt-read-before", "pushed": "root-complex"},
        verdict="violated",
        oracle=CORRUPT,
        why="the same: what the read of PRI off pushes may be outside the queue when D1 looks, and D4 brings it",
    ),
    Expected(
        params={"drain": "halt-before", "end": "stopped", "pushed": "root-complex"},
        verdict="holds",
        why="wherever a request is, the function waits for its answer",
    ),
    Expected(
        params={"drain": "none", "tags": "kept"},
        verdict="holds",
        why="a function that goes on counting gives the new request another tag",
    ),
    Expected(
        params={"drain": "none", "tags": "kept", "unexpected": "error"},
        verdict="violated",
        oracle="no-unexpected-response",
        why="and gets an answer to a tag that it does not know",
    ),
    Expected(
        params={"drain": "none", "tags": "kept", "prgis": 1},
        verdict="violated",
        oracle=CORRUPT,
        why="keeping tags only puts the day off: after one round they are used again",
    ),
    Expected(
        params={"drain": "after", "unexpected": "error"},
        verdict="holds",
        why="old answers find PRI off, and while it is off are taken as unreported (not verified); on clears UPRGI",
    ),
    Expected(
        params={"drain": "after", "unexpected": "error-always"},
        verdict="violated",
        oracle="no-unexpected-response",
        why="an old answer meets a function that knows of no request: vtd-pcie §1.4 makes no exception for PRI off",
    ),
    Expected(
        params={"drain": "halt-read-before", "unexpected": "error-always"},
        verdict="holds",
        why="a function that has every answer before the FLR gets none behind it",
    ),
    Expected(
        params={"drain": "after", **UNMAP},
        verdict="holds",
        why="a function that answers invalidations in reset keeps nobody waiting",
    ),
    Expected(
        params={"drain": "none", **UNMAP, "inv_during_flr": "ignored"},
        verdict="violated",
        oracle=TIMES_OUT,
        why="VTD-R23: the notifier knows nothing of the reset, and the function need not answer: ITE aborts every wait",
    ),
    Expected(
        params={"drain": "after", **UNMAP, "inv_during_flr": "ignored", "ats": "blocked"},
        verdict="holds",
        why="pci_dev_reset_iommu_prepare(): nothing is sent to a function that may not answer",
    ),
    Expected(
        params={"drain": "none", **UNMAP, "ats": "gate-alone", "writes": 1},
        verdict="violated",
        oracle=DMA,
        why="until the FLR the ATC has a page that the notifier has not taken from it, and that is free",
    ),
    Expected(
        params={"drain": "none", **UNMAP, "ats": "blocked", "writes": 1},
        verdict="holds",
        why="VTD-R23: translation is blocked and the ATC empty before an invalidation is withheld (20,984 schedules)",
    ),
    Expected(
        params={"drain": "after", "ats": "blocked"},
        verdict="holds",
        why="a blocked PASID does not disturb the drain: what asks for it meanwhile is refused by hardware",
    ),
)

SMMUV3_EXPECTED = (
    Expected(
        params={**ARM, "drain": "none"},
        verdict="violated",
        oracle=CORRUPT,
        why="as on VT-d: tags are the function's own",
    ),
    Expected(
        params={**ARM, "drain": "before"},
        verdict="violated",
        oracle=CORRUPT,
        why="the function, which nobody has halted, asks behind the drain's last look",
    ),
    Expected(
        params={**ARM, "drain": "after", "end": "worker"},
        verdict="violated",
        oracle=CORRUPT,
        why="flush_workqueue says that the answers are written to a queue, not where they are",
    ),
    Expected(
        params={**ARM, "drain": "after"},
        verdict="violated",
        oracle=CORRUPT,
        why="smmuv3 §1.5: a CMD_SYNC promises nothing about a PRI_RESP, which may leave after PRI is on again",
    ),
    Expected(
        params={**ARM, "drain": "after-unread"},
        verdict="violated",
        oracle=CORRUPT,
        why="and old requests may come behind that CMD_SYNC, too",
    ),
    Expected(
        params={**ARM, "drain": "around"},
        verdict="violated",
        oracle=CORRUPT,
        why="a second CMD_SYNC promises as little as the first",
    ),
    Expected(
        params={**ARM, "drain": "halt-before"},
        verdict="violated",
        oracle=CORRUPT,
        why="the same: the answer leaves after the FLR",
    ),
    Expected(
        params={**ARM, "drain": "halt-read-before"},
        verdict="violated",
        oracle=CORRUPT,
        why="to know that every request has come says nothing about answers",
    ),
    Expected(
        params=ARM_RIGHT,
        verdict="holds",
        why="the function itself says that it has every answer: the one proof that SMMUv3 has",
    ),
    Expected(
        params={**ARM, "drain": "after", "end": "stopped"},
        verdict="violated",
        oracle=CORRUPT,
        why="after the FLR the function reads Stopped at once: no drain after a reset is right on SMMUv3",
    ),
    Expected(
        params={**ARM, "drain": "around", "end": "stopped"},
        verdict="violated",
        oracle=HANG,
        why="Stopped needs PRI off: who waits for it before the FLR, and has halted nobody, waits for ever",
    ),
    Expected(
        params={**ARM_RIGHT, "pushed": "root-complex"},
        verdict="holds",
        why="wherever a request is, the function waits for its answer",
    ),
    Expected(
        params={**ARM, "drain": "none", "tags": "kept"},
        verdict="holds",
        why="a function that goes on counting gives the new request another tag",
    ),
    Expected(
        params={**ARM_RIGHT, **UNMAP},
        verdict="holds",
        why="a function that answers invalidations in reset keeps nobody waiting",
    ),
    Expected(
        params={**ARM_RIGHT, **UNMAP, "inv_during_flr": "ignored"},
        verdict="violated",
        oracle=TIMES_OUT,
        why="SMMU-R50: the notifier knows nothing of the reset; the CMD_SYNC after its ATC_INV fails, the queue stops",
    ),
    Expected(
        params={**ARM_RIGHT, **UNMAP, "inv_during_flr": "ignored", "ats": "blocked"},
        verdict="holds",
        why="pci_dev_reset_iommu_prepare(): nothing is sent to a function that may not answer",
    ),
    Expected(
        params={**ARM, "drain": "none", **UNMAP, "ats": "gate-alone", "writes": 1},
        verdict="violated",
        oracle=DMA,
        why="until the FLR the ATC has a page that the notifier has not taken from it, and that is free",
    ),
    Expected(
        params={**ARM, "drain": "none", **UNMAP, "ats": "blocked", "writes": 1},
        verdict="not found",
        searched=60_000,
        why="SMMU-R50: translation is blocked and the ATC empty before an invalidation is withheld (not proved)",
    ),
    Expected(
        params={**ARM_RIGHT, "ats": "blocked"},
        verdict="holds",
        why="tags and the gate at once: the two cures do not get in each other's way",
    ),
)

EXPECTED = VTD_EXPECTED + SMMUV3_EXPECTED
