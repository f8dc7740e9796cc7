"""IOMMUs and devices are actors: they hear of each other, and of software, by messages and by queues in memory."""

from __future__ import annotations

import pytest

from actors.runtime.runs.execution import Execution
from scenarios import catalogue
from tests.running import of, run

NEITHER = {
    "mm-pin": "a reference count between two processes",
    "fault-queue-model": "what C does with a list of faults; an interrupt stands for the hardware",
}
"""Scenarios without an IOMMU and a device, and what they are about."""
TAKEN = ("load CMDQ[", "fetch IQ[", "EVTQ: write entry", "load PRIQ[", "load PRQ[", "load EVTQ[")
"""Steps in which somebody takes an entry of a queue in memory, or hardware puts one there."""
PARAMS = {"spinlock-alloc": {"install": "one-master"}}
"""Where the default run ends before anybody has told hardware anything."""
EXCHANGES = {
    "unbind-window": (6, 11),
    "missing-barrier": (6, 11),
    "event-queue-wakeup": (0, 4),
    "queue-ack": (6, 1),
    "attach-vs-share-asid": (4, 22),
    "attach-ats": (5, 14),
    "entry-update": (4, 6),
    "stop-marker-answered": (4, 3),
    "tlbi-vs-atc": (7, 4),
    "notifier-range": (4, 4),
    "discard-partial": (5, 2),
    "spinlock-alloc": (0, 6),
    "cd-leaf": (2, 6),
    "pasid-lifetime": (4, 8),
    "quiet-cd-stalls": (4, 8),
    "sva-unbind-era": (2, 4),
    "stall-term": (2, 3),
    "cmdq-issue": (0, 5),
    "cmdq-error": (6, 4),
    "ats-retry": (15, 8),
    "exit-window": (7, 14),
    "device-gone": (1, 2),
    "itag-reuse": (6, 6),
    "wq-disable": (5, 6),
    "flr-tags": (12, 6),
    "stop-by-blocking-translation": (2, 2),
    "pasid-reuse": (4, 8),
    "prq-drain": (2, 6),
    "torn-pasid-entry": (4, 6),
    "unbind-flags": (6, 11),
    "second-pasid": (9, 11),
    "misdirected-fault": (6, 11),
    "attach-fails": (0, 12),
    "wq-reset": (6, 6),
    "tags-after-flush": (8, 8),
    "driver-remove": (2, 2),
    "exit-mmap": (4, 6),
    "kernel-table-free": (2, 0),
    "helped-halt": (4, 10),
    "two-drains": (4, 8),
    "leftover-partial": (7, 10),
}
"""Messages that were received in the plain run of a scenario, and entries of queues that were taken, or put there by
hardware."""


def plain_run(name: str) -> Execution:
    """Everybody goes on as long as possible."""
    return run(of(catalogue.load(name), PARAMS.get(name, {})))


def exchanges(execution: Execution) -> tuple[int, int]:
    """Messages and entries."""
    resources = execution.world.session.resources
    messages = sum(any(is_message(each) for each in resources.names(step.takes)) for step in execution.steps)
    return messages, sum(step.what.startswith(TAKEN) for step in execution.steps)


def is_message(resource: object) -> bool:
    """What the receipt of a message takes."""
    return isinstance(resource, tuple) and resource[0] == "port"


@pytest.mark.parametrize("name", [name for name in catalogue.MODULES if name not in catalogue.IN_C])
def test_hardware_is_an_actor_that_is_told(name: str) -> None:
    execution = plain_run(name)
    assert any(actor.hardware for actor in execution.world.actors) == (name not in NEITHER)
    if name not in NEITHER:
        assert exchanges(execution) == EXCHANGES[name]
        assert sum(EXCHANGES[name]) > 0
