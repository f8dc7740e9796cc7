"""Races VTD-R17 and VTD-R18: a PASID entry changes while the IOMMU fetches it piece by piece."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from actors.devices.burst import Burst
from actors.devices.job import Job
from actors.runtime.world import Cpu, World
from drivers.events.binding import BindReturned
from drivers.kernel.memory.mm import Mm
from drivers.vtd.pasid_table_variants import WRITERS, Replaces
from hw.bus import PhysAddr, VirtAddr
from hw.events.link import pasid_resource
from hw.vtd.pasid import Did, Qwords, empty_entry, first_level_entry, meaning, pass_through_entry, pieces
from hw.vtd.state import Vtd

from ..boards.endpoint import PASID
from ..boards.vtd import vtd_platform
from ..boards.vtd_knobs import fields_of, knob
from ..oracles.no_refusal_after_bind import NoRefusalAfterBind
from ..oracles.walker_uses_old_or_new import WalkerUsesOldOrNew
from ..parameters import Param, Parameters, number, one_of
from ..scenario import scenario
from ..witnesses.traffic_spans_the_update import TrafficSpansTheUpdate
from .torn_pasid_entry_verdicts import EXPECTED

OTHER = Did(2)
CHANGES: dict[str, Callable[[PhysAddr], Qwords]] = {
    "clear": lambda _: empty_entry(),
    "process": lambda root: first_level_entry(flptptr=root),
    "domain": lambda root: first_level_entry(flptptr=root, did=OTHER),
    "identity": lambda _: pass_through_entry(OTHER),
}
"""What becomes of the entry of process A, given the page tables of process B."""


class TornPasidEntry(Parameters):
    """How the entry changes, and how hardware reads it."""

    change = one_of(*CHANGES, default="clear", meaning="the entry goes (VTD-R17), or has another process, domain, type")
    writer = one_of(*WRITERS, default="in-place", meaning="how software makes the change")
    fetch = Param(default=4, allowed=(1, 4, 8), meaning="reads in which hardware fetches an entry: 512, 128 or 64 bits")
    order = one_of("ascending", "any", default="ascending", meaning="the order of those reads")
    accesses = number(1, 3, default=2, meaning="writes of the device")
    caching = knob("caching")
    pasid_cache = knob("pasid_cache")


@scenario(
    TornPasidEntry,
    source="75ed00055c05 (January 2026): iommu/vt-d: Clear Present bit before tearing down PASID entry; "
    "c3b1edea3791 (January 2026), CVE-2026-45945: iommu/vt-d: Fix race condition during PASID entry replacement",
    expected=EXPECTED,
)
def torn_pasid_entry(world: World, given: TornPasidEntry) -> None:
    """A driver clears or replaces a PASID entry that the IOMMU may be fetching in pieces."""
    hardware = partial(
        Vtd,
        entry_pieces=pieces(given.fetch),
        any_order=given.order == "any",
        report_fetches=True,
        **fields_of(given),
    )

    def jobs(*processes: Mm) -> list[Job]:
        page = VirtAddr(world.frames.allocate(processes[0].owner))  # identity maps this address into memory, too
        for mm in processes:
            mm.tables.map_now(page, PhysAddr(page))
        return [Job(number, [page]) for number in range(given.accesses)]

    board = vtd_platform(world, device=Burst, jobs=jobs, contexts=WRITERS[given.writer], warm=False, hardware=hardware)
    table, caching = board.contexts, board.units.vtd.caching_mode
    assert isinstance(table, Replaces)
    old, new = table.of(board.bond), CHANGES[given.change](board.mm_b.tables.root)

    async def driver(cpu: Cpu) -> None:
        if given.change == "clear":
            await table.clear(cpu, board.bond)
            return
        table.aim(new)
        await table.replace(cpu, board.bond)
        if caching:
            await cpu.access("bind returns", writes=(pasid_resource(PASID),))
            cpu.emit(BindReturned(pasid=PASID))

    board.add_hardware(world, ats=False)
    world.add_actor("driver", driver)
    entry = f"PE[{PASID}]"
    world.check(WalkerUsesOldOrNew(entry, frozenset(meaning(words) for words in (old, new))))
    if caching:
        world.check(NoRefusalAfterBind())
    world.expect(TrafficSpansTheUpdate(entry, meaning(old), meaning(new)))
