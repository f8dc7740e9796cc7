"""The board of seed 004: one SMMU, master M that changes domains, master S that works for a process."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Generic, TypeVar

from actors.devices.ats_endpoint import AtsEndpoint
from actors.devices.job import Job
from actors.iommus.invalidation_timer import add_invalidation_timer
from actors.iommus.smmuv3.attach_ats import AtsUnits
from actors.iommus.smmuv3.attach_units import AttachUnits
from actors.runtime.world import World
from drivers.events.attach import ContextStored, Names, StreamStored
from drivers.kernel.endpoint import Endpoint
from drivers.smmuv3.attach.entries import ContextEntry, StreamEntry
from drivers.smmuv3.attach.invalidations import Invalidations
from drivers.smmuv3.attach.rid import AsidTable, Domain, DomainContexts, Master, RidContexts
from hw.bus import Asid, Pasid, PhysAddr, StreamId, VirtAddr
from hw.memory import KERNEL, MMIO, mm_owner
from hw.paging.aarch64 import PageTables
from hw.pcie.pri import PageRequestInterface
from hw.pcie.tlp import NO_PASID
from hw.smmuv3 import LANE, cd, ste
from hw.smmuv3.cd import Cd, paging_cd
from hw.smmuv3.registers import Registers
from hw.smmuv3.state import Smmu
from hw.smmuv3.ste import AtsMode, DefaultSubstream, Ste, cdtable_ste

from .endpoint import write_words
from .invalidations import command_queue, queue_each

M, S = StreamId(0), StreamId(1)
RID, PASID = Pasid(0), Pasid(1)
ADDRESS = VirtAddr(0x10_0000)
UnitsT = TypeVar("UnitsT", bound=AttachUnits)
CPU_ASID = Asid(1)
"""What the CPU chose for process P; it is also the first that the kernel's allocator gives out."""


class Board(Generic[UnitsT]):
    """M is attached to one domain and has been busy, so the SMMU holds its STE and CD; S has no CD yet.

    In case 1 the domain with the CPU's ASID is M's old one; in case 2 it is the new one, which gets the ASID when M is
    attached, if that is still free.
    """

    def __init__(
        self,
        world: World,
        *,
        case: str,
        units: Callable[..., UnitsT],
        domain_tables: bool = False,
        eats: AtsMode = AtsMode.REFUSED,
        queue_of: Sequence[str] = (),
    ) -> None:
        """`queue_of`: the threads that have a command queue each; without, there is one for all."""
        frames, memory = world.frames, world.memory
        self.world = world
        self.leaves: dict[str, PhysAddr] = {}
        """Where each page table has the descriptor of ADDRESS."""
        self.pages: dict[str, PhysAddr] = {}
        """What that descriptor says."""
        streams = frames.allocate(KERNEL)
        self.smmu = Smmu(registers=Registers(frames.allocate(MMIO)), stream_table=streams, streams=2)
        self.names = Names(streams={M: "M", S: "S"})
        kind = partial(units, names=self.names)
        queue: Invalidations
        if queue_of:
            self.units, queue = queue_each(world, self.smmu, kind, queue_of)
        else:
            self.units, queue = command_queue(world, self.smmu, kind)
        self.queue = queue
        self.asids = AsidTable(world.mutex)
        self.before: list[StreamStored | ContextStored] = []
        self.contested = self._domain("D", CPU_ASID if case == "1" else None)
        self.other = self._domain("E", Asid(2))
        old, self.new = (self.contested, self.other) if case == "1" else (self.other, self.contested)
        for domain in (self.contested, self.other):
            if domain.asid is not None:
                self.asids.owners[domain.asid] = domain
        entries = {domain.name: self._context(RID, domain.name) for domain in (self.contested, self.other)}
        own = self._context(RID, "M")
        self.master = Master("M", M, StreamEntry(memory, streams, M, self.names), own, old)
        used = entries[old.name] if domain_tables else own
        self._set_up(self.master.stream, used, old.asid, old.ttb, eats)
        self.contexts = DomainContexts(self.queue, entries) if domain_tables else RidContexts(self.queue)
        self.process = self._tables(2, "P")
        self.sva = self._context(PASID, "S")
        self._set_up(StreamEntry(memory, streams, S, self.names), self.sva, None, self.process)

    def _domain(self, name: str, asid: Asid | None) -> Domain:
        tables = self._tables("DE".index(name), name)
        domain = Domain(name, tables, self.world.mutex, self.world.spinlock, asid)
        self.world.at_end(domain.devices.clear)
        return domain

    def _context(self, ssid: Pasid, owner: str) -> ContextEntry:
        """A CD in a new table of `owner`, a master or a domain."""
        table = self.world.frames.allocate(KERNEL)
        self.names.tables[table] = owner
        return ContextEntry(self.world.memory, table, ssid, owner, self.names)

    def _tables(self, number: int, name: str) -> PhysAddr:
        """Page tables with one page, which belong to an owner of their own."""
        owner = mm_owner(number)
        tables = PageTables(self.world.memory, self.world.frames, owner)
        self.pages[name] = self.world.frames.allocate(owner)
        tables.map_now(ADDRESS, self.pages[name])
        self.names.tables[tables.root] = name
        self.leaves[name] = tables.leaf_address(ADDRESS)
        return tables.root

    def _set_up(
        self,
        stream: StreamEntry,
        context: ContextEntry,
        asid: Asid | None,
        ttb: PhysAddr,
        eats: AtsMode = AtsMode.REFUSED,
    ) -> None:
        """A stream with a CD table and, given an ASID, a valid CD in it that the SMMU has cached."""
        words = cdtable_ste(s1_context_ptr=context.table, s1cdmax=1, s1dss=DefaultSubstream.SSID0, eats=eats)
        write_words(self.world, stream.address, words)
        self.before.append(StreamStored(target=LANE, sid=stream.sid, table=context.table, asids=()))
        if asid is None:
            return
        taken = ste.check(words)
        assert isinstance(taken, Ste)
        self.smmu.stes[stream.sid] = taken
        words = paging_cd(asid=asid, ttb0=ttb)
        write_words(self.world, context.address, words)
        context.begin(words, words)
        self.before.append(
            ContextStored(target=LANE, table=context.table, ssid=context.ssid, asid=asid, ttb=ttb, asids=(asid,))
        )
        found = cd.check(words)
        assert isinstance(found, Cd)
        self.smmu.cds[stream.sid, context.ssid] = found
        self.smmu.expected_asid[stream.sid, None] = asid


def add_function(
    world: World, units: AtsUnits, count: int, *, answers_when_off: bool, completion_passes: bool
) -> AtsEndpoint:
    """Master M with an ATC: `count` writes, what it is sent, its configuration space, and the SMMU's time-out for
    it."""
    function = AtsEndpoint(
        world=world,
        endpoint=Endpoint(world.word("unused"), world.word("unused"), world.word("unused"), 0),
        upstream=units.upstream,
        downstream=units.downstream,
        pri=PageRequestInterface(1),
        jobs=[Job(number, [ADDRESS]) for number in range(count)],
        pasid=NO_PASID,
        meant_for="whom M works for",
        name="M",
        answers_when_off=answers_when_off,
        completion_passes=completion_passes,
    )
    world.add_actor("M", function.engine, hardware=True)
    world.add_actor("M.link", function.receiver, daemon=True, hardware=True)
    world.add_actor("M.config", function.configuration, daemon=True, hardware=True)
    if not answers_when_off:
        add_invalidation_timer(units, function)
    return function
