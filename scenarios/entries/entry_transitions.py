"""The named changes of an STE or CD that `entry-update` makes, and what the SMMU may see of each (smmuv3
§3.2)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from drivers.smmuv3.entry_writer import CD, STE, EntryKind
from hw.bus import Asid, PhysAddr, Vmid
from hw.smmuv3 import cd, ste
from hw.smmuv3.cd import empty_cd, quiet_cd, sva_cd
from hw.smmuv3.entry import Qwords
from hw.smmuv3.ste import AtsMode, DefaultSubstream, abort_ste, bypass_ste, cdtable_ste, stage2_ste

Tables = tuple[PhysAddr, PhysAddr]
"""Two CD tables for an STE, two page tables for a CD."""


VM, VTCR = Vmid(1), 0x2_3F58


@dataclass(frozen=True, slots=True)
class Transition:
    """From one entry to another; `hitless` where the live stream need not be refused on the way."""

    kind: EntryKind
    old: Callable[[Tables], Qwords]
    new: Callable[[Tables], Qwords]
    hitless: bool = True

    def meanings(self, tables: Tables) -> frozenset[str]:
        """Old and new, and either with those bits of the other that may change at any time."""
        old, new = self.old(tables), self.new(tables)
        safe = self.kind.safe(old, new)
        mixed = [
            tuple((a & ~bits) | (b & bits) for a, b, bits in zip(one, other, safe, strict=True))
            for one, other in ((old, new), (new, old))
        ]
        return frozenset(self._meaning(words) for words in (old, new, *mixed))

    def ends(self, tables: Tables) -> tuple[str, str]:
        """What the old entry means, and the new one."""
        return self._meaning(self.old(tables)), self._meaning(self.new(tables))

    def _meaning(self, words: Qwords) -> str:
        return ste.meaning(words) if self.kind is STE else cd.meaning(words)


def _cdtable(
    tables: Tables, *, second: bool = False, s1dss: DefaultSubstream = DefaultSubstream.SSID0, ats: bool = True
) -> Qwords:
    eats = AtsMode.FULL if ats else AtsMode.REFUSED
    return cdtable_ste(s1_context_ptr=tables[second], s1cdmax=1, s1dss=s1dss, eats=eats)


def _without_pasid_bypasses(tables: Tables) -> Qwords:
    return _cdtable(tables, s1dss=DefaultSubstream.BYPASS)


def _stage2(tables: Tables) -> Qwords:
    return stage2_ste(s2ttb=tables[0], vmid=VM, vtcr=VTCR)


def _nested(tables: Tables, *, other_guest: bool = False) -> Qwords:
    """Another guest's CD table, and with it MEV and ATS on or off."""
    eats = AtsMode.REFUSED if other_guest else AtsMode.FULL
    table = tables[other_guest]
    return stage2_ste(s2ttb=tables[0], vmid=VM, vtcr=VTCR, s1_context_ptr=table, eats=eats, mev=not other_guest)


def _sva(tables: Tables) -> Qwords:
    return sva_cd(asid=Asid(1), ttb0=tables[0])


TRANSITIONS = {
    "abort-cdtable": Transition(STE, lambda _: abort_ste(), _cdtable),
    "cdtable-abort": Transition(STE, _cdtable, lambda _: abort_ste()),
    "cdtable-bypass": Transition(STE, _cdtable, lambda _: bypass_ste()),
    "bypass-cdtable": Transition(STE, lambda _: bypass_ste(), _cdtable),
    "s1dss": Transition(STE, _cdtable, _without_pasid_bypasses),
    "eats": Transition(STE, _cdtable, lambda tables: _cdtable(tables, ats=False)),
    "table-and-eats": Transition(STE, _cdtable, lambda tables: _cdtable(tables, second=True, ats=False)),
    "table-and-s1dss": Transition(
        STE, _cdtable, lambda tables: _cdtable(tables, second=True, s1dss=DefaultSubstream.BYPASS), hitless=False
    ),
    "abort-stage2": Transition(STE, lambda _: abort_ste(), _stage2),
    "stage2-bypass": Transition(STE, _stage2, lambda _: bypass_ste()),
    "cdtable-stage2": Transition(STE, _cdtable, _stage2, hitless=False),
    "nested": Transition(STE, _nested, lambda tables: _nested(tables, other_guest=True)),
    "empty-sva": Transition(CD, lambda _: empty_cd(), _sva, hitless=False),
    "sva-empty": Transition(CD, _sva, lambda _: empty_cd(), hitless=False),
    "sva-quiet": Transition(CD, _sva, lambda _: quiet_cd(asid=Asid(1))),
    "sva-asid": Transition(CD, _sva, lambda tables: sva_cd(asid=Asid(2), ttb0=tables[0])),
    "sva-other": Transition(CD, _sva, lambda tables: sva_cd(asid=Asid(2), ttb0=tables[1]), hitless=False),
}
