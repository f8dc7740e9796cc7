"""What each shipped combination of `unbind-flags` must come to, and why."""

from __future__ import annotations

from ..scenario import Expected

CROSS = "no-cross-binding-fault"
HANG = "no-deadlock"

EXPECTED = (
    Expected(
        params={"flags": 1, "callback": "none"},
        verdict="holds",
        why="FLUSHED: requests may be queued still, and unbind waits for the marker behind them",
    ),
    Expected(
        params={"flags": 2, "callback": "none", "stop": "A"},
        verdict="holds",
        why="CLEAN: every response has come back to the device, so that nothing is waited for",
    ),
    Expected(
        params={"flags": 3, "callback": "none", "stop": "A"},
        verdict="holds",
        why='CLEAN is "in addition to" FLUSHED: who sets both bits means CLEAN',
    ),
    Expected(
        params={"flags": 3, "callback": "none", "stop": "A", "core": "one-of"},
        verdict="violated",
        oracle=HANG,
        why="both bits are neither of the two values: unbind waits for a marker that this device never sends",
    ),
    Expected(
        params={"flags": 3, "callback": "none"},
        verdict="violated",
        oracle=CROSS,
        why="CLEAN is a promise that a device with a marker under way has not kept",
    ),
    Expected(
        params={"flags": 0, "callback": "right"},
        verdict="holds",
        why="no flag: the callback stops the device within unbind, and says FLUSHED",
    ),
    Expected(
        params={"flags": 0, "callback": "right", "stop": "A"},
        verdict="holds",
        why="no flag: the callback stops the device within unbind, and says CLEAN",
    ),
    Expected(
        params={"flags": 0, "callback": "none"},
        verdict="holds",
        why="neither flag nor callback: unbind returns an error, nobody else gets the PASID, and the driver, which "
        "hears it, stops the device and unbinds again",
    ),
    Expected(
        params={"flags": 0, "callback": "zero"},
        verdict="holds",
        why="a callback that returns 0 has not stopped the device: the same error",
    ),
    Expected(
        params={"flags": 0, "callback": "zero", "core": "zero-is-clean"},
        verdict="violated",
        oracle=CROSS,
        why="the PASID is handed out while its device works",
    ),
    Expected(
        params={"flags": 0, "callback": "right", "trigger": "exit"},
        verdict="holds",
        why="the release callback asks for no flags; the driver's callback stops the device, and unbind finds no bond",
    ),
    Expected(
        params={"flags": 0, "callback": "zero", "trigger": "exit"},
        verdict="holds",
        why="the device goes on after release: without a translation, and with its PASID kept until it was stopped",
    ),
    Expected(
        params={"flags": 0, "callback": "zero", "trigger": "exit", "core": "zero-is-clean"},
        verdict="violated",
        oracle=CROSS,
        why="release gives the PASID away under a device that nobody has stopped",
    ),
    Expected(
        params={"flags": 0, "callback": "right", "iommu": "vtd"},
        verdict="holds",
        why="nothing of this is the IOMMU's: the same on VT-d",
    ),
    Expected(
        params={"flags": 0, "callback": "zero", "core": "zero-is-clean", "iommu": "vtd"},
        verdict="violated",
        oracle=CROSS,
        why="nothing of this is the IOMMU's: the same on VT-d",
    ),
)
