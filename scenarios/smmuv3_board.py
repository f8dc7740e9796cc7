"""The board with an SMMUv3: its structures in memory, its units, and the drivers bound to them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Unpack

from actors.event_unit import EventUnit
from actors.runtime.world import World
from actors.smmu import SmmuUnits
from drivers.arm_smmu_v3 import Cmdq, Contexts, PriQueue, PriResponses
from hw.aarch64 import PageTables
from hw.bus import PhysAddr, VirtAddr, Vmid
from hw.memory import KERNEL, MMIO
from hw.smmuv3 import commands, evtq, priq
from hw.smmuv3.cd import cd_address
from hw.smmuv3.evtq import Evtq
from hw.smmuv3.priq import Priq
from hw.smmuv3.queues import Ring
from hw.smmuv3.registers import ENABLED, Registers
from hw.smmuv3.state import Smmu
from hw.smmuv3.ste import AtsMode, DefaultSubstream, cdtable_ste, ste_address

from .board import PASID, SID, Options, Platform, intake, sides, write_words

EVTQ_LOG2SIZE = 1
CMDQ_LOG2SIZE = 4
"""More than any wait: who polls CONS for its SYNC cannot tell a lap from none, so nobody may sleep through one."""


@dataclass(slots=True, kw_only=True)
class SmmuPlatform(Platform):
    """With what only this IOMMU has."""

    units: SmmuUnits
    contexts: Contexts
    queue: PriQueue
    cmdq: Cmdq

    def remember(self, address: VirtAddr, page: PhysAddr) -> None:
        """By ASID."""
        mm = self.mm_a
        self.units.smmu.tlb.fill(
            asid=mm.asid,
            vmid=Vmid(0),
            address=address,
            page=page,
            readable=True,
            writable=True,
            ttb=mm.tables.root,
        )


def smmuv3_platform(
    world: World,
    *,
    contexts: type[Contexts] = Contexts,
    queue: type[PriQueue] = PriQueue,
    **options: Unpack[Options],
) -> SmmuPlatform:
    """Assemble one; process A is bound to PASID 1 and the device has found its pages absent."""
    memory, frames = world.memory, world.frames
    registers = Registers(frames.allocate(MMIO))
    memory.write(registers.CR0, ENABLED)
    table, streams, queues = (frames.allocate(KERNEL) for _ in range(3))
    cmdq_ring, priq_ring, evtq_ring = _rings(queues, options.get("priq_log2size", 1))
    ste = cdtable_ste(s1_context_ptr=table, s1cdmax=1, s1dss=DefaultSubstream.TERMINATE, eats=AtsMode.FULL)
    write_words(world, ste_address(streams, SID), ste)
    board = sides(world, PageTables, "SMMU", "smmu", options)
    cmdq = Cmdq(registers, cmdq_ring, world.spinlock("cmdq lock"))
    cds = contexts(table, SID, cmdq)
    write_words(world, cd_address(table, PASID), cds.of(board.bond))
    faults = intake(world, board, PriResponses(SID, cmdq), options)
    irq = world.interrupt("PRIQ")
    binding_now = board.pasids.binding_now
    evtq_hw = Evtq(memory, evtq_ring, registers.EVTQ_PROD, registers.EVTQ_CONS)
    units = SmmuUnits(
        world=world,
        upstream=board.upstream,
        downstream=board.downstream,
        binding_now=binding_now,
        meant_for=board.mm_a.name,
        smmu=Smmu(registers=registers, stream_table=streams, streams=1),
        priq=Priq(memory, priq_ring, registers.PRIQ_PROD, registers.PRIQ_CONS),
        pri_irq=irq,
        cmdq=cmdq_ring,
        events=EventUnit(world, evtq_hw, world.interrupt("EVTQ"), binding_now),
        pushed=options.get("pushed", "priq"),
    )
    return SmmuPlatform(
        endpoint=board.endpoint,
        device=board.device,
        units=units,
        pasids=board.pasids,
        contexts=cds,
        iopf=faults.iopf,
        queue=queue(registers, priq_ring, irq, world.mutex("PRIQ lock"), faults),
        mm_a=board.mm_a,
        mm_b=board.mm_b,
        bond=board.bond,
        cmdq=cmdq,
    )


def _rings(base: PhysAddr, priq_log2size: int) -> tuple[Ring, Ring, Ring]:
    """CMDQ, PRIQ and EVTQ in one frame."""
    return (
        Ring(base, CMDQ_LOG2SIZE, commands.ENTRY_WORDS),
        Ring(PhysAddr(base + 0x800), priq_log2size, priq.ENTRY_WORDS),
        Ring(PhysAddr(base + 0xC00), EVTQ_LOG2SIZE, evtq.ENTRY_WORDS),
    )
