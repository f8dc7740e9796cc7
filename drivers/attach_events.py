"""What software and the SMMU did to streams, CDs and ASIDs while domains were attached (domain/smmuv3 §3.15).

`touches` names the ASIDs whose users an event may add or take away: only their order matters to oracles.
"""

from __future__ import annotations

from dataclasses import dataclass

from hw.bus import Resource


def asid_resource(asid: int) -> Resource:
    """Which CDs with an ASID the SMMU may use: written by whoever stores or invalidates such a CD, or a way to it."""
    return ("users of ASID", asid)


def devices_resource(domain: str) -> Resource:
    """The list of masters that are attached to a domain."""
    return ("devices", domain)


@dataclass(frozen=True, slots=True, kw_only=True)
class StreamStored:
    """The STE of a stream was changed in memory: it now leads to the CD table at `table` (0: to none)."""

    sid: int
    table: int
    asids: tuple[int, ...]
    target: str = "smmu"

    @property
    def label(self) -> str:
        """Arrow text."""
        return f"STE{self.sid}={f'CDs {self.table:#x}' if self.table else 'no CDs'}"

    @property
    def touches(self) -> tuple[Resource, ...]:
        """The ASIDs in the tables before and after."""
        return tuple(asid_resource(asid) for asid in self.asids)


@dataclass(frozen=True, slots=True, kw_only=True)
class ContextStored:
    """A CD was changed in memory; `asid` 0 means V=0."""

    table: int
    ssid: int
    asid: int
    ttb: int
    asids: tuple[int, ...]
    target: str = "smmu"

    @property
    def label(self) -> str:
        """Arrow text."""
        return f"CD{self.ssid}={{{f'ASID {self.asid}, {self.ttb:#x}' if self.asid else 'V=0'}}}"

    @property
    def touches(self) -> tuple[Resource, ...]:
        """The ASIDs before and after."""
        return tuple(asid_resource(asid) for asid in self.asids)


@dataclass(frozen=True, slots=True, kw_only=True)
class ConfigInvalidated:
    """A CFGI of a stream (`ssid` -1: the STE and all CDs) took effect, or (`complete`) the SYNC behind it completed."""

    by: str
    sid: int
    ssid: int
    complete: bool
    asids: tuple[int, ...]
    target: str = "smmu"

    @property
    def label(self) -> str:
        """Arrow text."""
        what = f"CFGI_STE {self.sid}" if self.ssid < 0 else f"CFGI_CD {self.sid}.{self.ssid}"
        return f"SYNC ({what})" if self.complete else what

    @property
    def touches(self) -> tuple[Resource, ...]:
        """The ASIDs that the entry had, or has."""
        return tuple(asid_resource(asid) for asid in self.asids)


@dataclass(frozen=True, slots=True, kw_only=True)
class AsidInvalidated:
    """TLBI by ASID took effect."""

    asid: int
    target: str = "smmu"

    @property
    def label(self) -> str:
        """Arrow text."""
        return f"TLBI ASID {self.asid}"


@dataclass(frozen=True, slots=True, kw_only=True)
class MasterListed:
    """A master was put on the list of a domain, or taken off it."""

    domain: str
    sid: int
    listed: bool

    @property
    def label(self) -> str:
        """Local action text."""
        return f"list_{'add' if self.listed else 'del'}({self.domain}->devices)"

    @property
    def touches(self) -> tuple[Resource, ...]:
        """The list."""
        return (devices_resource(self.domain),)


@dataclass(frozen=True, slots=True, kw_only=True)
class AsidMoved:
    """arm_smmu_share_asid gave a domain a new ASID and looked at its list: these streams will be rewritten."""

    domain: str
    old: int
    new: int
    sids: tuple[int, ...]

    @property
    def label(self) -> str:
        """Local action text."""
        return f"share_asid: {self.domain} {self.old}->{self.new}, sees {list(self.sids)}"

    @property
    def touches(self) -> tuple[Resource, ...]:
        """The list."""
        return (devices_resource(self.domain),)


@dataclass(frozen=True, slots=True, kw_only=True)
class SvaBound:
    """A process was bound: its CD carries `asid`, which is the CPU's own if `shared`."""

    asid: int
    shared: bool

    @property
    def label(self) -> str:
        """Local action text."""
        return f"bind done with ASID {self.asid}{' (shared)' if self.shared else ''}"


@dataclass(frozen=True, slots=True, kw_only=True)
class AccessLanded:
    """A DMA went through the SMMU: its CD said `asid` and table `meant`, the translation it used is of table `found`.

    All are 0 for an access that bypasses stage 1.
    """

    sid: int
    asid: int
    meant: int
    found: int
    page: int
    target: str = "smmu"

    @property
    def label(self) -> str:
        """Arrow text."""
        return f"DMA of stream {self.sid}, ASID {self.asid}: page {self.page:#x}"


@dataclass(frozen=True, slots=True, kw_only=True)
class AccessRefused:
    """A DMA was not let through."""

    sid: int
    why: str
    target: str = "smmu"

    @property
    def label(self) -> str:
        """Arrow text."""
        return f"DMA of stream {self.sid} refused: {self.why}"
