"""What keeps a CPU's accesses in order, under the kernel's names. On sequentially consistent memory that is nothing.

A barrier is no step: no other agent can see it. Docs: memory-models.md.
"""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Iterable, Sequence
from enum import Enum
from functools import partial
from typing import Any

from hw.bus import PhysAddr, exchange
from hw.fields import WORD_MASK

from .step import MisuseError


class Fence(Enum):
    """What a barrier keeps in order: everything, stores with stores, loads with everything later, or everything where
    an atomic operation beside it does not do so anyhow."""

    FULL = "mb"
    STORES = "wmb"
    LOADS = "rmb"
    ATOMIC = "mb beside an atomic operation"


class Order(Enum):
    """The suffix of an atomic operation in Linux; no suffix is `full`."""

    RELAXED = "relaxed"
    ACQUIRE = "acquire"
    RELEASE = "release"
    FULL = "full"

    @property
    def acquires(self) -> bool:
        """Whether later accesses come after its load."""
        return self in (Order.ACQUIRE, Order.FULL)

    @property
    def releases(self) -> bool:
        """Whether its store comes after earlier accesses."""
        return self in (Order.RELEASE, Order.FULL)


class Made(Enum):
    """What a step on what is no word does to a CPU, where its footprint does not say it: it would be a store of what is
    written and a load of what is read."""

    LOAD = "a load"
    """It only looks, whatever it races with."""
    PLAIN = "a load and a store"
    RELAXED = "an atomic operation"
    RELEASE = "an atomic operation that releases"
    LOCKED = "what a lock inside the call protects"
    """Or an atomic operation that acquires and releases."""

    @property
    def is_atomic(self) -> bool:
        """Whether it changes also what the step only reads, by an instruction that is locked on x86."""
        return self not in (Made.LOAD, Made.PLAIN)


def order_of(order: str) -> Order:
    """The order of that name; MisuseError for any other."""
    try:
        return Order(order)
    except ValueError:
        known = ", ".join(each.value for each in Order)
        raise MisuseError(f"order {order!r}: allowed are {known}") from None


class Loaded(int):
    """What `rcu_dereference` or an atomic operation gave, and remembers: so does what + - & | << >> compute from it.

    An access to such an address depends on the load (an address dependency), a store of such a value as well.
    """

    loads: tuple[int, ...]
    """The accesses that it was loaded by."""

    def __new__(cls, value: int, loads: Iterable[int] = ()) -> Loaded:
        """A number, and the loads that it comes from."""
        made = super().__new__(cls, value)
        made.loads = tuple(loads)
        return made

    def _from(self, other: object, value: int) -> Loaded:
        more = other.loads if isinstance(other, Loaded) else ()
        return Loaded(value, (*self.loads, *(load for load in more if load not in self.loads)))

    def __add__(self, other: int) -> Loaded:
        """The sum."""
        return self._from(other, int(self) + int(other))

    def __sub__(self, other: int) -> Loaded:
        """The difference."""
        return self._from(other, int(self) - int(other))

    def __and__(self, other: int) -> Loaded:
        """The bits of both."""
        return self._from(other, int(self) & int(other))

    def __or__(self, other: int) -> Loaded:
        """The bits of either."""
        return self._from(other, int(self) | int(other))

    def __lshift__(self, other: int) -> Loaded:
        """Moved up."""
        return self._from(other, int(self) << int(other))

    def __rshift__(self, other: int) -> Loaded:
        """Moved down."""
        return self._from(other, int(self) >> int(other))

    __radd__ = __add__
    __rand__ = __and__
    __ror__ = __or__


Depends = Sequence[int] | int
"""What an access depends on: numbers that `rcu_dereference` gave, or what was computed from them."""


