"""What software and the SMMU did to streams, CDs and ASIDs while domains were attached (smmuv3 §3.15).

`touches` names the ASIDs whose users an event may add or take away: only their order matters to oracles.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from hw.bus import Resource
from hw.events.event import Arrow, Event


@dataclass(frozen=True, slots=True)
class Names:
    """What people call streams and tables, which hardware knows by number."""

    streams: dict[int, str] = field(default_factory=dict)
    tables: dict[int, str] = field(default_factory=dict)
    """Whose the page tables at an address are, or the CD table."""

    def stream(self, sid: int) -> str:
        """What a master is called."""
        return self.streams.get(sid, f"stream {sid}")

    def owner(self, table: int) -> str:
        """The short name of a table."""
        return self.tables.get(table, f"{table:#x}")

    def pages(self, table: int) -> str:
        """What a page table is called in a sentence."""
        return f"the tables of {self.tables[table]}" if table in self.tables else f"table {table:#x}"

    def cd(self, sid: int, ssid: int) -> str:
        """The CD of a substream, as its stream sees it."""
        return f"CD{ssid}({self.stream(sid)})"


def asid_resource(asid: int) -> Resource:
    """Which CDs with an ASID the SMMU may use: written by whoever stores such a CD, or a way to it.

    Whoever invalidates one reads it: what takes users away may come in any order.
    """
    return ("users of ASID", asid)


def attached_resource(sid: int) -> Resource:
    """Which domain a master's driver takes it to be in."""
    return ("attached", sid)


def devices_resource(domain: str) -> Resource:
    """The list of masters that are attached to a domain."""
    return ("devices", domain)


@dataclass(frozen=True, slots=True, kw_only=True)
class StreamStored(Arrow):
    """The STE of a stream was changed in memory: it now leads to the CD table at `table` (0: to none)."""

    sid: int
    table: int
    asids: tuple[int, ...]
    text: str = ""
    """The same for people."""
    target: str

    def _label(self) -> str:
        return self.text

    def _touches(self) -> tuple[Resource, ...]:
        return tuple(asid_resource(asid) for asid in self.asids)


@dataclass(frozen=True, slots=True, kw_only=True)
class ContextStored(Arrow):
    """A CD was changed in memory; `asid` 0 means V=0."""

    table: int
    ssid: int
    asid: int
    ttb: int
    asids: tuple[int, ...]
    text: str = ""
    """The same for people."""
    target: str

    def _label(self) -> str:
        return self.text

    def _touches(self) -> tuple[Resource, ...]:
        return tuple(asid_resource(asid) for asid in self.asids)


@dataclass(frozen=True, slots=True, kw_only=True)
class ConfigInvalidated(Event):
    """A CFGI of a stream (`ssid` -1: the STE and all CDs) took effect, or (`complete`) the SYNC behind it completed.

    Between a CFGI and its SYNC the queue has no other batch. `number` is that of the CFGI, among all commands.
    """

    number: int
    sid: int
    ssid: int
    complete: bool
    asids: tuple[int, ...]
    who: str = ""

    def _label(self) -> str:
        what = f"CFGI_STE({self.who})" if self.ssid < 0 else f"CFGI_CD({self.who}, {self.ssid})"
        return f"SYNC [{what}]" if self.complete else what

    def _touches(self) -> tuple[Resource, ...]:
        return tuple(asid_resource(asid) for asid in self.asids)


@dataclass(frozen=True, slots=True, kw_only=True)
class AsidInvalidated(Event):
    """A TLBI by ASID took effect."""

    asid: int

    def _label(self) -> str:
        return f"TLBI_NH_ASID({self.asid})"


@dataclass(frozen=True, slots=True, kw_only=True)
class MasterListed(Event):
    """A master was put on the list of a domain, or taken off it."""

    domain: str
    sid: int
    listed: bool
    who: str = ""

    def _label(self) -> str:
        return f"list_{'add' if self.listed else 'del'}({self.who}, {self.domain}->devices)"

    def _touches(self) -> tuple[Resource, ...]:
        return (devices_resource(self.domain),)


