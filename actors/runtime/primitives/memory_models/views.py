"""What one CPU keeps in order: for each kind of later access the accesses that must be before it.

A view is a set of accesses, as a mask, together with all that is before them. This is the view semantics of Armv8
(Pulte, Pichon-Pharabod, Kang, Lee, Hur: *Promising-ARM/RISC-V*, PLDI 2019) with sets of accesses in place of times:
what is before what does then not depend on the order in which unrelated stores were made. Docs: memory-models.md.
"""

from __future__ import annotations

from ..ordering import Fence


class ArmViews:
    """A CPU of Armv8: what nothing orders is not in order.

    `acquires` and `releases` are load-acquire (LDAR) and store-release (STLR), which stay in order among each other.
    """

    __slots__ = (
        *("addresses", "branches", "devices", "loaded", "own"),
        *("released", "seen", "stored", "to_load", "to_store"),
    )

    def __init__(self) -> None:
        self.loaded = 0
        """All loads so far."""
        self.stored = 0
        """All stores so far."""
        self.to_load = 0
        """What any later load comes after."""
        self.to_store = 0
        """What any later store comes after."""
        self.released = 0
        """The store-releases so far: a later load-acquire comes after them."""
        self.addresses = 0
        """What addresses so far depended on: a store waits until it is known where earlier accesses go."""
        self.branches = 0
        """What waits were decided by: a later store comes after them, and so does an access to a device, as neither is
        made before it is sure that it is to be made."""
        self.own: dict[int, int] = {}
        """Of each word the own accesses: a later store to it comes after them."""
        self.seen: dict[int, int] = {}
        """Of each word the store that was seen last: coherence never goes back behind it."""
        self.devices: dict[int, int] = {}
        """Of each frame of registers the own accesses: those of one device stay in order."""

    def before_load(self, *, acquires: bool, atomic: bool = False) -> int:
        """What a load comes after; `atomic` if it is that of a read-modify-write."""
        return self.to_load | self.released if acquires else self.to_load

    def load(self, word: int, before: int, *, acquires: bool, unseen: bool = False, atomic: bool = False) -> None:
        """A load was made, which with all that is before it is `before`; `unseen` if nobody gets its value (STADD)."""
        self.own[word] = self.own.get(word, 0) | before
        if not unseen:
            self.loaded |= before
        if acquires:
            self.to_load |= before
            self.to_store |= before

    def before_store(self, word: int, *, releases: bool, atomic: bool = False) -> int:
        """What a store comes after."""
        before = self.to_store | self.addresses | self.branches | self.own.get(word, 0)
        return before | self.loaded | self.stored if releases else before

    def store(self, word: int, before: int, *, releases: bool, atomic: bool = False) -> None:
        """A store was made."""
        self.own[word] = self.own.get(word, 0) | before
        self.stored |= before
        if releases:
            self.released |= before

    def fence(self, fence: Fence) -> None:
        """A barrier: DMB ISH, ISHST or ISHLD."""
        if fence is Fence.STORES:
            self.to_store |= self.stored
            return
        before = self.loaded | (0 if fence is Fence.LOADS else self.stored)
        self.to_load |= before
        self.to_store |= before

    def full(self) -> None:
        """An atomic operation that is fully ordered (SWPAL, …) was made."""
        self.fence(Fence.FULL)

    def locked(self) -> None:
        """An atomic operation is made on what is no word: nothing to order."""

    def locks(self, before: int) -> None:
        """A lock was taken, an acquire of what its last holder left."""
        before |= self.released
        self.loaded |= before
        self.to_load |= before
        self.to_store |= before

    def unlocks(self) -> int:
        """A lock was given back, a release; what it leaves."""
        before = self.loaded | self.stored | self.to_load | self.to_store
        self.released |= before
        return before

    def takes(self, before: int) -> None:
        """Something was taken that another one gave, such as a message: an acquire."""
        self.loaded |= before
        self.to_load |= before
        self.to_store |= before

    def gives(self) -> int:
        """Something is given that others can take: a release; what comes with it."""
        return self.loaded | self.stored | self.to_load | self.to_store

    def looks(self, before: int) -> None:
        """Named state was looked at, which orders nothing without a barrier."""
        self.loaded |= before

    def leaves(self) -> int:
        """Named state was changed: what comes with that, without a barrier."""
        return self.to_store

    def grow(self, bit: int, more: int) -> None:
        """Whatever is after the access `bit` is after `more` as well."""
        for name in ("loaded", "stored", "to_load", "to_store", "released", "addresses", "branches"):
            if getattr(self, name) & bit:
                setattr(self, name, getattr(self, name) | more)
        for known in (self.own, self.devices):
            for key, mask in known.items():
                if mask & bit:
                    known[key] = mask | more


