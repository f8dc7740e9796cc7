"""Reference counts (include/linux/refcount.h, kref.h): to get at zero, to drop below it, to overflow are findings."""

from __future__ import annotations

from collections.abc import Generator
from typing import ClassVar

from ..primitives.ordering import Made
from ..primitives.step import BrokenRule, Step, operation
from ..world import Cpu, World
from .primitive import Primitive

MOST = 2**31 - 1
"""REFCOUNT_MAX: above it the kernel saturates the count and warns."""


class RefCount(Primitive):
    """refcount_t. Gets do not race with each other: only who drops a reference, or reads the count, can tell."""

    space: ClassVar[str] = "refcount"

    def __init__(self, world: World, name: str = "refcount", value: int = 1) -> None:
        super().__init__(world, name)
        self._count = self._mask("count")
        self.value = value
        """How many references there are: for properties; who acts on it takes a step (`read`)."""

    def state(self) -> tuple[object, ...]:
        """The count."""
        return self.name, self.value

    @operation
    def get(self, cpu: Cpu) -> Generator[Step, int, None]:
        """refcount_inc(), kref_get(): one step; BrokenRule if the count is zero, as the object may be gone, or if it
        overflows."""
        what = f"refcount_inc {self.name}"
        cpu.acts(what)
        yield Step(what, self._count)
        if self.value == 0:
            cpu.refuse(BrokenRule(f"{cpu.name} takes a reference of {self.name}, which has none left: use after free"))
        self._raise(cpu)

    @operation
    def get_unless_zero(self, cpu: Cpu) -> Generator[Step, int, bool]:
        """refcount_inc_not_zero(), kref_get_unless_zero(): one step; False if the count is zero."""
        what = f"refcount_inc_not_zero {self.name}"
        cpu.acts(what)
        yield Step(what, self._count)
        if self.value == 0:
            self._session.made_of(Made.LOAD)
            return False
        self._raise(cpu)
        return True

    @operation
    def put(self, cpu: Cpu) -> Generator[Step, int, bool]:
        """refcount_dec_and_test(), kref_put(): one step; True for who dropped the last one. BrokenRule at zero."""
        what = f"refcount_dec_and_test {self.name}"
        cpu.acts(what)
        yield Step(what, writes=self._count)
        if self.value == 0:
            cpu.refuse(BrokenRule(f"{cpu.name} drops a reference of {self.name}, which has none left: underflow"))
        self.value -= 1
        self._session.made_of(Made.RELEASE if self.value else Made.LOCKED)
        return self.value == 0

    @operation
    def read(self, cpu: Cpu) -> Generator[Step, int, int]:
        """refcount_read(): one step; the count."""
        what = f"refcount_read {self.name}"
        cpu.acts(what)
        yield Step(what, writes=self._count)  # it would not race with a get if it read
        self._session.made_of(Made.LOAD)
        return self.value

    def _raise(self, cpu: Cpu) -> None:
        self._session.made_of(Made.RELAXED)
        if self.value >= MOST:
            cpu.refuse(
                BrokenRule(f"{cpu.name} takes a reference of {self.name}, which saturates: it leaks from now on")
            )
        self.value += 1