@dataclass(frozen=True, slots=True, kw_only=True)
class AsidMoved(Event):
    """arm_smmu_share_asid gave a domain a new ASID and looked at its list: these streams will be rewritten."""

    domain: str
    old: int
    new: int
    sids: tuple[int, ...]
    who: tuple[str, ...] = ()

    def _label(self) -> str:
        found = f"rewrites CD0 of {', '.join(self.who)}" if self.who else "no master"
        return f"share_asid: {self.domain} {self.old}->{self.new}, {found}"

    def _touches(self) -> tuple[Resource, ...]:
        return (devices_resource(self.domain),)


@dataclass(frozen=True, slots=True, kw_only=True)
class AsidLockMoved(Event):
    """arm_smmu_asid_lock was taken or given back."""

    taken: bool

    def _label(self) -> str:
        return f"{'lock' if self.taken else 'unlock'} arm_smmu_asid_lock"


@dataclass(frozen=True, slots=True, kw_only=True)
class SvaBound(Event):
    """A process was bound: its CD carries `asid`, which is the CPU's own if `shared`."""

    asid: int
    shared: bool

    def _label(self) -> str:
        return f"bind done with ASID {self.asid}{' (shared)' if self.shared else ''}"


@dataclass(frozen=True, slots=True, kw_only=True)
class AttachReturned(Event):
    """attach_dev is over: the master's driver takes it for attached to `domain` alone."""

    who: str
    domain: str

    def _label(self) -> str:
        return f"attach_dev({self.who}, {self.domain}) returns"


def invs_resource(domain: str) -> Resource:
    """The invalidation array of a domain."""
    return ("invs", domain)


@dataclass(frozen=True, slots=True, kw_only=True)
class AtcListed(Event):
    """A domain's invalidations reach the ATC of a master from here, or no longer."""

    domain: str
    who: str
    listed: bool

    def _label(self) -> str:
        return f"{self.domain}->invs {'+' if self.listed else '-'} ATC of {self.who}"

    def _touches(self) -> tuple[Resource, ...]:
        return (invs_resource(self.domain),)


@dataclass(frozen=True, slots=True, kw_only=True)
class AtcsFound(Event):
    """Who unmaps looked for the ATCs that its invalidation must reach."""

    domain: str
    who: tuple[str, ...]

    def _label(self) -> str:
        return f"{self.domain}->invs: {', '.join(f'ATC of {who}' for who in self.who) or 'no ATC'}"

    def _touches(self) -> tuple[Resource, ...]:
        return (invs_resource(self.domain),)


@dataclass(frozen=True, slots=True, kw_only=True)
class PageFreed(Event):
    """A page that a domain mapped was freed."""

    page: int
    domain: str

    def _label(self) -> str:
        return f"free page {self.page:#x} of {self.domain}"


@dataclass(frozen=True, slots=True, kw_only=True)
class AtsSwitched(Event):
    """An endpoint took a write of its ATS Enable."""

    who: str
    on: bool

    def _label(self) -> str:
        return f"ATS {'on' if self.on else 'off'}({self.who})"


@dataclass(frozen=True, slots=True, kw_only=True)
class AccessLanded(Event):
    """A DMA went through the SMMU: its CD said `asid` and table `meant`, the translation it used is of table `found`.

    All are 0 for an access that bypasses stage 1.
    """

    sid: int
    asid: int
    meant: int
    found: int
    page: int
    who: str = ""
    through: str = ""
    """The translation's table, for people."""

    def _label(self) -> str:
        tag = f"ASID {self.asid}, {self.through}" if self.asid else "bypass"
        return f"DMA of {self.who} {{{tag}}}: page {self.page:#x}"


@dataclass(frozen=True, slots=True, kw_only=True)
class AccessRefused(Event):
    """A DMA was not let through."""

    sid: int
    why: str
    who: str = ""

    def _label(self) -> str:
        return f"DMA of {self.who} refused: {self.why}"
