"""What each shipped combination of `ats-retry` must come to, and why."""

from __future__ import annotations

from ..scenario import Expected

LANDS = "every-access-lands-or-is-refused"
FOREIGN = "no-dma-into-foreign-frame"
BEHIND = "no-write-behind-its-invalidation"

SMMUV3 = (
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
        leaves=("F_TRANSLATION",),
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
        params={"notifier": "one-sync"},
        verdict="violated",
        oracle=FOREIGN,
        why="nothing orders the two commands: the device forgets, asks again, and gets the page that the TLB still has",
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
VTD = (
    Expected(
        params={"iommu": "vtd", "device": "right"},
        verdict="holds",
        why="the loop asks nothing of the IOMMU but that a hole is a Success without rights",
    ),
    Expected(
        params={"iommu": "vtd", "device": "right", "gone": 2},
        verdict="holds",
        why="the same loop twice over; nothing in it counts",
    ),
    Expected(
        params={"iommu": "vtd", "device": "right", "gone": 0}, verdict="vacuous", why="nobody takes the page away"
    ),
    Expected(
        params={"iommu": "vtd", "device": "trusts"},
        leaves=("FIRST_LEVEL_P",),
        verdict="violated",
        oracle=LANDS,
        why="the write meets a hole and is dropped: the host has a record of it (0x71), and the device none",
    ),
    Expected(
        params={"iommu": "vtd", "device": "trusts", "gone": 0},
        verdict="vacuous",
        why="as long as no page goes away the broken device is right",
    ),
    Expected(
        params={"iommu": "vtd", "device": "trusts", "change": "exit"},
        verdict="violated",
        oracle=LANDS,
        why="the release callback takes the entry away and leaves FPD behind: not even the host has a record",
    ),
    Expected(
        params={"iommu": "vtd", "device": "gives-up"},
        verdict="violated",
        oracle=LANDS,
        why="a page that is gone again is not an error, whoever says so",
    ),
    Expected(
        params={"iommu": "vtd", "device": "right", "change": "exit"},
        verdict="holds",
        why="what is still queued software refuses; once the entry is gone hardware itself answers Invalid",
    ),
    Expected(
        params={"iommu": "vtd", "device": "insists", "change": "exit"},
        verdict="violated",
        oracle="no-retry-after-failure",
        why="hardware's own Invalid is as final as software's",
    ),
    Expected(
        params={"iommu": "vtd", "notifier": "no-wait"},
        verdict="violated",
        oracle=FOREIGN,
        why="the descriptor is in the queue, and the page is freed before the device has heard of it",
    ),
    Expected(
        params={"iommu": "vtd", "notifier": "one-sync"},
        verdict="holds",
        why="unlike SMMUv3, VT-d sends an invalidation to the device after the IOTLB invalidations ahead of it",
    ),
    Expected(
        params={"iommu": "vtd", "device": "answers-early"},
        verdict="violated",
        oracle=BEHIND,
        why="PCIe 10.3.1 is the device's to keep: no IOMMU sees what still waits inside",
    ),
    Expected(
        params={"iommu": "vtd", "device": "caches-late"},
        verdict="violated",
        oracle=BEHIND,
        why="PCIe 10.3.3: VT-d waits until its completion has left; the invalidation may overtake it (vtd-pcie §1.1)",
    ),
)
EXPECTED = (*SMMUV3, *VTD)
