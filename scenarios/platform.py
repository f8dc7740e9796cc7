"""The board: one endpoint behind one SMMU, its structures in memory, and the drivers bound to them.

Everything that has a capacity is tiny, so that wrap, overflow and reuse happen in every run.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from actors.device import Device, jobs
from actors.event_unit import EventUnit
from actors.runtime.ports import Link, Workqueue
from actors.runtime.world import World
from actors.smmu import SmmuUnits
from drivers.arm_smmu_v3 import Cmdq, Contexts, PriQueue, Responder
from drivers.endpoint import Endpoint
from drivers.iopf import FaultGroup, Iopf
from drivers.mm import Mm
from drivers.pasid import Bond, Pasids
from hw.bus import Pasid, PhysAddr, StreamId, VirtAddr
from hw.memory import KERNEL, MMIO, WORD_BYTES
from hw.pcie.pri import PageRequestInterface
from hw.pcie.tlp import (
    ConfigurationCompletion,
    ConfigurationWrite,
    Dma,
    InvalidateCompletion,
    InvalidateRequest,
    PageRequest,
    PrgResponse,
    TranslationCompletion,
    TranslationRequest,
)
from hw.smmuv3 import commands, evtq, priq
from hw.smmuv3.cd import cd_address
from hw.smmuv3.evtq import Evtq
from hw.smmuv3.priq import Priq
from hw.smmuv3.queues import Ring
from hw.smmuv3.registers import Registers
from hw.smmuv3.state import Smmu
from hw.smmuv3.ste import AtsMode, DefaultSubstream, cdtable_ste, ste_address

SID = StreamId(0)
PASID = Pasid(1)
BUFFER = 0x10_0000
EVTQ_LOG2SIZE = 1
CMDQ_LOG2SIZE = 4
"""More than any wait: who polls CONS for its SYNC cannot tell a lap from none, so nobody may sleep through one."""


@dataclass(slots=True)
class Platform:
    """What a scenario works with; `mm_a` is bound, `mm_b` waits for the PASID."""

    endpoint: Endpoint
    device: Device
    units: SmmuUnits
    pasids: Pasids
    contexts: Contexts
    iopf: Iopf
    queue: PriQueue
    mm_a: Mm
    mm_b: Mm
    bond: Bond

    def add_hardware(self, world: World, *, ats: bool = True) -> None:
        """The device and the SMMU's units; without `ats` nothing answers translation requests."""
        world.add_actor("device", self.device.engine)
        world.add_actor("device.link", self.device.receiver, daemon=True)
        world.add_actor("smmu.link", self.units.link, daemon=True)
        if ats:
            world.add_actor("smmu.ats", self.units.ats, daemon=True)
        world.add_actor("smmu.cmdq", self.units.command_queue, daemon=True)


def buffer(pages: int) -> list[VirtAddr]:
    """The addresses that the device's jobs use, in whatever process the PASID belongs to."""
    return [VirtAddr(BUFFER + number * 0x1000) for number in range(pages)]


def links(world: World) -> tuple[Link, Link]:
    """The PCIe link, upstream and downstream."""
    upstream = world.link(
        "to SMMU",
        posted=(PageRequest, Dma, InvalidateCompletion),
        non_posted=(TranslationRequest,),
        completion=(ConfigurationCompletion,),
    )
    downstream = world.link(
        "to device",
        posted=(PrgResponse, InvalidateRequest),
        non_posted=(ConfigurationWrite,),
        completion=(TranslationCompletion,),
    )
    return upstream, downstream


def platform(
    world: World,
    *,
    device: type[Device],
    report: int,
    requests: int,
    group: int,
    priq_log2size: int,
    credits: int,
    put_async: bool,
    pushed: str = "priq",
    iopf: type[Iopf] = Iopf,
    queue: type[PriQueue] = PriQueue,
    responder: type[Responder] = Responder,
    contexts: type[Contexts] = Contexts,
) -> Platform:
    """Assemble one; process A is bound to PASID 1 and the device has found its pages absent."""
    memory, frames = world.memory, world.frames
    registers = Registers(frames.allocate(MMIO))
    table, streams, queues = (frames.allocate(KERNEL) for _ in range(3))
    cmdq_ring, priq_ring, evtq_ring = _rings(queues, priq_log2size)
    ste = cdtable_ste(s1_context_ptr=table, s1cdmax=1, s1dss=DefaultSubstream.TERMINATE, eats=AtsMode.FULL)
    write_words(world, ste_address(streams, SID), ste)
    pages = buffer(requests * group)
    mm_a, mm_b = (Mm(memory, frames, number, pages, world.mutex(f"mmap_lock {'AB'[number]}")) for number in (0, 1))
    pasids = Pasids([PASID])
    bond = pasids.bind_now(mm_a)
    cmdq = Cmdq(registers, cmdq_ring, world.spinlock("cmdq lock"))
    cds = contexts(table, SID, cmdq)
    write_words(world, cd_address(table, PASID), cds.of(bond))
    faults = iopf(pasids, _workqueue(world), responder(SID, cmdq).respond, put_async=put_async)
    irq = world.interrupt("PRIQ")
    endpoint = _endpoint(world, report)
    link = links(world)
    priq_hw = Priq(memory, priq_ring, registers.PRIQ_PROD, registers.PRIQ_CONS)
    evtq_hw = Evtq(memory, evtq_ring, registers.EVTQ_PROD, registers.EVTQ_CONS)
    events = EventUnit(world, evtq_hw, world.interrupt("EVTQ"), pasids.binding_now)
    smmu = Smmu(registers=registers, stream_table=streams, streams=1)
    return Platform(
        endpoint=endpoint,
        device=device(world, endpoint, *link, _pri(credits), jobs(requests, pages, group), PASID, meant_for=mm_a.name),
        units=SmmuUnits(world, smmu, *link, priq_hw, irq, cmdq_ring, events, pasids.binding_now, mm_a.name, pushed),
        pasids=pasids,
        contexts=cds,
        iopf=faults,
        queue=queue(registers, priq_ring, irq, world.mutex("PRIQ lock"), faults),
        mm_a=mm_a,
        mm_b=mm_b,
        bond=bond,
    )


def _pri(credits: int) -> PageRequestInterface:
    """The device's page request interface, switched on."""
    pri = PageRequestInterface(credits)
    pri.enable()
    return pri


def _rings(base: PhysAddr, priq_log2size: int) -> tuple[Ring, Ring, Ring]:
    """CMDQ, PRIQ and EVTQ in one frame."""
    return (
        Ring(base, CMDQ_LOG2SIZE, commands.ENTRY_WORDS),
        Ring(PhysAddr(base + 0x800), priq_log2size, priq.ENTRY_WORDS),
        Ring(PhysAddr(base + 0xC00), EVTQ_LOG2SIZE, evtq.ENTRY_WORDS),
    )


def _endpoint(world: World, report: int) -> Endpoint:
    """The device's three registers."""
    control = world.word("device CONTROL")
    return Endpoint(control, world.word("device STATUS"), world.word("device PRI Enable", 1), report)


def _workqueue(world: World) -> Workqueue:
    return world.workqueue("iopf workqueue", FaultGroup)


def write_words(world: World, address: PhysAddr, words: Sequence[int]) -> None:
    """Put words into memory before the world begins."""
    for offset, word in enumerate(words):
        world.memory.write(PhysAddr(address + offset * WORD_BYTES), word)
