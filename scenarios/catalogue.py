"""The shipped scenarios, by name; a scenario is imported only when it is asked for."""

from __future__ import annotations

from difflib import get_close_matches
from importlib import import_module

from .scenario import Scenario, UnknownName

MODULES = {
    "unbind-window": "scenarios.unbind_window",
    "event-queue-wakeup": "scenarios.event_queue_wakeup",
    "queue-ack": "scenarios.queue_ack",
    "attach-vs-share-asid": "scenarios.attach_vs_share_asid",
    "attach-ats": "scenarios.attach_ats",
    "entry-update": "scenarios.entry_update",
    "stop-marker-answered": "scenarios.stop_marker_answered",
    "tlbi-vs-atc": "scenarios.tlbi_vs_atc",
    "notifier-range": "scenarios.notifier_range",
    "discard-partial": "scenarios.discard_partial",
    "spinlock-alloc": "scenarios.spinlock_alloc",
    "cd-leaf": "scenarios.cd_leaf",
    "mm-pin": "scenarios.mm_pin",
    "pasid-lifetime": "scenarios.pasid_lifetime",
    "quiet-cd-stalls": "scenarios.quiet_cd_stalls",
    "sva-unbind-era": "scenarios.sva_unbind_era",
    "stall-term": "scenarios.stall_term",
    "cmdq-issue": "scenarios.cmdq_issue",
    "cmdq-error": "scenarios.cmdq_error",
    "ats-retry": "scenarios.ats_retry",
    "exit-window": "scenarios.exit_window",
    "device-gone": "scenarios.device_gone",
    "itag-reuse": "scenarios.itag_reuse",
    "wq-disable": "scenarios.wq_disable",
    "flr-tags": "scenarios.flr_tags",
    "stop-by-blocking-translation": "scenarios.stop_by_blocking",
    "pasid-reuse": "scenarios.pasid_reuse",
    "prq-drain": "scenarios.prq_drain",
    "torn-pasid-entry": "scenarios.torn_pasid_entry",
    "fault-queue-model": "scenarios.c.fault_queue_model",
    "c-fault-queue": "scenarios.c.fault_queue",
    "c-entry-update": "scenarios.c.entry_update",
    "c-reference": "scenarios.c.small_races",
    "c-stack-completion": "scenarios.c.small_races",
    "c-sequence-count": "scenarios.c.small_races",
}

IN_C = frozenset({"c-entry-update", "c-fault-queue", "c-reference", "c-stack-completion", "c-sequence-count"})
"""Those that need a C compiler."""

ERAS = ("sva-unbind-era", "pasid-lifetime", "attach-vs-share-asid")
"""Those whose variants are kernels of different times."""


def load(name: str) -> Scenario:
    """The scenario of that name; UnknownName with the nearest one otherwise."""
    if name not in MODULES:
        near = get_close_matches(name, MODULES, 1)
        hint = f"; did you mean {near[0]!r}?" if near else ""
        raise UnknownName(f"no scenario {name!r}{hint} (shipped: {', '.join(MODULES)})")
    found: Scenario = getattr(import_module(MODULES[name]), name.replace("-", "_"))
    return found
