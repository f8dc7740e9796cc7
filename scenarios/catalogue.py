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
    "entry-update": "scenarios.entry_update",
    "stop-marker-answered": "scenarios.stop_marker_answered",
    "tlbi-vs-atc": "scenarios.tlbi_vs_atc",
    "discard-partial": "scenarios.discard_partial",
    "spinlock-alloc": "scenarios.spinlock_alloc",
    "mm-pin": "scenarios.mm_pin",
    "pasid-lifetime": "scenarios.pasid_lifetime",
    "quiet-cd-stalls": "scenarios.quiet_cd_stalls",
    "sva-unbind-era": "scenarios.sva_unbind_era",
    "ats-retry": "scenarios.ats_retry",
    "flr-tags": "scenarios.flr_tags",
    "stop-by-blocking-translation": "scenarios.stop_by_blocking",
}


def load(name: str) -> Scenario:
    """The scenario of that name; UnknownName with the nearest one otherwise."""
    if name not in MODULES:
        near = get_close_matches(name, MODULES, 1)
        hint = f"; did you mean {near[0]!r}?" if near else ""
        raise UnknownName(f"no scenario {name!r}{hint} (shipped: {', '.join(MODULES)})")
    found: Scenario = getattr(import_module(MODULES[name]), name.replace("-", "_"))
    return found