class Barriers:
    """The kernel's barriers and ordered accesses, over the plain ones of a cpu. Awaiting a barrier is no step."""

    __slots__ = ()

    load: Callable[..., Coroutine[Any, Any, int]]
    store: Callable[..., Coroutine[Any, Any, None]]
    rmw: Callable[..., Coroutine[Any, Any, int]]

    def _called(self, what: str, verb: str, address: PhysAddr) -> str:
        """The label of a step: `what`, or what it does to which word."""
        return what or f"{verb} {address:#x}"

    def _fence(self, fence: Fence) -> None:
        """Keep accesses in order, where memory does not do so anyhow."""

    async def mb(self) -> None:
        """smp_mb, mb: everything before it comes before everything behind it."""
        self._fence(Fence.FULL)

    async def wmb(self) -> None:
        """smp_wmb, wmb: stores before it come before stores behind it."""
        self._fence(Fence.STORES)

    async def rmb(self) -> None:
        """smp_rmb, rmb: loads before it come before loads behind it; on Arm before stores as well."""
        self._fence(Fence.LOADS)

    async def dma_wmb(self) -> None:
        """As `wmb`, also in the eyes of devices, which here are in one domain with the CPUs."""
        self._fence(Fence.STORES)

    async def dma_rmb(self) -> None:
        """As `rmb`, also for what devices store."""
        self._fence(Fence.LOADS)

    async def mb_before_atomic(self) -> None:
        """smp_mb__before_atomic, which on Arm is `mb`, and on x86 nothing: the operation behind it does all."""
        self._fence(Fence.ATOMIC)

    async def mb_after_atomic(self) -> None:
        """smp_mb__after_atomic, which on Arm is `mb`, and on x86 nothing: the operation before it did all."""
        self._fence(Fence.ATOMIC)

    async def mb_after_spinlock(self) -> None:
        """smp_mb__after_spinlock, which on Arm is `mb`, and on x86 nothing: to take a lock does all."""
        self._fence(Fence.ATOMIC)

    async def mb_after_unlock_lock(self) -> None:
        """smp_mb__after_unlock_lock, which is nothing on Arm and x86."""

    def store_release(self, address: PhysAddr, value: int, what: str = "") -> Coroutine[Any, Any, None]:
        """smp_store_release: a store that comes after everything before it."""
        return self.store(address, value, what)

    def load_acquire(self, address: PhysAddr, what: str = "") -> Coroutine[Any, Any, int]:
        """smp_load_acquire: a load that comes before everything behind it."""
        return self.load(address, what)

    def rcu_dereference(self, address: PhysAddr, what: str = "") -> Coroutine[Any, Any, int]:
        """A load whose value remembers it: what is accessed through that value comes after the load.

        So do stores of it, and what says `depends=` it. No other dependency is known, so no other one orders anything.
        """
        return self.load(address, what)

    def xchg(self, address: PhysAddr, value: int, what: str = "", *, order: str = "full") -> Coroutine[Any, Any, int]:
        """xchg, atomic_xchg: the value before. `order` is the suffix: relaxed, acquire, release, or full for none."""
        return self._atomic(address, lambda _: value, self._called(what, "xchg", address), order)

    def cmpxchg(
        self, address: PhysAddr, expected: int, value: int, what: str = "", *, order: str = "full"
    ) -> Coroutine[Any, Any, int]:
        """cmpxchg: the value before; one that is not as expected stays, and then nothing is ordered."""
        change = partial(exchange, expected, value)
        return self._atomic(address, change, self._called(what, "cmpxchg", address), order, lambda now: now != expected)

    async def add(self, address: PhysAddr, amount: int, what: str = "", *, order: str = "full") -> int:
        """atomic_add_return: the value after; a word has 64 bits."""
        change = partial(_sum, amount)
        return change(await self._atomic(address, change, self._called(what, "add to", address), order))

    async def add_unseen(self, address: PhysAddr, amount: int, what: str = "") -> None:
        """atomic_add, atomic_inc, …: without a result, which orders nothing; `rmb` does not see its load."""
        await self._atomic(
            address, partial(_sum, amount), self._called(what, "add to", address), "relaxed", unseen=True
        )

    def writel(self, address: PhysAddr, value: int, what: str = "") -> Coroutine[Any, Any, None]:
        """A store to a register of a device, which comes after the stores to memory before it."""
        self._fence(Fence.STORES)
        return self.store(address, value, what)

    def writel_relaxed(self, address: PhysAddr, value: int, what: str = "") -> Coroutine[Any, Any, None]:
        """A store to a register of a device, in order only with accesses to the same device."""
        return self.store(address, value, what)

    async def readl(self, address: PhysAddr, what: str = "") -> int:
        """A load of a register of a device, which comes before everything behind it."""
        value = await self.load(address, what)
        self._fence(Fence.LOADS)
        return value

    def readl_relaxed(self, address: PhysAddr, what: str = "") -> Coroutine[Any, Any, int]:
        """A load of a register of a device, in order only with accesses to the same device."""
        return self.load(address, what)

    def _atomic(
        self,
        address: PhysAddr,
        change: Callable[[int], int],
        what: str,
        order: str,
        fails: Callable[[int], bool] | None = None,
        unseen: bool = False,
    ) -> Coroutine[Any, Any, int]:
        """A read-modify-write that stores, unless it `fails`; the value before."""
        order_of(order)
        return self.rmw(address, change, what)


def _sum(amount: int, value: int) -> int:
    return value + amount & WORD_MASK  # in this order: what `value` remembers, the sum does
