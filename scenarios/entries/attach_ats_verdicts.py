"""What each shipped combination of `attach-ats` must come to, and why."""

from __future__ import annotations

from ..scenario import Expected

FRAME = "no-dma-into-foreign-frame"
ERROR = "device-sees-no-error"
TIMEOUT = "no-invalidation-times-out"

EXPECTED = (
    Expected(
        params={"ats": "on-on"},
        verdict="holds",
        why="whoever unmaps reaches the ATC through one list or both, and it is flushed before the old one is left",
    ),
    Expected(params={"ats": "off-on"}, verdict="holds", why="the endpoint may ask only when the STE answers"),
    Expected(
        params={"ats": "on-off"},
        verdict="holds",
        why="the endpoint stops asking before the STE refuses, and its ATC is of no use with ATS off",
    ),
    Expected(
        params={"order": "no-flush", "unmap": "off"},
        verdict="violated",
        oracle=FRAME,
        why="SMMU-R16: the endpoint keeps ATS, so nothing ever empties its ATC",
    ),
    Expected(
        params={"order": "leave-first"},
        verdict="violated",
        oracle=FRAME,
        why="SMMU-R19: an unmap in the old domain finds no ATC to invalidate, and the page is freed under the endpoint",
    ),
    Expected(
        params={"order": "leave-first", "unmap": "off"},
        verdict="holds",
        why="the flush at the end is enough if nobody unmaps meanwhile",
    ),
    Expected(
        params={"order": "too-soon", "ats": "off-on"},
        verdict="violated",
        oracle=ERROR,
        why="SMMU-R17: ATS is enabled in the endpoint while the STE has EATS=0",
    ),
    Expected(
        params={"order": "too-soon", "ats": "on-off"},
        verdict="violated",
        oracle=ERROR,
        why="SMMU-R17: EATS=0 in the STE while ATS is enabled in the endpoint",
    ),
    Expected(
        params={"ats": "on-off", "off": "ignores"},
        verdict="violated",
        oracle=TIMEOUT,
        why="between ATS off and the end of the attach the old domain and the attach itself send ATC_INV to it",
    ),
    Expected(
        params={"order": "unlist-first", "ats": "on-off", "off": "ignores"},
        verdict="violated",
        oracle=FRAME,
        why="no ATC_INV meets ATS off any more, but one that is needed is not sent: the endpoint still has ATS",
    ),
    Expected(
        params={"order": "under-lock", "ats": "on-off", "off": "ignores"},
        verdict="violated",
        oracle=FRAME,
        why="afterwards nobody sends an ATC_INV, so nothing pushes a translated write that left before ATS off: the "
        "completion of a configuration write may pass it (vtd-pcie §1.1)",
    ),
    Expected(
        params={"order": "under-lock", "ats": "on-off", "off": "ignores", "config_completion": "pushes"},
        verdict="holds",
        why="SMMU-R21: who sends is waited for, and afterwards nobody sends and the endpoint does not use its ATC",
    ),
    Expected(
        params={"order": "under-lock-read", "ats": "on-off", "off": "ignores"},
        verdict="holds",
        why="the same where the completion may pass: data read back pushes the endpoint's last translated write",
    ),
    Expected(
        params={"order": "under-lock"},
        verdict="holds",
        why="an ATC that stays in use stays on the list until it is flushed",
    ),
)
