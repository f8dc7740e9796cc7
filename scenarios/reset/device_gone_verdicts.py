"""What each combination of `device-gone` comes to, and why."""

from __future__ import annotations

from ..scenario import Expected

_RETRIED = "nobody-waits-for-a-lost-device"
_TIMES_OUT = "no-invalidation-times-out"
_SUCCESS = "no-success-after-a-time-out"
_GIVEN_UP = "only-who-asks-a-device-gives-up"
_DMA = "no-dma-into-foreign-frame"

EXPECTED = (
    Expected(
        params={"driver": "retries"},
        leaves=("ITE",),
        verdict="violated",
        oracle=_RETRIED,
        why="the time-out aborts the wait, the driver submits again, and that times out as well",
    ),
    Expected(
        params={"driver": "looks-before"},
        leaves=("ITE",),
        verdict="violated",
        oracle=_RETRIED,
        why="the device goes after the driver has looked: a check before the submission is too early",
    ),
    Expected(
        params={"driver": "looks-again"},
        verdict="holds",
        why="after a time-out the driver reads the Vendor ID; every wait in the ring is aborted, its own as well",
    ),
    Expected(
        params={"driver": "tells-who-clears"},
        verdict="holds",
        why="80a9b50c0b9e as it is: alone, who clears ITE is who asked the device, and -ETIMEDOUT is meant for it",
    ),
    Expected(
        params={"driver": "tells-who-clears", "others": 1},
        leaves=("ITE",),
        verdict="violated",
        oracle=_GIVEN_UP,
        why="-ETIMEDOUT goes to whoever clears ITE: the other CPU returns before its IOTLB invalidation is done",
    ),
    Expected(
        params={"driver": "aborts-fetched"},
        verdict="violated",
        oracle=_SUCCESS,
        why="the wait behind the lost request is fetched when ITE is clear again, and nothing is ahead of it any more",
    ),
    Expected(
        params={"driver": "looks-again", "loss": "reset"},
        verdict="violated",
        oracle=_TIMES_OUT,
        why="a device in reset may ignore the request, and the driver does not know of the reset",
    ),
    Expected(
        params={"driver": "blocks-ats", "loss": "reset"},
        verdict="holds",
        why="ATS is blocked for the reset, under the lock that each invalidation holds until it is answered",
    ),
    Expected(
        params={"driver": "blocks-ats", "loss": "reset", "accesses": 1},
        verdict="holds",
        why="VTD-R23: translation is blocked and the ATC empty before an invalidation is withheld (29,381 schedules)",
    ),
    Expected(
        params={"driver": "gate-alone", "loss": "reset", "accesses": 1},
        verdict="violated",
        oracle=_DMA,
        why="until the reset the ATC has a page that the notifier has not taken from it, and that is free",
    ),
    Expected(
        params={"driver": "restores-first", "loss": "reset", "accesses": 1},
        verdict="violated",
        oracle=_DMA,
        why="VTD-R23: the device translates again, and unmap's invalidation is still withheld (found late: 13,024)",
    ),
    Expected(
        params={"driver": "gate-alone", "loss": "reset"},
        verdict="holds",
        why="a device that does not work harms nobody with what its ATC has, which is why nobody notices",
    ),
    Expected(
        params={"driver": "blocks-ats"},
        verdict="holds",
        why="the gate does not help against a cable that is pulled, the second look does",
    ),
    Expected(
        params={"driver": "looks-again", "accesses": 1},
        verdict="violated",
        oracle=_DMA,
        why="what it sent before the cable was pulled is on its way, with no answer after it (vtd-pcie §1.1): nobody "
        "waits for a device that is gone, nor for that",
    ),
    Expected(
        params={"driver": "looks-again", "others": 1},
        verdict="holds",
        why="the time-out aborts the other CPU's wait as well; it submits again and completes",
    ),
    Expected(
        params={"driver": "blocks-ats", "loss": "reset", "others": 1},
        verdict="holds",
        why="no request is sent that nobody answers, so nobody's wait is aborted",
    ),
)
