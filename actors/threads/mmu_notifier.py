"""The mmu notifier: runs the SMMU driver's callbacks for an address space, on request of whoever changes it."""

from __future__ import annotations

from dataclasses import dataclass

from drivers.kernel.memory.mm import Mm
from drivers.kernel.sva import Sva

from ..runtime.primitives.ports import Port
from ..runtime.world import Cpu, World


@dataclass(frozen=True, slots=True, kw_only=True)
class Release:
    """The address space is going away (mmu_notifier release)."""

    mm: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Released:
    """Every callback has returned: its pages may be freed."""

    mm: int


def add_mmu_notifier(world: World, mm: Mm, sva: Sva) -> None:
    """A daemon, and the hook in `mm` that asks it and waits for its answer."""
    calls: Port = world.port("mmu_notifier", Release)
    returns: Port = world.port("mm exit", Released)

    async def notifier(cpu: Cpu) -> None:
        while True:
            call: Release = await calls.receive(cpu)
            await sva.mm_release(cpu, mm)
            await returns.send(Released(mm=call.mm))

    number = mm.number  # not `mm` itself: a hook that refers to what holds it would keep the world alive

    async def release(cpu: Cpu) -> None:
        await cpu.send(calls, Release(mm=number))
        await cpu.receive(returns)

    mm.register(release=release)
    world.add_actor("mmu_notifier", notifier, daemon=True)