class TsoViews(ArmViews):
    """A CPU of x86: only a store and a later load of another word are out of order, as the store lies in a buffer.

    So every load is an acquire, every store comes after all that was before it, and what is `locked` drains the buffer.
    """

    __slots__ = ()

    def before_load(self, *, acquires: bool, atomic: bool = False) -> int:
        """All earlier loads; a locked instruction drains the buffer first."""
        return self.to_load | self.stored if atomic else self.to_load

    def load(self, word: int, before: int, *, acquires: bool, unseen: bool = False, atomic: bool = False) -> None:
        """Later accesses come after it; if its instruction is locked, also after all stores."""
        self.own[word] = self.own.get(word, 0) | before
        self.to_store |= before
        self.to_load |= before | (self.stored if atomic else 0)

    def before_store(self, word: int, *, releases: bool, atomic: bool = False) -> int:
        """All that was before it."""
        return self.to_store

    def store(self, word: int, before: int, *, releases: bool, atomic: bool = False) -> None:
        """Later stores come after it, and if its instruction is locked, later loads as well."""
        self.own[word] = self.own.get(word, 0) | before
        self.stored |= before
        self.to_store |= before
        if atomic:
            self.to_load |= before

    def fence(self, fence: Fence) -> None:
        """MFENCE drains the buffer; the others are nothing to the processor."""
        if fence is Fence.FULL:
            self.to_load |= self.stored

    def locked(self) -> None:
        """A locked instruction: it drains the buffer."""
        self.to_load |= self.stored

    def locks(self, before: int) -> None:
        """A locked instruction."""
        self.to_load |= before | self.stored
        self.to_store |= before

    def unlocks(self) -> int:
        """A plain store."""
        return self.gives()

    def takes(self, before: int) -> None:
        """A load."""
        self.to_load |= before
        self.to_store |= before

    def looks(self, before: int) -> None:
        """A load."""
        self.takes(before)

    def leaves(self) -> int:
        """A store."""
        return self.to_store


class HardwareViews(ArmViews):
    """Hardware, such as a device or an IOMMU: its accesses are in the order in which it makes them."""

    __slots__ = ()

    def before_load(self, *, acquires: bool, atomic: bool = False) -> int:
        """All that was before it."""
        return self.to_load

    def load(self, word: int, before: int, *, acquires: bool, unseen: bool = False, atomic: bool = False) -> None:
        """Everything comes after it."""
        self.to_load |= before

    def before_store(self, word: int, *, releases: bool, atomic: bool = False) -> int:
        """All that was before it."""
        return self.to_load

    def store(self, word: int, before: int, *, releases: bool, atomic: bool = False) -> None:
        """Everything comes after it."""
        self.to_load |= before

    def fence(self, fence: Fence) -> None:
        """All is in order anyhow."""

    def locks(self, before: int) -> None:
        """Everything comes after it."""
        self.to_load |= before

    def unlocks(self) -> int:
        """Everything."""
        return self.to_load

    takes = looks = locks
    gives = leaves = unlocks


Views = ArmViews
"""Of any model: the others differ from Armv8 in single methods."""
VIEWS: dict[str, type[Views]] = {"tso": TsoViews, "arm": ArmViews}
"""The models, by name."""
