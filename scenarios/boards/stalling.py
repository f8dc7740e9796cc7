"""The board without PCIe: a platform device whose DMA may stall, the SMMU, its event queue, and the drivers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypedDict

from actors.devices.bus_master import BusMaster
from actors.iommus.smmuv3.event_unit import EventUnit
from actors.iommus.smmuv3.stalling import StallingUnits
from actors.runtime.primitives.sync import Interrupt
from actors.runtime.world import World
from drivers.kernel.endpoint import Endpoint
from drivers.kernel.memory.mm import Mm
from drivers.kernel.memory.objects import Object
from drivers.kernel.memory.pasid import Bond
from drivers.smmuv3.cmdq import Cmdq
from drivers.smmuv3.evtq import EventQueue
from drivers.smmuv3.quiet import StallContexts
from drivers.smmuv3.stall_faults import GroupWork, IopfCore
from drivers.smmuv3.unbind_eras import PasidArray
from hw.bus import PhysAddr
from hw.memory import KERNEL, MMIO
from hw.pcie.tlp import Dma, DmaCompletion
from hw.smmuv3 import commands, evtq, priq
from hw.smmuv3.cd import cd_address
from hw.smmuv3.evtq import Evtq
from hw.smmuv3.priq import Priq
from hw.smmuv3.queues import Ring
from hw.smmuv3.registers import Registers
from hw.smmuv3.stall import STAGS, Stalls
from hw.smmuv3.state import Smmu
from hw.smmuv3.ste import AtsMode, DefaultSubstream, cdtable_ste, ste_address

from .endpoint import PASID, SID, address_space, buffer, links, write_words
from .smmuv3 import CMDQ_LOG2SIZE


@dataclass(slots=True)
class StallBoard:
    """What a scenario works with; `mm_a` is bound, `mm_b` waits for the PASID."""

    world: World
    endpoint: Endpoint
    device: BusMaster
    units: StallingUnits
    pasids: PasidArray
    contexts: StallContexts
    cmdq: Cmdq
    registers: Registers
    evtq_ring: Ring
    evtq_irq: Interrupt
    mm_a: Mm
    mm_b: Mm
    bond: Bond
    handles: dict[int, Object]

    def core(self, kind: type[IopfCore]) -> IopfCore:
        """The fault code of an era."""
        world = self.world
        works = world.workqueue("iopf workqueue", GroupWork)
        outer = world.mutex("queue->lock"), world.mutex("dev->iommu->lock")
        return kind(self.pasids, self.cmdq, works, world.mutex("fault_param->lock"), self.handles, outer)

    def start(self, queue: EventQueue, core: IopfCore | None = None) -> None:
        """Device, SMMU, event thread, and worker if there is fault code."""
        self.world.add_actor("device", self.device.engine, hardware=True)
        self.world.add_actor("smmu.dma", self.units.dma, daemon=True, hardware=True)
        self.world.add_actor("smmu.cmdq", self.units.command_queue, daemon=True, hardware=True)
        self.world.add_actor("evtq_thread", queue.thread, daemon=True)
        if core is not None:
            self.world.add_actor("fault_worker", core.work, daemon=True)


def stall_board(
    world: World,
    *,
    accesses: int,
    log2size: int,
    early: int,
    contexts: type[StallContexts] = StallContexts,
    outstanding: int = 1,
    stags: int = STAGS,
    handle: Object | None = None,
) -> StallBoard:
    """Assemble one; process A is bound to PASID 1, with a `handle` if it has one, and its page is not present."""
    memory, frames = world.memory, world.frames
    registers = Registers(frames.allocate(MMIO))
    table, streams, queues = (frames.allocate(KERNEL) for _ in range(3))
    evtq_ring = Ring(PhysAddr(queues + 0x800), log2size, evtq.ENTRY_WORDS)
    ste = cdtable_ste(s1_context_ptr=table, s1cdmax=1, s1dss=DefaultSubstream.TERMINATE, eats=AtsMode.REFUSED)
    write_words(world, ste_address(streams, SID), ste)
    mm_a, mm_b = address_space(world, 0, buffer(1)), address_space(world, 1, buffer(1))
    pasids = PasidArray([PASID])
    bond = pasids.bind_now(mm_a)
    irq = world.interrupt("EVTQ")
    hardware = Evtq(memory, evtq_ring, registers.EVTQ_PROD, registers.EVTQ_CONS)
    smmu = Smmu(registers=registers, stream_table=streams, streams=1)
    if outstanding > 1:  # what several actors learn by themselves must not depend on who comes first
        smmu.expected_asid[SID, PASID] = mm_a.asid
    behaviour = Behaviour(early=early, outstanding=outstanding, stalls=Stalls(stags), meant_for=mm_a.name)
    units = _units(world, smmu, queues, EventUnit(world, hardware, irq, pasids.binding_now), behaviour)
    cmdq = Cmdq(registers, units.cmdq, world.spinlock("cmdq lock"))
    cds = contexts(table, SID, cmdq, streams)
    write_words(world, cd_address(table, PASID), cds.of(bond))
    handles = {} if handle is None else {bond.number: handle}
    endpoint = Endpoint(world.word("device CONTROL"), world.word("device STATUS"), world.word("unused"), 0)
    device = BusMaster(world, endpoint, units.bus, units.answers, buffer(1) * accesses, SID, PASID, outstanding)
    return StallBoard(
        world, endpoint, device, units, pasids, cds, cmdq, registers, evtq_ring, irq, mm_a, mm_b, bond, handles
    )


class Behaviour(TypedDict):
    """What the SMMU does with what stalls, and for whom its device works."""

    early: int
    outstanding: int
    stalls: Stalls
    meant_for: str


def _units(world: World, smmu: Smmu, queues: PhysAddr, events: EventUnit, behaviour: Behaviour) -> StallingUnits:
    """An SMMU with a bus of its own instead of a PCIe link, and a PRIQ that nobody uses."""
    registers = smmu.registers
    upstream, downstream = links(world)
    unused_ring = Ring(PhysAddr(queues + 0xC00), 0, priq.ENTRY_WORDS)
    return StallingUnits(
        world=world,
        smmu=smmu,
        upstream=upstream,
        downstream=downstream,
        priq=Priq(world.memory, unused_ring, registers.PRIQ_PROD, registers.PRIQ_CONS),
        pri_irq=world.interrupt("PRIQ"),
        cmdq=Ring(queues, CMDQ_LOG2SIZE, commands.ENTRY_WORDS),
        events=events,
        binding_now=events.binding_now,
        bus=world.port("bus", Dma),
        answers=world.port("bus answers", DmaCompletion),
        **behaviour,
    )
