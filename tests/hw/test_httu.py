"""Flags that an SMMU writes into descriptors (IHI 0070 §3.13): which, when, and never into what is no leaf."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest

from hw.aarch64 import AP2_READ_ONLY, DBM, PageTables, page_descriptor, table_descriptor
from hw.bus import Asid, PhysAddr, StreamId, VirtAddr
from hw.memory import FrameAllocator, Memory, mm_owner
from hw.pcie.tlp import NO_PASID, CompletionStatus, TranslationRequest
from hw.smmuv3 import cd, ste
from hw.smmuv3.cd import Httu, Walks
from hw.smmuv3.evtq import EventId
from hw.smmuv3.registers import Registers
from hw.smmuv3.ste import DefaultSubstream
from hw.smmuv3.translate import Disposition, Smmu, translate_request, untranslated_access

SID = StreamId(1)
STES, CDS = PhysAddr(0x1000), PhysAddr(0x2000)
VA = VirtAddr(0x7000)
PAGE, OTHER = PhysAddr(0xE000), PhysAddr(0xF000)
OLD = page_descriptor(PAGE, accessed=False)
YOUNG = page_descriptor(PAGE)
CLEAN = page_descriptor(PAGE, writable=False) | DBM.mask
DIRTY = CLEAN & ~AP2_READ_ONLY.mask
DONE = (Disposition.PROCEED, PAGE, 0)


@dataclass
class World:
    """Stream 1 maps one page, through a CD with HA and HD."""

    memory: Memory
    smmu: Smmu
    bus: Any
    run: Callable[[Any], Any]
    leaf: PhysAddr

    def put_cd(self, **flags: int) -> None:
        """The CD with other flags."""
        fields = cd.decode(cd.paging_cd(asid=Asid(1), ttb0=PhysAddr(0x4000)))
        for number, word in enumerate(cd.encode(**(fields | flags))):
            self.memory.write(PhysAddr(CDS + 8 * number), word)

    def access(self, descriptor: int | None = None, *, write: bool) -> tuple[Disposition, int, int]:
        """What becomes of an access, once the leaf is `descriptor`."""
        if descriptor is not None:
            self.memory.write(self.leaf, descriptor)
        access = untranslated_access(self.bus, self.smmu, sid=SID, pasid=NO_PASID, address=VA, write=write)
        answer = self.run(access)
        return answer.disposition, answer.address, answer.event.id if answer.event else 0

    def request(self, descriptor: int, *, write: bool) -> tuple[CompletionStatus, bool, bool]:
        """What becomes of a translation request."""
        self.memory.write(self.leaf, descriptor)
        request = TranslationRequest(sid=SID, pasid=NO_PASID, address=VA, write=write, tag=0)
        done = self.run(translate_request(self.bus, self.smmu, request)).completion
        return done.status, done.read, done.write

    @property
    def word(self) -> int:
        """The leaf now."""
        return self.memory.read(self.leaf)


@pytest.fixture
def world(run: Any, make_bus: Any) -> World:
    """Everything valid; no page yet."""
    memory = Memory(16)
    tables = PageTables(memory, FrameAllocator(memory, 4, 9), mm_owner(0))
    entry = ste.cdtable_ste(s1_context_ptr=CDS, s1cdmax=1, s1dss=DefaultSubstream.SSID0)
    for number, word in enumerate(entry):
        memory.write(PhysAddr(STES + 64 + 8 * number), word)
    smmu = Smmu(
        registers=Registers(PhysAddr(0)),
        stream_table=STES,
        streams=2,
        walks=Walks(httu=Httu.ACCESS_AND_DIRTY),
    )
    made = World(memory=memory, smmu=smmu, bus=make_bus(memory), run=run, leaf=tables.leaf_address(VA))
    made.put_cd(HA=1, HD=1)
    return made


@pytest.mark.parametrize(
    ("httu", "flags", "legal"),
    [
        (Httu.NONE, {"HA": 1}, False),
        (Httu.NONE, {"HD": 1}, False),
        (Httu.ACCESS, {"HA": 1}, True),
        (Httu.ACCESS, {"HA": 1, "HD": 1}, False),
        (Httu.ACCESS_AND_DIRTY, {"HA": 1, "HD": 1}, True),
    ],
)
def test_what_a_cd_may_ask_for(httu: Httu, flags: dict[str, int], legal: bool) -> None:
    q0, q1, *_ = cd.encode(**(cd.decode(cd.paging_cd(asid=Asid(1), ttb0=PhysAddr(0x4000))) | flags))
    found = cd.check((q0, q1), walks=Walks(httu=httu))
    assert (found is not EventId.C_BAD_CD) is legal


def test_an_access_sets_the_access_flag_in_an_atomic_update(world: World) -> None:
    assert world.access(OLD, write=False) == DONE
    assert world.word == YOUNG
    assert world.bus.steps[-2:] == [f"rmw flags of TTD {world.leaf:#x}", "TLB fill"]


def test_without_ha_nothing_is_written(world: World) -> None:
    world.put_cd(HA=0, HD=1)
    assert world.access(OLD, write=True) == (Disposition.ABORT, 0, EventId.F_ACCESS)
    assert world.word == OLD


def test_a_write_makes_a_clean_page_dirty_and_a_read_does_not(world: World) -> None:
    assert world.access(CLEAN, write=False) == DONE
    assert (world.word, [entry.clean for entry in world.smmu.tlb.entries()]) == (CLEAN, [True])
    assert world.access(write=True) == DONE, "a hit on a clean entry walks again"
    assert (world.word, [entry.clean for entry in world.smmu.tlb.entries()]) == (DIRTY, [False])
    world.bus.steps.clear()
    assert world.access(write=True) == DONE
    assert len(world.bus.steps) == 1, "now it is a hit"


@pytest.mark.parametrize("flags", [{"HA": 1, "HD": 0}, {"HA": 1, "HD": 1}])
def test_a_page_that_may_not_be_written_stays_as_it_is(world: World, flags: dict[str, int]) -> None:
    """DBM = 0, or no HD."""
    world.put_cd(**flags)
    descriptor = CLEAN if not flags["HD"] else CLEAN & ~DBM.mask
    assert world.access(descriptor, write=True) == (Disposition.ABORT, 0, EventId.F_PERMISSION)
    assert world.word == descriptor


@pytest.mark.parametrize(("write", "word"), [(True, DIRTY), (False, CLEAN)])
def test_a_translation_request_marks_the_page_at_once(world: World, write: bool, word: int) -> None:
    """IHI 0070 §3.13.7: what the device does with the translation later nobody sees."""
    assert world.request(CLEAN, write=write) == (CompletionStatus.SUCCESS, True, write)
    assert world.word == word


@pytest.mark.parametrize(
    ("meanwhile", "answer", "word"),
    [
        (0, (Disposition.ABORT, 0, EventId.F_TRANSLATION), 0),
        (page_descriptor(OTHER, accessed=False), (Disposition.PROCEED, OTHER, 0), page_descriptor(OTHER)),
        (YOUNG, DONE, YOUNG),
    ],
)
def test_a_leaf_that_changes_before_the_update_is_looked_at_again(
    world: World, meanwhile: int, answer: tuple[Disposition, int, int], word: int
) -> None:
    world.bus.before[f"rmw flags of TTD {world.leaf:#x}"] = lambda: world.memory.write(world.leaf, meanwhile)
    assert world.access(OLD, write=False) == answer
    assert world.word == word


@pytest.mark.parametrize(
    ("data", "after"),
    [(0, 0), (OLD & ~1, OLD & ~1), (YOUNG, YOUNG), (OLD, YOUNG), (CLEAN, DIRTY), (0x1234_5403, 0x1234_5403)],
)
def test_of_a_page_that_is_walked_as_a_table_only_what_reads_as_a_leaf_changes(
    world: World, data: int, after: int
) -> None:
    """A table was freed and its frame holds somebody's data: a write of the device through the stale path."""
    world.access(data, write=True)
    assert world.word == after


def test_a_table_in_place_of_the_leaf_is_no_leaf(world: World) -> None:
    """A block that becomes a table before the update is walked on, and the table stays as it is."""
    level2 = PhysAddr(0x6000)
    world.memory.write(level2, OLD & ~PAGE & ~2)
    where = f"rmw flags of TTD {level2:#x}"
    world.bus.before[where] = lambda: world.memory.write(level2, table_descriptor(PhysAddr(0x7000)))
    assert world.access(YOUNG, write=False)[0] is Disposition.PROCEED
    assert world.memory.read(level2) == table_descriptor(PhysAddr(0x7000))
    assert where in world.bus.steps
