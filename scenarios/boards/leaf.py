"""Streams with two-level CD tables, in whose second range of PASIDs no leaf is hooked up yet."""

from __future__ import annotations

from actors.iommus.smmuv3.attach_units import AttachUnits
from actors.runtime.world import World
from drivers.kernel.memory.objects import Object
from drivers.smmuv3.attach.cd_leaf import FORMAT, CdTable
from hw.bus import Asid, Pasid, PhysAddr, StreamId, VirtAddr
from hw.memory import FRAME_BYTES, KERNEL, MMIO, WORD_BYTES, mm_owner
from hw.paging.aarch64 import PageTables
from hw.smmuv3.cd import sva_cd
from hw.smmuv3.entry import ENTRY_BYTES, Qwords
from hw.smmuv3.level1 import l1cd
from hw.smmuv3.registers import Registers
from hw.smmuv3.state import Smmu
from hw.smmuv3.ste import AtsMode, DefaultSubstream, cdtable_ste, ste_address

from .endpoint import write_words
from .invalidations import command_queue

PASID = Pasid(1025)
"""The leaf of PASIDs 1024 to 2047 is missing."""
S1CDMAX = 11
ADDRESS = VirtAddr(0x10_0000)
_LEAF_FRAMES = (ENTRY_BYTES << FORMAT.bits) // FRAME_BYTES


class LeafBoard:
    """An SMMU, and a process whose CD is about to be written."""

    def __init__(self, world: World, streams: int = 1) -> None:
        frames = world.frames
        self.world = world
        self.smmu = Smmu(
            registers=Registers(frames.allocate(MMIO)),
            stream_table=frames.allocate(KERNEL),
            streams=streams,
            report_fetches=True,
        )
        self.units, self.queue = command_queue(world, self.smmu, AttachUnits)
        owner = mm_owner(0)
        tables = PageTables(world.memory, frames, owner)
        tables.map_now(ADDRESS, frames.allocate(owner))
        self.process: Qwords = sva_cd(asid=Asid(1), ttb0=tables.root)

    def table(self, sid: StreamId, kind: type[CdTable] = CdTable, *, present: bool = False) -> CdTable:
        """A stream's CD table; its leaf was hooked up before if `present`."""
        frames = self.world.frames
        level1, space = frames.allocate(KERNEL), frames.allocate_run(KERNEL, _LEAF_FRAMES)
        entry = cdtable_ste(
            s1_context_ptr=level1,
            s1fmt=FORMAT,
            s1cdmax=S1CDMAX,
            s1dss=DefaultSubstream.BYPASS,
            eats=AtsMode.REFUSED,
        )
        write_words(self.world, ste_address(self.smmu.stream_table, sid), entry)
        leaf = Object(f"CD leaf of stream {sid}") if present else None
        if present:
            write_words(self.world, PhysAddr(level1 + (PASID >> FORMAT.bits) * WORD_BYTES), [l1cd(space, FORMAT)])
        return kind(sid, level1, space, PASID, self.queue, leaf)
