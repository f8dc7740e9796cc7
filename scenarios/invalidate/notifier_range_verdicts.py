"""What each combination of `notifier-range` comes to, and why: the same on both IOMMUs."""

from __future__ import annotations

from ..scenario import Expected

_OUTCOMES = (
    ("exact", "everything", "holds", "everything goes, in the IOMMU and in the device"),
    ("exact", "pages", "holds", "the pages go, in the IOMMU and in the device, before they are freed"),
    (
        "size-overflows",
        "everything",
        "violated",
        "from 0 to all ones is 0 bytes: one page at address 0 is forgotten, and the page in use is not",
    ),
    ("size-overflows", "pages", "holds", "only the largest size overflows"),
    (
        "start-advances",
        "pages",
        "violated",
        "the range that the notifier sees is empty: the device goes on writing to the freed page",
    ),
    ("start-advances", "everything", "holds", "the loop that moves the start is not on this path"),
)

EXPECTED = (
    *(
        Expected(
            params={"iommu": iommu, "notifier": notifier, "told": told},
            verdict=verdict,
            oracle="no-dma-into-foreign-frame" if verdict == "violated" else "",
            why=why,
        )
        for iommu in ("smmuv3", "vtd")
        for notifier, told, verdict, why in _OUTCOMES
    ),
    Expected(
        params={"iommu": "smmuv3", "notifier": "exact", "told": "pages", "pages": 2},
        verdict="holds",
        why="two TLBIs and one SYNC, then one ATC_INV of both pages",
    ),
)
