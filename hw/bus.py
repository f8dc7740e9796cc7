"""What hardware needs from whoever runs it: one awaited call per thing that another agent can observe.

`hw` never imports the runtime: it states here what it needs (dependency inversion), and `actors.runtime` implements it.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from typing import NewType, Protocol

PhysAddr = NewType("PhysAddr", int)
"""A byte address of physical memory; every access is to an aligned 64-bit word."""
VirtAddr = NewType("VirtAddr", int)
"""A byte address in a process, which is what a device with a PASID uses."""
Pasid = NewType("Pasid", int)
"""Process Address Space ID, 20 bits; Arm calls it SubstreamID (SSID)."""
StreamId = NewType("StreamId", int)
"""Which PCIe function a transaction comes from, as the SMMU numbers it."""
Asid = NewType("Asid", int)
"""Address space tag of TLB entries, 16 bits."""
Vmid = NewType("Vmid", int)
"""Virtual machine tag of TLB entries, 16 bits."""
Prgi = NewType("Prgi", int)
"""Page Request Group Index, 9 bits."""

PAGE_SHIFT = 12
"""Pages are of 4 KiB everywhere: the bits of an address that say where in its page it is."""
PAGE_OFFSET = (1 << PAGE_SHIFT) - 1
"""The mask of those bits."""

Resource = Hashable
"""The name of something that steps touch and that is not a memory word: ("TLB", asid), ("link", "posted"), …
Equal names are one resource; two steps that only read it, or name different ones, commute."""


def exchange(expected: int, new: int, now: int) -> int:
    """What a compare-and-swap makes of a word, for `Bus.rmw`."""
    return new if now == expected else now


class Bus(Protocol):
    """One step per call: between two calls the world stands still (`ARCHITECTURE.md`: announce, be chosen, perform)."""

    async def load(self, address: PhysAddr, what: str = "") -> int:
        """Read one aligned 64-bit word; `what` names it for people ("CD[1].q0")."""
        ...

    async def store(self, address: PhysAddr, value: int, what: str = "") -> None:
        """Write one aligned 64-bit word."""
        ...

    async def rmw(self, address: PhysAddr, change: Callable[[int], int], what: str = "") -> int:
        """Read and write one aligned 64-bit word in one step, as an atomic update does; the value before."""
        ...

    async def load_words(self, address: PhysAddr, count: int, what: str) -> Sequence[int]:
        """Read neighbouring words in one step: only where a protocol keeps everybody else away from them meanwhile, as
        a queue does between PROD and CONS (then no other agent could tell one step from several)."""
        ...

    async def load_apart(
        self,
        address: PhysAddr,
        count: int,
        pieces: Sequence[Sequence[int]],
        what: str,
        then: Sequence[Resource] = (),
    ) -> Sequence[int]:
        """Read `count` words as hardware fetches a structure: each of `pieces` (neighbouring words, by number) at once,
        the pieces in any order and with anything in between. Words in no piece, which nobody may ever store to, come
        with the first step: their reads commute with everything, so nobody could tell when they happen. The last step
        reads `then` too: what the caller looks at, beyond memory, once it knows the words."""
        ...

    async def store_words(self, address: PhysAddr, values: Sequence[int], what: str) -> None:
        """Write neighbouring words in one step, under the same condition."""
        ...

    async def access(self, what: str, *, reads: Sequence[Resource] = (), writes: Sequence[Resource] = ()) -> None:
        """One step on state that is not memory; after it returns, the caller touches exactly what it named,
        synchronously, until its next await."""
        ...

    async def choose(self, what: str, options: int, reads: Sequence[Resource] = ()) -> int:
        """One outcome out of `options` that a specification leaves open; 0 is the plain one. `reads` is what the
        caller looks at once it knows. No step if there is nothing to choose."""
        ...

    def emit(self, event: object) -> None:
        """Record what the step just performed, for oracles and renderers."""
        ...
