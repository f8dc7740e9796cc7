"""The shipped scenarios, by name; a scenario is imported only when it is asked for."""

from __future__ import annotations

from difflib import get_close_matches
from importlib import import_module

from .parameters import UnknownName
from .scenario import Scenario

MODULES = {
    "unbind-window": "scenarios.drain.unbind_window",
    "unbind-flags": "scenarios.drain.unbind_flags",
    "second-pasid": "scenarios.drain.second_pasid",
    "misdirected-fault": "scenarios.drain.misdirected_fault",
    "event-queue-wakeup": "scenarios.queues.event_queue_wakeup",
    "queue-ack": "scenarios.drain.queue_ack",
    "attach-vs-share-asid": "scenarios.entries.attach_vs_share_asid",
    "attach-ats": "scenarios.entries.attach_ats",
    "attach-fails": "scenarios.entries.attach_fails",
    "entry-update": "scenarios.entries.entry_update",
    "stop-marker-answered": "scenarios.drain.stop_marker_answered",
    "tlbi-vs-atc": "scenarios.invalidate.tlbi_vs_atc",
    "notifier-range": "scenarios.invalidate.notifier_range",
    "discard-partial": "scenarios.drain.discard_partial",
    "leftover-partial": "scenarios.drain.leftover_partial",
    "spinlock-alloc": "scenarios.entries.spinlock_alloc",
    "cd-leaf": "scenarios.entries.cd_leaf",
    "mm-pin": "scenarios.process_end.mm_pin",
    "pasid-lifetime": "scenarios.process_end.pasid_lifetime",
    "quiet-cd-stalls": "scenarios.process_end.quiet_cd_stalls",
    "sva-unbind-era": "scenarios.process_end.sva_unbind_era",
    "stall-term": "scenarios.reset.stall_term",
    "cmdq-issue": "scenarios.queues.cmdq_issue",
    "cmdq-error": "scenarios.invalidate.cmdq_error",
    "ats-retry": "scenarios.invalidate.ats_retry",
    "exit-window": "scenarios.process_end.exit_window",
    "device-gone": "scenarios.reset.device_gone",
    "itag-reuse": "scenarios.invalidate.itag_reuse",
    "wq-disable": "scenarios.invalidate.wq_disable",
    "flr-tags": "scenarios.reset.flr_tags",
    "wq-reset": "scenarios.reset.wq_reset",
    "tags-after-flush": "scenarios.reset.tags_after_flush",
    "stop-by-blocking-translation": "scenarios.reset.stop_by_blocking",
    "driver-remove": "scenarios.reset.driver_remove",
    "pasid-reuse": "scenarios.process_end.pasid_reuse",
    "exit-mmap": "scenarios.process_end.exit_mmap",
    "kernel-table-free": "scenarios.process_end.kernel_table_free",
    "prq-drain": "scenarios.drain.prq_drain",
    "helped-halt": "scenarios.drain.helped_halt",
    "two-drains": "scenarios.drain.two_drains",
    "torn-pasid-entry": "scenarios.entries.torn_pasid_entry",
    "missing-barrier": "scenarios.queues.missing_barrier",
    "fault-queue-model": "scenarios.c.fault_queue_model",
    "c-fault-queue": "scenarios.c.fault_queue",
    "c-entry-update": "scenarios.c.entry_update",
    "c-reference": "scenarios.c.small_races",
    "c-stack-completion": "scenarios.c.small_races",
    "c-sequence-count": "scenarios.c.small_races",
    "c-free-irq": "scenarios.c.small_races",
    "c-ring": "scenarios.c.ring",
}

IN_C = frozenset(
    {"c-entry-update", "c-fault-queue", "c-reference", "c-stack-completion", "c-sequence-count", "c-free-irq", "c-ring"}
)
"""Those that need a C compiler."""

ERAS = ("sva-unbind-era", "pasid-lifetime", "attach-vs-share-asid")
"""Those whose variants are kernels of different times."""


def load(name: str) -> Scenario:
    """The scenario of that name; UnknownName with the nearest one otherwise."""
    if name not in MODULES:
        near = get_close_matches(name, MODULES, 1)
        hint = f"; did you mean {near[0]!r}?" if near else ""
        raise UnknownName(f"no scenario {name!r}{hint}; `stopmarker list` names all {len(MODULES)}")
    found: Scenario = getattr(import_module(MODULES[name]), name.replace("-", "_"))
    return found
