"""Two-level stream and CD tables: formats, bounds, and what stays cached until which CFGI."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hw.bus import Asid, Pasid, PhysAddr, StreamId, VirtAddr
from hw.events.fetched import EntryFetched
from hw.memory import FrameAllocator, Memory, mm_owner
from hw.paging.aarch64 import PageTables
from hw.smmuv3 import cd, level1, ste
from hw.smmuv3.commands import Command, Opcode, cfgi_cd, cfgi_ste
from hw.smmuv3.evtq import EventId
from hw.smmuv3.level1 import CdTableFormat, StreamLeaf, StreamTable
from hw.smmuv3.registers import Registers
from hw.smmuv3.state import L1STDS, Smmu, apply, resources_of
from hw.smmuv3.translate import Disposition, untranslated_access

SID = StreamId(5)
VA = VirtAddr(0x7000)
PAGE = PhysAddr(0x3F000)
L1CDS, LEAF_4K, L1STDS_AT, STES, LEAF_64K = (PhysAddr(a) for a in (0x1000, 0x2000, 0x3000, 0x4000, 0x20000))
NOWHERE = PhysAddr(0x80_0000)


def test_l1std_golden() -> None:
    assert level1.l1std(PhysAddr(0x4000), 7) == 0x4007
    assert level1.l1std(PhysAddr(0), 0) == 0
    assert level1.check_l1std(0x4007, 6) == StreamLeaf(base=PhysAddr(0x4000), streams=64)
    assert level1.check_l1std(0x4047, 6) == StreamLeaf(base=PhysAddr(0x4000), streams=64), "aligned to its size"
    assert level1.check_l1std(0x4001, 8) == StreamLeaf(base=PhysAddr(0x4000), streams=1)
    for word, split in ((0x4000, 6), (0x4008, 6), (0x400C, 10), (0x401F, 10)):
        assert level1.check_l1std(word, split) is EventId.C_BAD_STREAMID
    assert isinstance(level1.check_l1std(0x1000B, 10), StreamLeaf)
    with pytest.raises(ValueError, match="multiples of 0x1000 below"):
        level1.l1std(PhysAddr(0x4040), 7)


def test_l1cd_golden() -> None:
    assert level1.l1cd(PhysAddr(0x20000)) == 0x20001
    assert level1.l1cd(PhysAddr(0x2000), CdTableFormat.LEAF_4K) == 0x2001
    assert level1.check_l1cd(0x2001, CdTableFormat.LEAF_4K) == 0x2000
    assert level1.check_l1cd(0x25001, CdTableFormat.LEAF_64K) == 0x20000, "aligned to its size"
    assert level1.check_l1cd(0x2000, CdTableFormat.LEAF_4K) is EventId.C_BAD_SUBSTREAMID
    for leaf, form in (
        (0x2000, CdTableFormat.LEAF_64K),
        (0x2040, CdTableFormat.LEAF_4K),
        (1 << 52, CdTableFormat.LEAF_4K),
    ):
        with pytest.raises(ValueError, match="multiples of"):
            level1.l1cd(PhysAddr(leaf), form)
    assert [level1.l1cd_address(PhysAddr(0x1000), Pasid(64), form) for form in CdTableFormat] == [
        0x1000 + 8 * 64,
        0x1008,
        0x1000,
    ]


def test_stream_table_golden() -> None:
    assert StreamTable(log2size=8, split=6).encode() == 0x1_0188
    assert StreamTable(log2size=3).encode() == 0x3
    assert StreamTable.decode(0x1_0188) == StreamTable(log2size=8, split=6)
    assert StreamTable.decode(0x1_01C8) == StreamTable(log2size=8, split=6), "reserved SPLIT"
    assert StreamTable.decode(0x2_0208) == StreamTable(log2size=8), "reserved FMT"
    assert StreamTable(log2size=8).streams == 256
    with pytest.raises(ValueError, match="allowed are 0"):
        StreamTable(log2size=8, split=7).encode()


@given(st.integers(0, 63), st.sampled_from((0, 6, 8, 10)))
def test_stream_table_round_trip(log2size: int, split: int) -> None:
    table = StreamTable(log2size=log2size, split=split)
    assert StreamTable.decode(table.encode()) == table


@given(st.integers(0, (1 << 30) - 1), st.integers(1, 11))
def test_l1std_round_trip(number: int, span: int) -> None:
    leaf = PhysAddr(number << (span + 5))
    assert level1.check_l1std(level1.l1std(leaf, span), 10) == StreamLeaf(base=leaf, streams=1 << (span - 1))


@given(st.integers(0, (1 << 36) - 1), st.sampled_from((CdTableFormat.LEAF_4K, CdTableFormat.LEAF_64K)))
def test_l1cd_round_trip(number: int, form: CdTableFormat) -> None:
    leaf = PhysAddr(number << (form.bits + 6))
    assert level1.check_l1cd(level1.l1cd(leaf, form), form) == leaf


@dataclass
class Board:
    """Stream 5 behind tables of one or two levels; PASID `ssid` maps VA to PAGE."""

    memory: Memory
    smmu: Smmu
    bus: Any
    run: Callable[[Any], Any]
    root: PhysAddr

    def put(self, address: PhysAddr, *words: int) -> None:
        for number, word in enumerate(words):
            self.memory.write(PhysAddr(address + 8 * number), word)

    def two_level_cds(self, form: CdTableFormat, s1cdmax: int = 12) -> None:
        """The STE; no L1CD is valid yet."""
        entry = ste.cdtable_ste(s1_context_ptr=L1CDS, s1fmt=form, s1cdmax=s1cdmax, s1dss=ste.DefaultSubstream.SSID0)
        self.put(ste.ste_address(STES, SID), *entry)

    def access(self, ssid: int) -> Disposition | EventId:
        """PROCEED, or the event."""
        self.bus.steps.clear()
        answer = self.run(untranslated_access(self.bus, self.smmu, sid=SID, pasid=Pasid(ssid), address=VA, write=False))
        self.smmu.finish(answer.transaction)
        disposition: Disposition = answer.disposition
        return disposition if answer.event is None else answer.event.id

    def fetched(self) -> list[str]:
        """Which structures the last access read."""
        return [step.removeprefix("fetch ") for step in self.bus.steps if step.startswith(("fetch ", "L1"))]


@pytest.fixture
def board(run: Any, make_bus: Any) -> Board:
    memory = Memory(64)
    tables = PageTables(memory, FrameAllocator(memory, 5, 31), mm_owner(0))
    tables.map_now(VA, PAGE)
    smmu = Smmu(registers=Registers(PhysAddr(0)), stream_table=STES, streams=64)
    return Board(memory, smmu, make_bus(memory), run, tables.root)


@pytest.mark.parametrize(
    ("form", "ssid", "leaf", "place"),
    [
        (CdTableFormat.LEAF_4K, 5, LEAF_4K, 5),
        (CdTableFormat.LEAF_4K, 64 * 3 + 2, LEAF_4K, 2),
        (CdTableFormat.LEAF_64K, 2, LEAF_64K, 2),
        (CdTableFormat.LEAF_64K, 1024 * 3 + 1023, LEAF_64K, 1023),
    ],
)
def test_a_cd_is_found_through_its_leaf(
    board: Board, form: CdTableFormat, ssid: int, leaf: PhysAddr, place: int
) -> None:
    board.two_level_cds(form)
    number = ssid >> form.bits
    board.put(PhysAddr(L1CDS + 8 * number), level1.l1cd(leaf, form))
    board.put(cd.cd_address(leaf, Pasid(place)), *cd.sva_cd(asid=Asid(1), ttb0=board.root))
    assert board.access(ssid) is Disposition.PROCEED
    assert board.fetched() == ["STE[5]", f"L1CD[{number}]", f"CD[{ssid}]"]
    assert board.access(ssid) is Disposition.PROCEED
    assert board.fetched() == []
    assert board.access(ssid ^ 1) is EventId.C_BAD_CD
    assert board.fetched() == [f"CD[{ssid ^ 1}]"], "the L1CD is cached by itself"


def test_the_bounds_of_a_two_level_table(board: Board) -> None:
    board.two_level_cds(CdTableFormat.LEAF_4K, s1cdmax=8)
    board.put(L1CDS, level1.l1cd(LEAF_4K, CdTableFormat.LEAF_4K))
    assert board.access(1 << 8) is EventId.C_BAD_SUBSTREAMID
    assert board.fetched() == ["STE[5]"], "S1CDMax is looked at before any table"
    assert board.access(0) is EventId.F_STREAM_DISABLED
    assert board.access(255) is EventId.C_BAD_SUBSTREAMID
    assert board.fetched() == ["L1CD[3]"], "V=0"
    assert board.access(63) is EventId.C_BAD_CD
    assert board.fetched() == ["L1CD[0]", "CD[63]"]


@pytest.mark.parametrize(
    ("command", "recovers"),
    [
        (cfgi_cd(SID, Pasid(70)), False),
        (cfgi_cd(SID, Pasid(63), leaf=False), False),
        (cfgi_cd(StreamId(4), Pasid(70), leaf=False), False),
        (cfgi_cd(SID, Pasid(70), leaf=False), True),
        (cfgi_cd(SID, Pasid(64), leaf=False), True),
        (Command(opcode=Opcode.CFGI_CD_ALL, sid=SID), True),
        (cfgi_ste(SID), True),
        (Command(opcode=Opcode.CFGI_STE_RANGE, sid=StreamId(4), range=0), True),
        (Command(opcode=Opcode.CFGI_STE_RANGE, range=31), True),
    ],
)
def test_an_invalid_l1cd_is_cached_until_a_cfgi_reaches_it(board: Board, command: Command, recovers: bool) -> None:
    board.two_level_cds(CdTableFormat.LEAF_4K)
    assert board.access(70) is EventId.C_BAD_SUBSTREAMID
    board.put(cd.cd_address(LEAF_4K, Pasid(6)), *cd.sva_cd(asid=Asid(1), ttb0=board.root))
    board.put(PhysAddr(L1CDS + 8), level1.l1cd(LEAF_4K, CdTableFormat.LEAF_4K))
    assert board.access(70) is EventId.C_BAD_SUBSTREAMID
    assert board.fetched() == [], "the invalid descriptor was cached"
    apply(command, board.smmu)
    assert board.access(70) is (Disposition.PROCEED if recovers else EventId.C_BAD_SUBSTREAMID)


def test_a_cfgi_that_overtakes_the_fetch_of_an_l1cd_keeps_it_out_of_the_cache(board: Board) -> None:
    board.two_level_cds(CdTableFormat.LEAF_4K)
    board.bus.before["configuration cache fill"] = lambda: apply(cfgi_cd(SID, Pasid(64), leaf=False), board.smmu)
    assert board.access(70) is EventId.C_BAD_SUBSTREAMID
    assert (set(board.smmu.stes), board.smmu.l1cds) == ({SID}, {})
    board.bus.before["configuration cache fill"] = lambda: apply(cfgi_cd(SID, Pasid(70)), board.smmu)
    assert board.access(70) is EventId.C_BAD_SUBSTREAMID
    assert len(board.smmu.l1cds) == 1, "Leaf=1 does not name it"


def test_aborted_fetches(board: Board) -> None:
    board.put(
        ste.ste_address(STES, SID),
        *ste.cdtable_ste(s1_context_ptr=NOWHERE, s1fmt=CdTableFormat.LEAF_4K, s1cdmax=8),
    )
    assert board.access(1) is EventId.F_CD_FETCH
    assert (set(board.smmu.stes), board.smmu.l1cds, board.smmu.cds) == ({SID}, {}, {})
    board.put(
        ste.ste_address(STES, SID), *ste.cdtable_ste(s1_context_ptr=L1CDS, s1fmt=CdTableFormat.LEAF_4K, s1cdmax=8)
    )
    board.put(L1CDS, level1.l1cd(NOWHERE, CdTableFormat.LEAF_4K))
    apply(cfgi_ste(SID), board.smmu)
    assert board.access(1) is EventId.F_CD_FETCH
    assert (list(board.smmu.l1cds.values()), board.smmu.cds) == ([NOWHERE], {})
    board.smmu.stream_table = NOWHERE
    apply(cfgi_ste(SID), board.smmu)
    assert board.access(1) is EventId.F_STE_FETCH
    board.smmu.split = 6
    assert board.access(1) is EventId.F_STE_FETCH
    assert (board.smmu.stes, board.smmu.l1stds) == ({}, {})


def two_level_streams(board: Board, span: int) -> None:
    """Streams 0 to 63 behind one L1STD."""
    board.smmu.stream_table, board.smmu.split, board.smmu.streams = L1STDS_AT, 6, 256
    board.put(L1STDS_AT, level1.l1std(STES, span))
    board.put(ste.ste_address(STES, SID), *ste.cdtable_ste(s1_context_ptr=LEAF_4K, s1cdmax=4))
    board.put(cd.cd_address(LEAF_4K, Pasid(1)), *cd.sva_cd(asid=Asid(1), ttb0=board.root))


@pytest.mark.parametrize(("span", "legal"), [(0, False), (3, False), (4, True), (7, True), (8, False), (12, False)])
def test_the_span_of_a_level_1_stream_descriptor(board: Board, span: int, legal: bool) -> None:
    two_level_streams(board, 0)
    board.put(L1STDS_AT, STES | span)
    assert board.access(1) is (Disposition.PROCEED if legal else EventId.C_BAD_STREAMID)
    assert board.fetched() == (["L1STD[0]", "STE[5]", "CD[1]"] if legal else ["L1STD[0]"])
    assert board.access(1) is (Disposition.PROCEED if legal else EventId.C_BAD_STREAMID)
    assert board.fetched() == []


@pytest.mark.parametrize(
    ("command", "recovers"),
    [
        (cfgi_ste(SID), False),
        (cfgi_ste(StreamId(64), leaf=False), False),
        (cfgi_ste(StreamId(63), leaf=False), True),
        (Command(opcode=Opcode.CFGI_STE_RANGE, sid=StreamId(64), range=5), False),
        (Command(opcode=Opcode.CFGI_STE_RANGE, sid=StreamId(2), range=0), True),
        (Command(opcode=Opcode.CFGI_STE_RANGE, range=31), True),
    ],
)
def test_an_invalid_l1std_is_cached_until_a_cfgi_reaches_it(board: Board, command: Command, recovers: bool) -> None:
    two_level_streams(board, 0)
    assert board.access(1) is EventId.C_BAD_STREAMID
    board.put(L1STDS_AT, level1.l1std(STES, 7))
    apply(command, board.smmu)
    assert board.access(1) is (Disposition.PROCEED if recovers else EventId.C_BAD_STREAMID)


def test_a_stream_beyond_the_table_has_no_descriptor(board: Board) -> None:
    two_level_streams(board, 7)
    board.smmu.streams = 4
    assert board.access(1) is EventId.C_BAD_STREAMID
    assert board.fetched() == []


def test_only_leaf_0_names_the_shared_first_level() -> None:
    assert resources_of(cfgi_ste(SID)) == (("CFG", SID),)
    assert resources_of(cfgi_ste(SID, leaf=False)) == (("CFG", SID), L1STDS)
    assert resources_of(cfgi_cd(SID, Pasid(1), leaf=False)) == (("CFG", SID), ("CFG", SID, "CD"))


def test_first_level_fetches_are_reported(board: Board) -> None:
    two_level_streams(board, 7)
    board.smmu.report_fetches = True
    board.two_level_cds(CdTableFormat.LEAF_4K)
    events: list[EntryFetched] = []
    board.bus.emit = events.append
    board.access(1)
    assert [(event.entry, event.valid, event.meaning) for event in (events[0], events[2])] == [
        ("L1STD[0]", True, "64 STEs"),
        ("L1CD[0]", False, "C_BAD_SUBSTREAMID (V=0)"),
    ]
