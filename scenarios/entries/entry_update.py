"""One STE or CD changes while its stream is live and the SMMU fetches it word by word."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import drivers.cpu
from actors.iommus.smmuv3.attach_units import AttachUnits
from actors.runtime.world import Cpu, Main, World
from drivers.smmuv3.entry_writer import STE, WRITERS, Entry, EntryKind, Sync
from hw.bus import Asid, Pasid, PhysAddr, StreamId, VirtAddr
from hw.memory import KERNEL, MMIO, mm_owner
from hw.paging.aarch64 import PageTables
from hw.pcie.tlp import NO_PASID
from hw.smmuv3.cd import cd_address, paging_cd
from hw.smmuv3.commands import cfgi_cd, cfgi_ste
from hw.smmuv3.entry import Qwords
from hw.smmuv3.registers import Registers
from hw.smmuv3.state import Smmu
from hw.smmuv3.ste import AtsMode, DefaultSubstream, cdtable_ste, ste_address

from ..boards.endpoint import write_words
from ..boards.invalidations import add_reader, command_queue
from ..oracles.hitless_update_never_refuses import HitlessUpdateNeverRefuses
from ..oracles.walker_uses_old_or_new import WalkerUsesOldOrNew
from ..parameters import Parameters, number, one_of
from ..scenario import scenario
from ..witnesses.traffic_spans_the_update import TrafficSpansTheUpdate
from .entry_transitions import TRANSITIONS
from .entry_update_verdicts import EXPECTED

SID, RID = StreamId(0), Pasid(0)
ADDRESS = VirtAddr(0x10_0000)


class EntryUpdate(Parameters):
    """What is changed and how, and what the SMMU fetches meanwhile."""

    change = one_of(*TRANSITIONS, default="cdtable-bypass", meaning="from which entry to which")
    writer = one_of(*WRITERS, default="6.9", meaning="how software makes the change")
    accesses = number(1, 3, default=2, meaning="DMA accesses of the stream")
    prefetches = number(0, 2, default=0, meaning="fetches that the SMMU makes without traffic")


@scenario(
    EntryUpdate,
    source="smmuv3 §1.3, §3.2: the entry writer of Linux 6.9; races SMMU-R24 and SMMU-R25",
    expected=EXPECTED,
)
def entry_update(world: World, given: EntryUpdate) -> None:
    """A driver changes a live STE or CD while the SMMU fetches it word by word."""

    def update(entry: Changing) -> Main:
        written = Entry(entry.name, entry.address, entry.kind, WRITERS[given.writer]())

        async def main(cpu: Cpu) -> None:
            await written.write(cpu, entry.new, entry.sync)

        return main

    fill(world, given.change, given.accesses, given.prefetches, update)


@dataclass(frozen=True, slots=True)
class Changing:
    """An entry that is to be changed, and how to wait until nobody uses what was cached of it."""

    name: str
    address: PhysAddr
    kind: EntryKind
    new: Qwords
    sync: Sync


def fill(world: World, change: str, accesses: int, prefetches: int, update: Callable[[Changing], Main]) -> None:
    """A world in which `update` gives the actor that makes the change."""
    frames = world.frames
    streams = frames.allocate(KERNEL)
    cd_tables = frames.allocate(KERNEL), frames.allocate(KERNEL)
    page_tables = _page_tables(world, 0), _page_tables(world, 1)
    transition = TRANSITIONS[change]
    is_ste = transition.kind is STE
    tables = cd_tables if is_ste else page_tables
    live = cdtable_ste(
        s1_context_ptr=cd_tables[0], s1cdmax=1, s1dss=DefaultSubstream.SSID0, eats=AtsMode.FULL, s1stalld=False
    )
    write_words(world, ste_address(streams, SID), live)
    for table, root in zip(cd_tables, page_tables, strict=True):
        write_words(world, cd_address(table, RID), paging_cd(asid=Asid(3), ttb0=root))
    name, address = (
        (f"STE[{SID}]", ste_address(streams, SID)) if is_ste else (f"CD[{RID}]", cd_address(cd_tables[0], RID))
    )
    write_words(world, address, transition.old(tables))

    smmu = Smmu(registers=Registers(frames.allocate(MMIO)), stream_table=streams, streams=1, report_fetches=True)
    units, queue = command_queue(world, smmu, AttachUnits)
    invalidate = cfgi_ste(SID) if is_ste else cfgi_cd(SID, RID)

    async def sync(cpu: drivers.cpu.Cpu) -> None:
        await queue.sync(cpu, invalidate)

    world.add_actor("CPU", update(Changing(name, address, transition.kind, transition.new(tables), sync)))
    add_reader(world, units, "M", SID, NO_PASID, ADDRESS, accesses)
    if prefetches:
        world.add_actor("smmu.prefetch", units.prefetcher(SID, NO_PASID, prefetches), hardware=True)
    world.check(WalkerUsesOldOrNew(name, transition.meanings(tables)))
    if transition.hitless:
        world.check(HitlessUpdateNeverRefuses(name))
    world.expect(TrafficSpansTheUpdate(name, *transition.ends(tables)))


def _page_tables(world: World, number: int) -> PhysAddr:
    owner = mm_owner(number)
    tables = PageTables(world.memory, world.frames, owner)
    tables.map_now(ADDRESS, world.frames.allocate(owner))
    return tables.root
