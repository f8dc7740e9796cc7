"""The board without PCIe: a platform device whose DMA may stall, the SMMU, its event queue, and the drivers."""

from __future__ import annotations

from dataclasses import dataclass

from actors.bus_master import BusMaster
from actors.event_unit import EventUnit
from actors.runtime.sync import Interrupt
from actors.runtime.world import World
from actors.stalling import StallingUnits
from drivers.arm_smmu_v3 import Cmdq
from drivers.endpoint import Endpoint
from drivers.evtq import EventQueue
from drivers.iopf_core import GroupWork, IopfCore
from drivers.lifetime import Object
from drivers.mm import Mm
from drivers.pasid import Bond
from drivers.quiet import StallContexts
from drivers.sva_eras import PasidArray
from hw.bus import PhysAddr
from hw.memory import KERNEL, MMIO
from hw.pcie.tlp import Dma, DmaCompletion
from hw.smmuv3 import commands, evtq, priq
from hw.smmuv3.cd import cd_address
from hw.smmuv3.evtq import Evtq
from hw.smmuv3.priq import Priq
from hw.smmuv3.queues import Ring
from hw.smmuv3.registers import Registers
from hw.smmuv3.state import Smmu
from hw.smmuv3.ste import AtsMode, DefaultSubstream, cdtable_ste, ste_address

from .platform import CMDQ_LOG2SIZE, PASID, SID, buffer, links, write_words


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
        return kind(self.pasids, self.cmdq, works, world.mutex("fault_param->lock"), self.handles)

    def start(self, queue: EventQueue, core: IopfCore) -> None:
        """Device, SMMU, event thread and worker."""
        self.world.add_actor("device", self.device.engine)
        self.world.add_actor("smmu.dma", self.units.dma, daemon=True)
        self.world.add_actor("smmu.cmdq", self.units.command_queue, daemon=True)
        self.world.add_actor("evtq_thread", queue.thread, daemon=True)
        self.world.add_actor("fault_worker", core.work, daemon=True)


def stall_board(world: World, *, accesses: int, log2size: int, early: int, contexts: type[StallContexts]) -> StallBoard:
    """Assemble one; process A is bound to PASID 1 and its page is not present."""
    memory, frames = world.memory, world.frames
    registers = Registers(frames.allocate(MMIO))
    table, streams, queues = (frames.allocate(KERNEL) for _ in range(3))
    cmdq_ring = Ring(queues, CMDQ_LOG2SIZE, commands.ENTRY_WORDS)
    evtq_ring = Ring(PhysAddr(queues + 0x800), log2size, evtq.ENTRY_WORDS)
    unused_ring = Ring(PhysAddr(queues + 0xC00), 0, priq.ENTRY_WORDS)
    ste = cdtable_ste(s1_context_ptr=table, s1cdmax=1, s1dss=DefaultSubstream.TERMINATE, eats=AtsMode.REFUSED)
    write_words(world, ste_address(streams, SID), ste)
    mm_a, mm_b = (Mm(memory, frames, number, buffer(1), world.mutex(f"mmap_lock {'AB'[number]}")) for number in (0, 1))
    pasids = PasidArray([PASID])
    bond = pasids.bind_now(mm_a)
    cmdq = Cmdq(registers, cmdq_ring, world.spinlock("cmdq lock"))
    cds = contexts(table, SID, cmdq)
    write_words(world, cd_address(table, PASID), cds.of(bond))
    endpoint = Endpoint(world.word("device CONTROL"), world.word("device STATUS"), world.word("unused"), 0)
    bus, answers = world.port("bus", Dma), world.port("bus answers", DmaCompletion)
    upstream, downstream = links(world)
    irq = world.interrupt("EVTQ")
    units = StallingUnits(
        world=world,
        smmu=Smmu(registers=registers, stream_table=streams, streams=1),
        upstream=upstream,
        downstream=downstream,
        priq=Priq(memory, unused_ring, registers.PRIQ_PROD, registers.PRIQ_CONS),
        pri_irq=world.interrupt("PRIQ"),
        cmdq=cmdq_ring,
        events=EventUnit(
            world, Evtq(memory, evtq_ring, registers.EVTQ_PROD, registers.EVTQ_CONS), irq, pasids.binding_now
        ),
        binding_now=pasids.binding_now,
        meant_for=mm_a.name,
        bus=bus,
        answers=answers,
        early=early,
    )
    device = BusMaster(world, endpoint, bus, answers, buffer(1) * accesses, SID, PASID)
    return StallBoard(
        world, endpoint, device, units, pasids, cds, cmdq, registers, evtq_ring, irq, mm_a, mm_b, bond, {}
    )
