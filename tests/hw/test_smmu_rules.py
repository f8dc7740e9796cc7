"""Rules of IHI 0070 that are easily got wrong, each with its section: sizes, permissions, and what is recorded."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import pytest

from actors.iommus.smmuv3.command_units import invalidate_request
from hw.bus import Asid, Pasid, PhysAddr, StreamId, VirtAddr
from hw.memory import Memory
from hw.paging.aarch64 import first_level, page_descriptor, table_descriptor, walk
from hw.paging.walks import descriptor_address
from hw.pcie.ats import hits
from hw.pcie.tlp import NO_PASID, CompletionStatus, TranslationRequest
from hw.smmuv3 import cd, commands, ste
from hw.smmuv3.cd import Walks
from hw.smmuv3.config import entry_in_memory
from hw.smmuv3.evtq import EventId
from hw.smmuv3.level1 import l1std
from hw.smmuv3.registers import Registers
from hw.smmuv3.ste import AtsMode, DefaultSubstream, Ste
from hw.smmuv3.translate import Disposition, Smmu, translate_request, translated_access, untranslated_access

SID = StreamId(1)
STES = PhysAddr(0x1000)
CDS = PhysAddr(0x2000)
TABLES = tuple(PhysAddr(number << 12) for number in range(3, 7))
PAGE = PhysAddr(0xF000)


@dataclass
class World:
    """Stream 1 with one CD without PASIDs, and a chain of four tables."""

    memory: Memory
    smmu: Smmu
    bus: Any
    run: Callable[[Any], Any]

    def put(self, at: PhysAddr, words: tuple[int, ...]) -> None:
        """Write an entry at once."""
        for number, word in enumerate(words):
            self.memory.write(PhysAddr(at + 8 * number), word)

    def access(self, address: int, *, write: bool = False, sid: StreamId = SID) -> tuple[Disposition, int, int]:
        """What becomes of an untranslated access: disposition, address, event."""
        access = untranslated_access(
            self.bus, self.smmu, sid=sid, pasid=NO_PASID, address=VirtAddr(address), write=write
        )
        answer = self.run(access)
        return answer.disposition, answer.address, answer.event.id if answer.event else 0

    def translated(self, *, sid: StreamId = SID) -> tuple[Disposition, int]:
        """What becomes of a translated write."""
        access = translated_access(self.bus, self.smmu, sid=sid, pasid=NO_PASID, address=PAGE, write=True)
        answer = self.run(access)
        return answer.disposition, answer.event.id if answer.event else 0

    def request(self, address: int, *, sid: StreamId = SID) -> tuple[CompletionStatus, int, tuple[bool, bool], int]:
        """What becomes of a translation request: status, page, rights, event."""
        request = TranslationRequest(sid=sid, pasid=NO_PASID, address=VirtAddr(address), write=False, tag=0)
        answer = self.run(translate_request(self.bus, self.smmu, request))
        done = answer.completion
        return done.status, done.page, (done.read, done.write), answer.event.id if answer.event else 0


@pytest.fixture
def world(run: Any, make_bus: Any) -> World:
    """Nothing is mapped, every STE is invalid."""
    memory = Memory(16)
    smmu = Smmu(registers=Registers(PhysAddr(0)), stream_table=STES, streams=4)
    return World(memory=memory, smmu=smmu, bus=make_bus(memory), run=run)


def stage1(dss: DefaultSubstream, **options: Any) -> tuple[int, ...]:
    """An STE with a table of CDs."""
    return ste.cdtable_ste(s1_context_ptr=CDS, s1cdmax=1, s1dss=dss, **options)


@pytest.mark.parametrize(
    ("address", "size", "hit"),
    [
        (0x3000, 0, {3}),
        (0x3000, 1, {2, 3}),
        (0x2000, 1, {2, 3}),
        (0x5000, 2, {4, 5, 6, 7}),
        (0x3000, 52, set(range(9))),
    ],
)
def test_an_atc_invalidation_is_aligned_down_to_its_size(address: int, size: int, hit: set[int]) -> None:
    """IHI 0070 §4.5.1: 2 pages from page 3 are pages 2 and 3, so a driver that does not align misses page 4."""
    request = invalidate_request(1, commands.atc_inv(SID, Pasid(1), VirtAddr(address), size))
    assert {page for page in range(9) if hits(request, Pasid(1), VirtAddr(page << 12))} == hit


@pytest.mark.parametrize(("bits", "level"), [(48, 0), (40, 0), (39, 1), (31, 1), (30, 2), (25, 2)])
def test_where_a_walk_begins(bits: int, level: int) -> None:
    """IHI 0070 §3.4: with 4 KB tables a level resolves 9 bits."""
    assert first_level(bits) == level


@pytest.mark.parametrize("bits", [48, 39, 30, 25])
def test_a_short_walk_reads_as_many_tables_as_it_needs(world: World, bits: int) -> None:
    address = VirtAddr((1 << bits) - 0x1000)
    start = first_level(bits)
    for level in range(start, 3):
        world.memory.write(descriptor_address(TABLES[level], address, level), table_descriptor(TABLES[level + 1]))
    world.memory.write(descriptor_address(TABLES[3], address, 3), page_descriptor(PAGE))
    world.put(ste.ste_address(STES, SID), stage1(DefaultSubstream.SSID0))
    entry = cd.decode(cd.paging_cd(asid=Asid(1), ttb0=TABLES[start])) | {"T0SZ": 64 - bits}
    world.put(CDS, cd.encode(**entry))
    assert world.access(address) == (Disposition.PROCEED, PAGE, 0)
    assert [step for step in world.bus.steps if step.startswith("TTD")] == [
        f"TTD L{level} {address:#x}" for level in range(start, 4)
    ]
    assert world.access(1 << bits) == (Disposition.ABORT, 0, EventId.F_TRANSLATION)


@pytest.mark.parametrize(
    ("limits", "hierarchical", "el0", "rights"),
    [
        ((0, 0), True, True, (True, True)),
        ((1 << 62, 0), True, True, (True, False)),
        ((0, 1 << 62), True, True, (True, False)),
        ((1 << 61, 0), True, True, None),
        ((1 << 61, 1 << 62), True, False, (True, False)),
        ((1 << 61, 1 << 62), False, True, (True, True)),
    ],
)
def test_table_descriptors_take_rights_away(
    world: World, limits: tuple[int, int], hierarchical: bool, el0: bool, rights: tuple[bool, bool] | None
) -> None:
    """IHI 0070 §3.13.3: APTable[1] of any table takes write away, APTable[0] takes EL0 away; not with CD.HAD0."""
    for level in range(3):
        limit = limits[level] if level < 2 else 0
        world.memory.write(TABLES[level], table_descriptor(TABLES[level + 1]) | limit)
    world.memory.write(TABLES[3], page_descriptor(PAGE))
    found = world.run(walk(world.bus, TABLES[0], VirtAddr(0), write=False, el0=el0, hierarchical=hierarchical))
    assert (None if rights is None else (found.readable, found.writable)) == rights


def test_an_access_flag_of_0_counts_as_1_with_affd(world: World) -> None:
    """IHI 0070 §5.4."""
    for level in range(3):
        world.memory.write(TABLES[level], table_descriptor(TABLES[level + 1]))
    world.memory.write(TABLES[3], page_descriptor(PAGE, accessed=False))
    world.put(ste.ste_address(STES, SID), stage1(DefaultSubstream.SSID0))
    fields = cd.decode(cd.paging_cd(asid=Asid(1), ttb0=TABLES[0]))
    for affd, expected in ((0, (Disposition.ABORT, 0, EventId.F_ACCESS)), (1, (Disposition.PROCEED, PAGE, 0))):
        world.put(CDS, cd.encode(**(fields | {"AFFD": affd})))
        world.smmu.cds.clear()
        assert world.access(0) == expected


def test_a_request_that_skips_stage_1_is_an_identity(world: World) -> None:
    """IHI 0070 §3.9.1.2: Success with R=W=1 once EATS has passed, R=W=0 beyond the address size, and no event."""
    world.put(ste.ste_address(STES, SID), stage1(DefaultSubstream.BYPASS))
    assert world.request(0x5000) == (CompletionStatus.SUCCESS, 0x5000, (True, True), 0)
    assert world.request((1 << 48) - 0x1000) == (CompletionStatus.SUCCESS, (1 << 48) - 0x1000, (True, True), 0)
    assert world.request(1 << 48) == (CompletionStatus.SUCCESS, 0, (False, False), 0)
    world.smmu.stes.clear()
    world.put(ste.ste_address(STES, SID), stage1(DefaultSubstream.BYPASS, eats=AtsMode.REFUSED))
    assert world.request(0x5000) == (CompletionStatus.UR, 0, (False, False), EventId.F_BAD_ATS_TREQ)


@pytest.mark.parametrize("entry", [ste.bypass_ste(), stage1(DefaultSubstream.BYPASS)])
def test_an_address_that_is_too_large_does_not_pass(world: World, entry: tuple[int, ...]) -> None:
    """IHI 0070 §3.4: an abort and F_ADDR_SIZE, never a stall."""
    world.put(ste.ste_address(STES, SID), entry)
    world.smmu.walks = Walks(output_bits=40)
    assert world.access((1 << 40) - 8) == (Disposition.PROCEED, (1 << 40) - 8, 0)
    assert world.access(1 << 40) == (Disposition.ABORT, 0, EventId.F_ADDR_SIZE)


def test_without_smmuen_addresses_pass_as_they_are(world: World) -> None:
    """IHI 0070 §3.4, §3.9: too large ones abort without an event, and ATS is refused with one."""
    world.smmu.enabled = False
    assert world.access(0x5008) == (Disposition.PROCEED, 0x5008, 0)
    assert world.access(1 << 48) == (Disposition.ABORT, 0, 0)
    assert world.request(0x5000) == (CompletionStatus.UR, 0, (False, False), EventId.F_BAD_ATS_TREQ)
    assert world.translated() == (Disposition.ABORT, EventId.F_TRANSL_FORBIDDEN)


@pytest.mark.parametrize(
    ("ats", "streams", "recorded"),
    [(False, False, (0, 0, 0)), (True, False, (0, 0, 4)), (False, True, (2, 0, 0)), (True, True, (2, 2, 4))],
)
def test_what_is_recorded_of_streams_and_requests(
    world: World, ats: bool, streams: bool, recorded: tuple[int, int, int]
) -> None:
    """IHI 0070 §7.3, §3.9.1.2: C_BAD_STREAMID with CR2.RECINVSID, of a request only with CR2.REC_CFG_ATS, too."""
    world.smmu.record_config_errors_of_ats, world.smmu.record_bad_streams = ats, streams
    beyond = StreamId(4)
    access, request, invalid = world.access(0, sid=beyond), world.request(0, sid=beyond), world.request(0)
    assert access[:2] == (Disposition.ABORT, 0)
    assert request[:3] == invalid[:3] == (CompletionStatus.CA, 0, (False, False))
    assert (access[2], request[3], invalid[3]) == recorded


@pytest.mark.parametrize(("recorded", "events"), [(False, (0, 0)), (True, (EventId.C_BAD_STE, EventId.C_BAD_STREAMID))])
def test_what_is_recorded_of_translated_traffic(world: World, recorded: bool, events: tuple[int, int]) -> None:
    """IHI 0070 §3.9.1.3: errors of configuration with CR2.REC_CFG_ATS alone; an STE that aborts is silent."""
    world.smmu.atschk, world.smmu.record_bad_streams = True, False
    world.smmu.record_config_errors_of_ats = recorded
    assert (world.translated(), world.translated(sid=StreamId(4))) == tuple(
        (Disposition.ABORT, each) for each in events
    )
    world.smmu.stes.clear()
    world.put(ste.ste_address(STES, SID), ste.abort_ste())
    assert world.translated() == (Disposition.ABORT, 0)


def test_the_entry_of_a_stream_past_the_caches(world: World) -> None:
    """What an automatic response looks PPAR up in, and STALL_TERM whether the stream aborts."""
    world.put(ste.ste_address(STES, SID), stage1(DefaultSubstream.SSID0, ppar=True))
    found = world.run(entry_in_memory(world.bus, world.smmu, SID))
    assert isinstance(found, Ste)
    assert (found.ppar, world.bus.steps, world.smmu.stes) == (True, ["STE[1].q0-1"], {})
    assert world.run(entry_in_memory(world.bus, world.smmu, StreamId(0))) is EventId.C_BAD_STE
    assert world.run(entry_in_memory(world.bus, world.smmu, StreamId(4))) is EventId.C_BAD_STREAMID
    nowhere = replace(world.smmu, stream_table=PhysAddr(0x10_0000))
    assert world.run(entry_in_memory(world.bus, nowhere, SID)) is EventId.F_STE_FETCH


def test_the_entry_of_a_stream_behind_a_first_level(world: World) -> None:
    world.smmu.stream_table, world.smmu.split, world.smmu.streams = TABLES[0], 6, 128
    world.memory.write(PhysAddr(TABLES[0] + 8), l1std(STES, 2))
    world.put(ste.ste_address(STES, SID), stage1(DefaultSubstream.SSID0, ppar=True))
    assert isinstance(world.run(entry_in_memory(world.bus, world.smmu, StreamId(65))), Ste)
    assert world.run(entry_in_memory(world.bus, world.smmu, StreamId(66))) is EventId.C_BAD_STREAMID
    assert world.bus.steps == ["L1STD[1]", "STE[65].q0-1", "L1STD[1]"]
