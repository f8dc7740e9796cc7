"""No two CDs that the SMMU may use have one ASID and different tables: the TLB could not tell their entries apart
(smmuv3 I2; §1.3, §5)."""

from __future__ import annotations

from actors.runtime.primitives.events import Violation
from drivers.events.attach import ConfigInvalidated, ContextStored, Names, StreamStored

from .oracle import EventOracle

Context = tuple[int, int, int]
"""SSID, ASID, table."""
Event = StreamStored | ContextStored | ConfigInvalidated


class OneTablePerAsid(EventOracle):
    """What memory says through a valid STE, and whatever caches may still hold of it, until the SYNC behind its CFGI.

    This SMMU has one VMID and one StreamWorld, so the ASID is all that tags an address space. What two CFGIs take away
    is the same in either order.
    """

    watches = (StreamStored, ContextStored, ConfigInvalidated)

    def __init__(self, *before: StreamStored | ContextStored, names: Names | None = None) -> None:
        self._names = names or Names()
        self._stores = 0  # counted, so that each old table and CD has a number
        self._leads: dict[int, dict[int, int]] = {}  # stream -> CD tables that its STE may lead to, memory's last
        self._memory: dict[int, dict[int, Context]] = {}  # table -> SSID -> the valid CD there
        self._cached: dict[int, dict[int, Context]] = {}  # stream -> CDs no longer in memory that it may still use
        self._leaving: dict[int, tuple[int, ...]] = {}  # CFGI -> the numbers of what its SYNC will take away
        for event in before:
            self._learn(event)

    def observe(self, event: Event) -> None:
        """Learn, then compare every two."""
        self._learn(event)
        tables: dict[int, tuple[int, str]] = {}
        for sid in sorted(self._leads):
            for ssid, asid, table in self._usable(sid):
                who = self._names.cd(sid, ssid)
                known, where = tables.setdefault(asid, (table, who))
                if known != table:
                    raise Violation(
                        f"ASID {asid} leads to {self._names.pages(known)} in {where} and to "
                        f"{self._names.pages(table)} in {who}; the SMMU may use both CDs and cannot tell their TLB "
                        "entries apart",
                        f"ASID {asid}",
                    )

    def _usable(self, sid: int) -> list[Context]:
        leads = [table for table in self._leads[sid].values() if table]
        in_memory = [context for table in leads for context in self._memory.get(table, {}).values()]
        return in_memory + ([*self._cached.get(sid, {}).values()] if leads else [])

    def _learn(self, event: Event) -> None:
        match event:
            case StreamStored(sid=sid, table=table):
                self._stores += 1
                self._leads.setdefault(sid, {})[self._stores] = table
            case ContextStored(table=table, ssid=ssid):
                self._stores += 1
                self._store(event)
            case ConfigInvalidated(sid=sid, ssid=ssid, complete=False):
                old = [*self._leads[sid]][:-1] if ssid < 0 else []
                cached = self._cached.get(sid, {}).items()
                self._leaving[event.number] = (*old, *(number for number, each in cached if ssid in (-1, each[0])))
            case ConfigInvalidated(sid=sid):
                for number in self._leaving.pop(event.number):
                    self._leads[sid].pop(number, None)
                    self._cached.get(sid, {}).pop(number, None)

    def _store(self, event: ContextStored) -> None:
        """A CD changes: whoever can reach it may have it in a cache as it was."""
        contexts = self._memory.setdefault(event.table, {})
        before = contexts.pop(event.ssid, None)
        if event.asid:
            contexts[event.ssid] = (event.ssid, event.asid, event.ttb)
        if before is not None:
            for sid, leads in self._leads.items():
                if event.table in leads.values():
                    self._cached.setdefault(sid, {})[self._stores] = before
