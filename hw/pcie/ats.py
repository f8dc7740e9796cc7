"""The endpoint's Address Translation Cache and its duties towards invalidations (vtd-pcie §1.2 and §1.3)."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from hw.bus import PAGE_SHIFT, Pasid, PhysAddr, VirtAddr
from hw.pcie.tlp import NO_PASID, CompletionStatus, InvalidateRequest, TranslationCompletion


class AtcError(Exception):
    """The device model used its ATC in a way no device could."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AtcEntry:
    """A translation that the endpoint holds; the IOMMU will not look it up again."""

    pasid: Pasid
    virtual_page: VirtAddr
    page: PhysAddr
    read: bool
    write: bool


class NoTranslation(Enum):
    """Why a completion left the endpoint without a translation."""

    HOLE = "Success with R=W=0: the page is absent, or no right to it is left"
    STALE = "an invalidation of this page was completed meanwhile: ask again"
    UNSUPPORTED_REQUEST = "UR: ATS is off for this function"
    ABORTED = "CA: the translation agent met an error"
    UNKNOWN_TAG = "no request with this tag is outstanding, as after a reset"


class Use(Enum):
    """What may be done with a translation that has just arrived."""

    CACHE = "keep it"
    ONCE = "use it before the Invalidate Completion is sent, but do not keep it"
    DROP = "forget it and ask again"


@dataclass(slots=True, kw_only=True)
class PendingRequest:
    """A Translation Request on its way, and which invalidations it overlaps."""

    pasid: Pasid
    virtual_page: VirtAddr
    marked_by: set[int]
    """ITags of invalidations that arrived meanwhile and are not answered yet."""
    outdated: bool = False
    """At least one of them has been answered."""


class Atc:
    """Entries tagged by (PASID, page), oldest out first, and the requests in flight."""

    def __init__(self, capacity: int = 4) -> None:
        """Start empty, with ATS disabled."""
        if capacity < 1:
            raise ValueError(f"ATC capacity {capacity}: at least 1 entry is needed")
        self.capacity = capacity
        self.enabled = False
        self._entries: dict[tuple[Pasid, int], AtcEntry] = {}
        self._pending: dict[int, PendingRequest] = {}

    def enable(self) -> None:
        """ATS Enable 0 to 1 empties the ATC, without an Invalidate Completion; what is in flight is outdated too."""
        if self.enabled:
            return
        self.enabled = True
        self._entries.clear()
        for pending in self._pending.values():
            pending.outdated = True

    def disable(self) -> None:
        """ATS Enable 1 to 0 keeps the entries: only enabling empties the ATC (race SMMU-R16)."""
        self.enabled = False

    def flush(self) -> None:
        """Function Level Reset: entries and requests in flight are forgotten, ATS is off."""
        self.enabled = False
        self._entries.clear()
        self._pending.clear()

    def lookup(self, pasid: Pasid, address: VirtAddr) -> AtcEntry | None:
        """The entry that translates `address`, if there is one."""
        return self._entries.get((pasid, address >> PAGE_SHIFT))

    def fill(self, entry: AtcEntry) -> None:
        """Keep an entry; the oldest one makes room."""
        key = (entry.pasid, entry.virtual_page >> PAGE_SHIFT)
        if key not in self._entries and len(self._entries) == self.capacity:
            del self._entries[next(iter(self._entries))]
        self._entries[key] = entry

    def begin_request(self, tag: int, pasid: Pasid, address: VirtAddr) -> None:
        """A Translation Request leaves the endpoint."""
        if tag in self._pending:
            raise AtcError(
                f"translation request with tag {tag}: it is in flight already, tags in use {[*self._pending]}"
            )
        page = VirtAddr(address >> PAGE_SHIFT << PAGE_SHIFT)
        self._pending[tag] = PendingRequest(pasid=pasid, virtual_page=page, marked_by=set())

    def complete(self, tag: int, completion: TranslationCompletion) -> AtcEntry | NoTranslation:
        """A Translation Completion arrives: the translation that may be used now, or why there is none."""
        pending = self._pending.pop(tag, None)
        if pending is None:
            return NoTranslation.UNKNOWN_TAG
        if completion.status is CompletionStatus.UR:
            self.enabled = False
            return NoTranslation.UNSUPPORTED_REQUEST
        if completion.status is not CompletionStatus.SUCCESS:
            return NoTranslation.ABORTED
        if not (completion.read or completion.write):
            return NoTranslation.HOLE
        use = self.use_of(pending)
        if use is Use.DROP:
            return NoTranslation.STALE
        entry = AtcEntry(
            pasid=pending.pasid,
            virtual_page=pending.virtual_page,
            page=completion.page,
            read=completion.read,
            write=completion.write,
        )
        if use is Use.CACHE:
            self.fill(entry)
        return entry

    def use_of(self, pending: PendingRequest) -> Use:
        """The outstanding request rule: after the Invalidate Completion was sent, drop; before, use once."""
        if pending.outdated:
            return Use.DROP
        return Use.ONCE if pending.marked_by else Use.CACHE

    def invalidate(self, request: InvalidateRequest) -> None:
        """An Invalidate Request arrives (accepted even while ATS is off); the endpoint still owes its completion."""
        self._entries = {
            key: entry for key, entry in self._entries.items() if not hits(request, entry.pasid, entry.virtual_page)
        }
        for pending in self._pending.values():
            if hits(request, pending.pasid, pending.virtual_page):
                pending.marked_by.add(request.itag)

    def completion_sent(self, itag: int) -> None:
        """The Invalidate Completion leaves: from here a marked request's translation is worthless."""
        for pending in self._pending.values():
            if itag in pending.marked_by:
                pending.marked_by.remove(itag)
                pending.outdated = True

    def stop_pasid(self, pasid: Pasid) -> None:
        """Stopping a PASID drops its entries."""
        self._entries = {key: entry for key, entry in self._entries.items() if entry.pasid != pasid}

    def in_flight(self, pasid: Pasid) -> int:
        """How many Translation Requests of a PASID have no completion yet; a stop must wait for them."""
        return sum(pending.pasid == pasid for pending in self._pending.values())

    def entries(self) -> tuple[AtcEntry, ...]:
        """All entries, oldest first: for oracles and renderers."""
        return tuple(self._entries.values())


class AtcCachingLateCompletions(Atc):
    """BUG: keeps a translation whose completion came after the invalidation was answered; it then never goes away."""

    def use_of(self, pending: PendingRequest) -> Use:
        """Whatever arrives is kept."""
        return Use.CACHE


def hits(request: InvalidateRequest, pasid: Pasid, page: VirtAddr) -> bool:
    """Whether an invalidation covers a page; without PASID it covers every PASID-tagged page, whatever its address."""
    if pasid != request.pasid:
        return request.pasid == NO_PASID
    if request.everything:
        return True
    return 0 <= (page >> PAGE_SHIFT) - (request.address >> PAGE_SHIFT) < request.pages
