"""An SMMU behind a command queue in memory, with one master or several, for worlds without page requests."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import TypeVar

from actors.devices.reader import MemoryReader
from actors.iommus.doorbell import Doorbell
from actors.iommus.smmuv3.attach_units import AttachUnits
from actors.runtime.world import World
from drivers.smmuv3.attach.invalidations import AttachCmdq, Invalidations, QueueEach
from hw.bus import Pasid, PhysAddr, StreamId, VirtAddr
from hw.memory import KERNEL, MMIO
from hw.smmuv3 import commands
from hw.smmuv3.queues import Ring
from hw.smmuv3.registers import Registers
from hw.smmuv3.state import Smmu, Transaction

from .endpoint import links

CMDQ_LOG2SIZE = 5
"""As many as a run issues, so that nobody waits for room: queues that go round are what `cmdq-issue` is about."""
UnitsT = TypeVar("UnitsT", bound=AttachUnits)


def command_queue(
    world: World, smmu: Smmu, kind: Callable[..., UnitsT], page: Registers | None = None, number: int = 0
) -> tuple[UnitsT, AttachCmdq]:
    """The units, with the link of the first master, and the queue that they consume; its daemon is added.

    `page` has the registers of a queue that is not the SMMU's only one, `number` says which it is.
    """
    page, first = page or smmu.registers, number << CMDQ_LOG2SIZE
    ring = Ring(world.frames.allocate(KERNEL), CMDQ_LOG2SIZE, commands.ENTRY_WORDS)
    prod = Doorbell(world, f"CMDQ{number or ''}_PROD", page.CMDQ_PROD)
    queue = AttachCmdq(page, ring, world.spinlock("cmdq lock"), prod, first)
    upstream, downstream = links(world)
    units = kind(
        world=world,
        upstream=upstream,
        downstream=downstream,
        binding_now=lambda pasid: 0,
        meant_for="nobody",
        smmu=smmu,
        cmdq=ring,
        first=first,
        prod=prod,
        page=page,
        concerned=queue.concerned,
    )
    units.add(world)
    return units, queue


def queue_each(
    world: World, smmu: Smmu, kind: Callable[..., UnitsT], threads: Sequence[str]
) -> tuple[UnitsT, Invalidations]:
    """A command queue for each of these threads; the units of the first."""
    ended: list[Transaction] = []
    pairs = []
    for number, thread in enumerate(threads):
        page = Registers(world.frames.allocate(MMIO))
        each = partial(kind, ended=ended, unit=f"smmu.cmdq of {thread}")
        pairs.append(command_queue(world, smmu, each, page, number))
    return pairs[0][0], QueueEach({thread: queue for thread, (_, queue) in zip(threads, pairs, strict=True)})


def add_reader(
    world: World,
    units: AttachUnits,
    name: str,
    sid: StreamId,
    pasid: Pasid,
    address: VirtAddr,
    count: int,
    doorbell: PhysAddr | None = None,
) -> None:
    """A master that reads `address` `count` times, its link, and the part of the SMMU that serves it."""
    upstream, downstream = links(world, device=name)
    reader = MemoryReader(
        upstream=upstream,
        downstream=downstream,
        sid=sid,
        pasid=pasid,
        address=address,
        count=count,
        doorbell=doorbell,
    )
    world.add_actor(name, reader.engine, hardware=True)
    units.add_master(world, name, upstream, downstream)
