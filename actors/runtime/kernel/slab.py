"""Memory that may be out (include/linux/slab.h): an allocation that fails is a choice like any other."""

from __future__ import annotations

from drivers.kernel.memory.objects import Object

from ..world import Cpu


async def try_allocate(cpu: Cpu, name: str, *, atomic: bool = False) -> Object | None:
    """kmalloc(): one step, in which both is tried: an object, or None as there is no memory.

    It may sleep, unless it is `atomic` (GFP_ATOMIC). `allocate` never fails.
    """
    if not atomic:
        cpu.might_sleep(f"kmalloc {name} (GFP_KERNEL)")
    if await cpu.choose(f"kmalloc {name}: fails?", 2):
        return None
    made = Object(name)
    made.born(cpu)
    return made
