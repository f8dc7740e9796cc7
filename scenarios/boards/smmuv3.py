"""The board with an SMMUv3: its structures in memory, its units, and the drivers bound to them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Unpack

from actors.iommus.smmuv3.event_unit import EventUnit
from actors.iommus.smmuv3.units import SmmuUnits
from actors.runtime.primitives.sync import Interrupt
from actors.runtime.world import World
from drivers.smmuv3.cmdq import Cmdq
from drivers.smmuv3.contexts import StreamContexts
from drivers.smmuv3.priq import PriQueue, PriResponses
from drivers.smmuv3.reset_drains import PriqDrain
from hw.bus import PhysAddr, VirtAddr, Vmid
from hw.memory import KERNEL, MMIO
from hw.paging.aarch64 import PageTables
from hw.smmuv3 import LANE, commands, evtq, priq
from hw.smmuv3.cd import cd_address
from hw.smmuv3.evtq import Evtq
from hw.smmuv3.priq import Priq
from hw.smmuv3.queues import Ring
from hw.smmuv3.registers import ENABLED, Registers
from hw.smmuv3.state import Smmu
from hw.smmuv3.ste import AtsMode, DefaultSubstream, cdtable_ste, ste_address

from .endpoint import PASID, SID, Options, Platform, intake, sides, write_words

EVTQ_LOG2SIZE = 1
CMDQ_LOG2SIZE = 4
"""More than any wait: who polls CONS for its SYNC cannot tell a lap from none, so nobody may sleep through one."""


@dataclass(slots=True, kw_only=True)
class SmmuPlatform(Platform):
    """A platform with the parts that only an SMMUv3 has."""

    units: SmmuUnits
    contexts: StreamContexts
    queue: PriQueue
    cmdq: Cmdq
    drain: PriqDrain
    atomic_release = False

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
    contexts: Callable[..., StreamContexts] = StreamContexts,
    queue: Callable[..., PriQueue] = PriQueue,
    drain: Callable[..., PriqDrain] = PriqDrain,
    commands_by: Callable[..., Cmdq] = Cmdq,
    hardware: Callable[..., Smmu] = Smmu,
    units: Callable[..., SmmuUnits] = SmmuUnits,
    gerror: Interrupt | None = None,
    **options: Unpack[Options],
) -> SmmuPlatform:
    """Assemble one; process A is bound to PASID 1 and the device has found its pages absent.

    Each part is a class of that kind, or what makes one; `hardware` may be told what its knobs are. `gerror` is the
    line that says that GERROR has changed, where somebody listens.
    """
    memory, frames = world.memory, world.frames
    registers = Registers(frames.allocate(MMIO))
    memory.write(registers.CR0, ENABLED)
    table, streams, queues = (frames.allocate(KERNEL) for _ in range(3))
    cmdq_ring, priq_ring, evtq_ring = _rings(queues, options.get("priq_log2size", 1))
    ste = cdtable_ste(s1_context_ptr=table, s1cdmax=1, s1dss=DefaultSubstream.TERMINATE, eats=AtsMode.FULL)
    write_words(world, ste_address(streams, SID), ste)
    board = sides(world, PageTables, "SMMU", LANE, options)
    cmdq = commands_by(registers, cmdq_ring, world.spinlock("cmdq lock"))
    cds = contexts(table, SID, cmdq, streams)
    write_words(world, cd_address(table, PASID), cds.of(board.bond))
    faults = intake(world, board, SmmuUnits.queue_name, PriResponses(SID, cmdq), options)
    irq = world.interrupt("PRIQ")
    evtq_hw = Evtq(memory, evtq_ring, registers.EVTQ_PROD, registers.EVTQ_CONS)
    working = units(
        **board.attached(world, options),
        smmu=hardware(registers=registers, stream_table=streams, streams=1),
        priq=Priq(memory, priq_ring, registers.PRIQ_PROD, registers.PRIQ_CONS),
        pri_irq=irq,
        cmdq=cmdq_ring,
        gerror_irq=gerror,
        events=EventUnit(world, evtq_hw, world.interrupt("EVTQ"), board.pasids.binding_now),
    )
    requests = queue(registers, priq_ring, irq, world.mutex("PRIQ lock"), faults)
    return SmmuPlatform(
        **board.shared,
        units=working,
        contexts=cds,
        iopf=faults.iopf,
        queue=requests,
        cmdq=cmdq,
        drain=drain(requests, faults.iopf, cmdq, board.device),
    )


def _rings(base: PhysAddr, priq_log2size: int) -> tuple[Ring, Ring, Ring]:
    """CMDQ, PRIQ and EVTQ in one frame."""
    return (
        Ring(base, CMDQ_LOG2SIZE, commands.ENTRY_WORDS),
        Ring(PhysAddr(base + 0x800), priq_log2size, priq.ENTRY_WORDS),
        Ring(PhysAddr(base + 0xC00), EVTQ_LOG2SIZE, evtq.ENTRY_WORDS),
    )
