"""Context, directory and PASID entries, bit by bit: what makes them illegal, and how a fetch can tear one."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hw.bus import Pasid, PhysAddr, StreamId
from hw.fields import Field
from hw.memory import Memory
from hw.vtd import context, pasid
from hw.vtd.faults import Denial, FaultReason
from hw.vtd.pasid import Did, DirectoryEntry, PasidEntry, TranslationType
from tests.hw.conftest import StubBus, drive
from tests.hw.vtd_world import PE, TABLE, World

ROOT = PhysAddr(0x12_3000)


def test_context_golden() -> None:
    # P 0, DTE 2, PASIDE 3, PRE 4, PDTS 9; RID_PASID in word 1
    assert context.context_entry(directory=PhysAddr(0x5000)) == (0x501D, 0, 0, 0)
    made = context.context_entry(
        directory=PhysAddr(0x5000), pdts=2, ats=False, pri=False, pasid=False, fpd=True, rid_pasid=Pasid(0xFFFFF)
    )
    assert made == (0x5403, 0xFFFFF, 0, 0)
    assert context.context_address(PhysAddr(0x1000), StreamId(3)) == 0x1060
    with pytest.raises(ValueError, match="multiples of 4096"):
        context.context_entry(directory=PhysAddr(0x5020))


def test_the_context_of_sample_10() -> None:
    taken = context.check((0x1_01B4_D401, 0))
    assert isinstance(taken, context.Context)
    assert (taken.directory, taken.directory_entries) == (0x1_01B4_D000, 512)
    assert (taken.dte, taken.pre, taken.paside, taken.fpd, taken.rid_pasid) == (False, False, False, False, 0)


@pytest.mark.parametrize(
    ("q0", "q1", "reason", "fpd"),
    [
        (0x501C, 0, FaultReason.CONTEXT_ENTRY_P, False),
        (0x2, 0, FaultReason.CONTEXT_ENTRY_P, True),
        (0x5021, 0, FaultReason.CONTEXT_ENTRY_RESERVED, False),
        (0x5003, 1 << 20, FaultReason.CONTEXT_ENTRY_RESERVED, True),
    ],
)
def test_context_check(q0: int, q1: int, reason: FaultReason, fpd: bool) -> None:
    assert context.check((q0, q1)) == Denial(reason=reason, fpd=fpd)


def test_pasid_entry_golden() -> None:
    # q0: P, AW 2 at bit 2, PGTT 1 at bit 6; q1: DID 1, PWSNP 87-64; q2: NXE 133-128, FLPTPTR from 140-128
    assert pasid.first_level_entry(flptptr=ROOT) == (0x49, 0x80_0001, 0x12_3020, 0, 0, 0, 0, 0)
    assert pasid.first_level_entry(flptptr=ROOT, did=Did(0xFFFF))[1] == 0x80_FFFF
    assert pasid.empty_entry() == (0,) * 8
    assert pasid.empty_entry(fpd=True) == (2, 0, 0, 0, 0, 0, 0, 0)
    everything = pasid.encode(SRE=1, FLPM=3, WPE=1, EAFE=1, PGSNP=1, FPD=1, SLPTPTR=0xF)
    assert everything[:3] == (0xF002, 0x100_0000, 0x9D)
    with pytest.raises(ValueError, match="multiples of 4096"):
        pasid.first_level_entry(flptptr=PhysAddr(0x1008))


def test_the_pass_through_entry_of_sample_10() -> None:
    assert pasid.pass_through_entry(Did(1))[:2] == (0x109, 0x1)
    assert pasid.check((0x109, 0x1, 0)) == PasidEntry(
        fpd=False, pgtt=TranslationType.PASS_THROUGH, did=Did(1), nxe=False, flptptr=PhysAddr(0)
    )
    assert pasid.check_directory(0x1_01B4_E001) == DirectoryEntry(fpd=False, table=PhysAddr(0x1_01B4_E000))


def words(layout: tuple[Mapping[str, Field], ...]) -> st.SearchStrategy[tuple[int, ...]]:
    """Words in which only named fields are set."""
    masks = [sum(field.mask for field in table.values()) for table in layout]
    anything = st.tuples(*(st.integers(0, 2**64 - 1) for _ in masks))
    return anything.map(lambda drawn: tuple(word & mask for word, mask in zip(drawn, masks, strict=True)))


@given(words(pasid.LAYOUT))
def test_pasid_entry_round_trip(qwords: tuple[int, ...]) -> None:
    assert pasid.encode(**pasid.decode(qwords)) == qwords
    taken = pasid.check(qwords)
    assert isinstance(taken, PasidEntry) or taken.reason in (FaultReason.PASID_ENTRY_P, FaultReason.PASID_ENTRY_INVALID)


@given(words(context.LAYOUT))
def test_context_round_trip(qwords: tuple[int, ...]) -> None:
    assert context.encode(**context.decode(qwords)) == qwords


@given(st.tuples(*[st.integers(0, 2**64 - 1)] * 8))
def test_no_words_are_an_exception(qwords: tuple[int, ...]) -> None:
    assert isinstance(pasid.check(qwords), PasidEntry | Denial)
    assert isinstance(context.check(qwords), context.Context | Denial)
    assert isinstance(pasid.check_directory(qwords[0]), DirectoryEntry | Denial)
    assert pasid.meaning(qwords)


@pytest.mark.parametrize("layout", [pasid.LAYOUT, context.LAYOUT])
def test_fields_do_not_overlap(layout: Any) -> None:
    for table in layout:
        taken = 0
        for name, field in table.items():
            assert not taken & field.mask, name
            taken |= field.mask


def first_level(**changes: int) -> PasidEntry | Denial:
    """A checked first-level entry with some fields changed."""
    return pasid.check(pasid.encode(**(pasid.decode(pasid.first_level_entry(flptptr=ROOT)) | changes)))


def denied(reason: FaultReason, fpd: bool = False) -> Denial:
    """A refusal."""
    return Denial(reason=reason, fpd=fpd)


def test_pasid_entry_check() -> None:
    assert first_level() == PasidEntry(fpd=False, pgtt=TranslationType.FIRST_LEVEL, did=Did(1), nxe=True, flptptr=ROOT)
    assert first_level(P=0) == denied(FaultReason.PASID_ENTRY_P)
    assert first_level(P=0, FPD=1) == denied(FaultReason.PASID_ENTRY_P, fpd=True)
    present_and_quiet = first_level(FPD=1)
    assert isinstance(present_and_quiet, PasidEntry)
    assert present_and_quiet.fpd
    for pgtt in (0, TranslationType.SECOND_LEVEL, TranslationType.NESTED, 5, 7):
        assert first_level(PGTT=pgtt) == denied(FaultReason.PASID_ENTRY_INVALID)
    assert first_level(FLPM=1) == denied(FaultReason.PASID_ENTRY_INVALID), "five levels"
    assert isinstance(first_level(FLPM=1, PGTT=TranslationType.PASS_THROUGH), PasidEntry)


@pytest.mark.parametrize(("word", "bit"), [(0, 10), (0, 11), (1, 16), (1, 25), (1, 63), (2, 8), (2, 11)])
def test_reserved_bits_of_a_pasid_entry(word: int, bit: int) -> None:
    qwords = list(pasid.first_level_entry(flptptr=ROOT))
    qwords[word] |= 1 << bit
    assert pasid.check(qwords) == denied(FaultReason.PASID_ENTRY_RESERVED)
    qwords[0] &= ~1
    assert pasid.check(qwords) == denied(FaultReason.PASID_ENTRY_P), "nobody looks at an entry that is not present"


def test_the_meaning_of_an_entry() -> None:
    assert pasid.meaning(pasid.empty_entry(fpd=True)) == "PASID_ENTRY_P (P=0 FPD=1)"
    assert pasid.meaning(pasid.first_level_entry(flptptr=ROOT)) == "PGTT=0x1 DID=0x1 NXE=0x1 FLPTPTR=0x123"
    assert pasid.meaning(pasid.pass_through_entry(Did(5))) == "PGTT=0x4 DID=0x5"


@pytest.mark.parametrize(
    ("word", "expected"),
    [
        (0x5001, DirectoryEntry(fpd=False, table=PhysAddr(0x5000))),
        (0x5003, DirectoryEntry(fpd=True, table=PhysAddr(0x5000))),
        (0x5000, denied(FaultReason.PASID_DIRECTORY_P)),
        (0x2, denied(FaultReason.PASID_DIRECTORY_P, fpd=True)),
        (0x5005, denied(FaultReason.PASID_DIRECTORY_RESERVED)),
    ],
)
def test_directory_check(word: int, expected: DirectoryEntry | Denial) -> None:
    assert pasid.check_directory(word) == expected


def test_where_entries_lie() -> None:
    assert pasid.directory_address(PhysAddr(0x2000), Pasid(63)) == 0x2000
    assert pasid.directory_address(PhysAddr(0x2000), Pasid(0xFFFFF)) == 0x2000 + 0x3FFF * 8
    assert pasid.entry_address(PhysAddr(0x3000), Pasid(65)) == 0x3040
    assert pasid.directory_entry(PhysAddr(0x3000)) == 0x3001
    with pytest.raises(ValueError, match="PASID table at 0x3010"):
        pasid.directory_entry(PhysAddr(0x3010))


@pytest.mark.parametrize(
    ("count", "expected"),
    [
        (1, ((0, 1, 2),)),
        (2, ((0, 1, 2),)),
        (4, ((0, 1), (2,))),
        (8, ((0,), (1,), (2,))),
    ],
)
def test_pieces(count: int, expected: pasid.Pieces) -> None:
    assert pasid.pieces(count) == expected


def test_other_pieces_are_refused() -> None:
    with pytest.raises(ValueError, match="allowed are 1, 2, 4 and 8"):
        pasid.pieces(3)


@pytest.mark.parametrize(
    ("count", "torn"),
    [(8, True), (4, True), (2, False), (1, False)],
)
def test_an_entry_is_torn_only_between_pieces(count: int, torn: bool) -> None:
    """Race VTD-R17/VTD-R18: the new owner's table is read with the old owner's P and DID."""
    world = World()
    world.put_entry(pasid.first_level_entry(flptptr=ROOT, did=Did(1)))
    last = {1: "PE[1].q0-2", 2: "PE[1].q0-2", 4: "PE[1].q2", 8: "PE[1].q2"}[count]

    def rewrite() -> None:
        world.put_entry(pasid.first_level_entry(flptptr=PhysAddr(0x45_6000), did=Did(2)))

    world.before(last, rewrite)
    seen: list[pasid.Qwords] = []
    fetched = drive(pasid.fetch_entry(world.bus, TABLE, Pasid(1), pasid.pieces(count), seen=seen.append))
    assert isinstance(fetched, PasidEntry)
    assert (fetched.did, fetched.flptptr) == ((1, 0x45_6000) if torn else (2, 0x45_6000))
    assert len(seen) == 1
    assert pasid.check(seen[0]) == fetched


def test_pieces_come_in_the_order_that_hardware_chooses() -> None:
    world = World()
    world.bus.choices = [1]
    drive(pasid.fetch_entry(world.bus, TABLE, Pasid(1), pasid.pieces(4), any_order=True))
    assert world.bus.steps == [PE[2], PE[1]]


def test_what_cannot_be_read_is_an_access_error() -> None:
    bus = StubBus(Memory(1))
    nowhere = PhysAddr(0x10_0000)
    assert drive(context.fetch_context(bus, nowhere, StreamId(0))) == denied(FaultReason.CONTEXT_ENTRY_ACCESS)
    assert drive(pasid.fetch_directory(bus, nowhere, Pasid(1), fpd=True)) == denied(
        FaultReason.PASID_DIRECTORY_ACCESS, True
    )
    entry = drive(pasid.fetch_entry(bus, nowhere, Pasid(1), pasid.pieces(4), fpd=True))
    assert entry == denied(FaultReason.PASID_ENTRY_ACCESS, True)
