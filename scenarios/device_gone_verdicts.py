"""What each combination of `device-gone` comes to, and why."""

from __future__ import annotations

from .scenario import Expected

_RETRIED = "nobody-waits-for-a-lost-device"
_TIMES_OUT = "no-invalidation-times-out"

EXPECTED = (
    Expected(
        params={"driver": "retries"},
        verdict="violated",
        oracle=_RETRIED,
        why="the time-out aborts the wait, the driver submits again, and that times out as well",
    ),
    Expected(
        params={"driver": "looks-before"},
        verdict="violated",
        oracle=_RETRIED,
        why="the device goes after the driver has looked: a check before the submission is too early",
    ),
    Expected(
        params={"driver": "looks-again"},
        verdict="holds",
        why="after a time-out the driver reads the Vendor ID; the other CPU's wait is submitted again, and completes",
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
        params={"driver": "blocks-ats"},
        verdict="holds",
        why="the gate does not help against a cable that is pulled, the second look does",
    ),
    Expected(
        params={"driver": "looks-again", "others": 1},
        verdict="holds",
        why="the time-out aborts the other CPU's wait as well; it submits again and completes (20,856 schedules)",
    ),
    Expected(
        params={"driver": "blocks-ats", "loss": "reset", "others": 1},
        verdict="holds",
        why="no request is sent that nobody answers, so nobody's wait is aborted",
    ),
)
