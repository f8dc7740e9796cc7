"""The board with a VT-d unit: its structures in memory, its units, and the drivers bound to them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Unpack

from actors.iommus.doorbell import Doorbell
from actors.iommus.vtd.units import VtdUnits
from actors.runtime.primitives.sync import Interrupt
from actors.runtime.world import World
from drivers.kernel.faults.page_requests import Responder
from drivers.vtd.pasid_table import PasidTable
from drivers.vtd.prq import PageRequestQueue, PrqDrain
from drivers.vtd.qi import Qi
from drivers.vtd.responses import PageGroupResponses
from hw.bus import PhysAddr, VirtAddr
from hw.memory import KERNEL, MMIO
from hw.paging.walks import Translation
from hw.paging.x86 import PageTables
from hw.vtd import LANE
from hw.vtd.context import ENTRY_QWORDS, check, context_address, context_entry
from hw.vtd.faults import FaultLog
from hw.vtd.pasid import check as check_entry
from hw.vtd.pasid import directory_address, directory_entry, entry_address
from hw.vtd.prq import Prq
from hw.vtd.qi import InvalidationQueue
from hw.vtd.registers import Registers
from hw.vtd.ring import ENTRY_BYTES, ByteRing
from hw.vtd.state import Vtd

from .endpoint import PASID, SID, Attached, Options, Platform, intake, sides, write_words

QUEUE_ENTRIES = 16


@dataclass(slots=True, kw_only=True)
class VtdPlatform(Platform):
    """A platform with the parts that only VT-d has."""

    units: VtdUnits
    contexts: PasidTable
    queue: PageRequestQueue
    qi: Qi
    drain: PrqDrain
    """What unbind waits for (vtd-pcie §3.6), if it does."""
    atomic_release = True

    def __post_init__(self) -> None:
        """At the end of a run the table lets go of its drain, which refers back to it."""
        self.units.world.at_end(self.contexts.forget)

    def remember(self, address: VirtAddr, page: PhysAddr) -> None:
        """By DID and PASID."""
        found = Translation(page=page, readable=True, writable=True)
        did = self.contexts.did(self.bond)
        self.units.vtd.iotlb.fill(did, self.bond.pasid, address, found, self.mm_a.tables.root)


def vtd_platform(
    world: World,
    *,
    contexts: Callable[..., PasidTable] = PasidTable,
    queue: Callable[..., PageRequestQueue] = PageRequestQueue,
    drain: Callable[..., PrqDrain] = PrqDrain,
    qi: Callable[..., Qi] = Qi,
    invalidations: Callable[..., InvalidationQueue] = InvalidationQueue,
    prq: Callable[..., Prq] = Prq,
    fault_records: int = 2,
    warm: bool = True,
    time_outs: bool = False,
    late_responses: bool = False,
    hardware: Callable[..., Vtd] = Vtd,
    units: Callable[..., VtdUnits] = VtdUnits,
    **options: Unpack[Options],
) -> VtdPlatform:
    """Assemble one; process A is bound to PASID 1 and the device has found its pages absent.

    Each part is a class of that kind, or what makes one; `hardware` may be told what its knobs are. `warm`: context and
    PASID entry are in their caches. `time_outs`: some device may never answer an invalidation. `late_responses`:
    somebody asks if a response leaves before or after the end of unbind.
    """
    registers = Registers(world.frames.allocate(MMIO), fault_records)
    contexts_at, table, rings = _structures(world, 1 << options.get("priq_log2size", 1))
    board = sides(world, PageTables, "VT-d", LANE, options)
    unit = hardware(registers=registers, context_table=contexts_at, contexts=1, pasids=board.pasids.all)
    iqt, irq = Doorbell(world, "IQT", registers.IQT), world.interrupt("PRQ")
    submit = qi(registers, rings.iq, rings.status, world.spinlock("q_lock"), iqt)
    entries = contexts(table, SID, submit, world.spinlock("iommu->lock"), contexts_at, options.get("srcu"))
    write_words(world, entry_address(table, PASID), entries.of(board.bond))
    responses = PageGroupResponses(SID, submit)
    faults = intake(world, board, VtdUnits.queue_name, responses, options, marker_discards=False)
    answers = options.get("responder", Responder)(responses)
    requests = queue(registers, rings.prq, irq, world.mutex("PRQ lock"), faults, answers)
    drained = drain(registers, rings.prq, requests, entries, submit, SID, board.device)
    if options.get("drains", False):
        entries.drains_with(drained.run)
    queues = invalidations(unit, world.memory, rings.iq), prq(world.memory, rings.prq, registers)
    if warm:
        _warm(world, unit, contexts_at, table)
    return VtdPlatform(
        **board.shared,
        units=_units(units, board.attached(world, options), *queues, _Lines(iqt, irq, time_outs, late_responses)),
        contexts=entries,
        iopf=faults.iopf,
        queue=requests,
        qi=submit,
        drain=drained,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Rings:
    """Invalidation queue, page request queue and status words, in one frame."""

    iq: ByteRing
    prq: ByteRing
    status: PhysAddr


@dataclass(frozen=True, slots=True)
class _Lines:
    """How the unit and its driver reach each other, and what is looked at besides."""

    iqt: Doorbell
    prq: Interrupt
    time_outs: bool
    late_responses: bool


def _units(
    kind: Callable[..., VtdUnits], attached: Attached, queue: InvalidationQueue, prq: Prq, lines: _Lines
) -> VtdUnits:
    """The unit around its hardware."""
    world, hardware = attached["world"], queue.vtd
    registers = hardware.registers
    return kind(
        **attached,
        vtd=hardware,
        prq=prq,
        prq_irq=lines.prq,
        fault_log=FaultLog(world.memory, registers),
        fault_irq=world.interrupt("fault event"),
        invalidations=queue,
        doorbell=lines.iqt,
        time_outs=lines.time_outs,
        late_responses=lines.late_responses,
        invalidation_irq=world.interrupt("invalidation complete"),
    )


def _structures(world: World, prq_entries: int) -> tuple[PhysAddr, PhysAddr, _Rings]:
    """Context table, PASID table and rings, with a directory between the first two."""
    contexts, directory, table, queues = (world.frames.allocate(KERNEL) for _ in range(4))
    write_words(world, context_address(contexts, SID), context_entry(directory=directory))
    write_words(world, directory_address(directory, PASID), [directory_entry(table)])
    return contexts, table, _rings(queues, prq_entries)


def _rings(base: PhysAddr, prq_entries: int) -> _Rings:
    """A ring keeps one slot empty, so that it has twice the entries that must fit."""
    prq_base = PhysAddr(base + QUEUE_ENTRIES * ENTRY_BYTES)
    prq = ByteRing(prq_base, 2 * prq_entries)
    return _Rings(iq=ByteRing(base, QUEUE_ENTRIES), prq=prq, status=PhysAddr(prq_base + prq.entries * ENTRY_BYTES))


def _warm(world: World, hardware: Vtd, contexts: PhysAddr, table: PhysAddr) -> None:
    """As the device's first translation request has left them."""
    read = world.memory.read

    def words(address: PhysAddr, count: int) -> list[int]:
        return [read(PhysAddr(address + number * 8)) for number in range(count)]

    hardware.context_cache[SID] = check(words(context_address(contexts, SID), ENTRY_QWORDS))
    hardware.pasid_cache[SID, PASID] = check_entry(words(entry_address(table, PASID), 8))
