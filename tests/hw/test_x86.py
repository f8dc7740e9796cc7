"""x86 paging entries, walks and the table builder."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hw.bus import PhysAddr, VirtAddr
from hw.memory import FrameAllocator, Memory, mm_owner
from hw.paging.walks import Translation, descriptor_address
from hw.paging.x86 import (
    Fault,
    PageTables,
    Reached,
    WalkFault,
    canonical,
    page_entry,
    root,
    table_entry,
    walk,
)

VA = VirtAddr((3 << 39) | (5 << 30) | (7 << 21) | (9 << 12))
KERNEL_VA = VirtAddr(0xFFFF_8000_0000_1000)
PAGE = PhysAddr(0xF000)
NAMES = ("PML4E", "PDPE", "PDE", "PTE")


@pytest.fixture
def tables() -> PageTables:
    """One address space in 16 frames; frame 15 stands for a data page."""
    memory = Memory(16)
    return PageTables(memory, FrameAllocator(memory, 1, 14), mm_owner(0))


def test_entries_bit_by_bit() -> None:
    # P 1, R/W 2, U/S 4, A 0x20, D 0x40, G 0x100
    assert table_entry(PhysAddr(0x5000)) == 0x5027
    assert page_entry(PhysAddr(0x5000)) == 0x5067
    assert page_entry(PhysAddr(0x5000), writable=False) == 0x5025
    assert page_entry(PhysAddr(0x5000), user=False, global_=True) == 0x5163
    with pytest.raises(ValueError, match="multiples of 4096"):
        page_entry(PhysAddr(0x5008))
    with pytest.raises(ValueError, match="table address"):
        table_entry(PhysAddr(1 << 52))


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        (0, True),
        (0x7FFF_FFFF_F000, True),
        (0x8000_0000_0000, False),
        (0xFFFF_7FFF_FFFF_F000, False),
        (0xFFFF_8000_0000_0000, True),
    ],
)
def test_canonical_addresses(tables: PageTables, address: int, expected: bool) -> None:
    assert canonical(VirtAddr(address)) is expected
    if not expected:
        with pytest.raises(ValueError, match="canonical"):
            tables.leaf_address(VirtAddr(address))
        assert tables.lookup_now(VirtAddr(address)) is None


@pytest.mark.parametrize("va", [VA, KERNEL_VA])
def test_a_walk_reads_one_entry_a_level(tables: PageTables, run: Any, make_bus: Any, va: VirtAddr) -> None:
    tables.map_now(va, PAGE)
    bus = make_bus(tables.memory)
    walked = run(walk(bus, root(tables.root), VirtAddr(va + 0x123)))
    assert walked.outcome == Translation(page=PAGE, readable=True, writable=True)
    assert [reached.table for reached in walked.trail] == tables.tables[1:]
    assert [reached.level for reached in walked.trail] == [1, 2, 3]
    assert bus.steps == [f"{name} {va + 0x123:#x}" for name in NAMES]
    assert tables.lookup_now(va) == walked.outcome


def test_a_walk_can_start_lower(tables: PageTables, run: Any, make_bus: Any) -> None:
    tables.map_now(VA, PAGE)
    bus = make_bus(tables.memory)
    start = Reached(level=3, table=tables.tables[3], writable=False)
    walked = run(walk(bus, start, VA))
    assert walked.outcome == Translation(page=PAGE, readable=True, writable=False), "rights above were not all"
    assert (bus.steps, walked.trail) == ([f"PTE {VA:#x}"], ())


def test_what_is_unmapped_faults_at_the_level_that_misses(tables: PageTables, run: Any, make_bus: Any) -> None:
    tables.map_now(VA, PAGE)
    assert tables.unmap_now(VA) == page_entry(PAGE)
    bus = make_bus(tables.memory)
    for address, level in ((VA, 3), (VA ^ (1 << 21), 2), (VA ^ (1 << 30), 1), (VA ^ (1 << 39), 0)):
        walked = run(walk(bus, root(tables.root), VirtAddr(address)))
        assert (walked.outcome.kind, walked.outcome.level) == (WalkFault.NOT_PRESENT, level)
        assert len(walked.trail) == level
        assert tables.lookup_now(VirtAddr(address)) is None
    bus.steps.clear()
    outside = run(walk(bus, root(tables.root), VirtAddr(1 << 47)))
    assert outside.outcome == Fault(kind=WalkFault.NOT_CANONICAL, level=0)
    assert bus.steps == []


@pytest.mark.parametrize(
    ("entry", "nxe", "outcome"),
    [
        (page_entry(PAGE, user=False), True, WalkFault.SUPERVISOR),
        (page_entry(PhysAddr(1 << 48)), True, WalkFault.RESERVED),
        (page_entry(PAGE) | 1 << 63, False, WalkFault.RESERVED),
        (page_entry(PAGE) | 1 << 63, True, Translation(page=PAGE, readable=True, writable=True)),
        (page_entry(PAGE) | 1 << 52, True, Translation(page=PAGE, readable=True, writable=True)),
        (page_entry(PAGE) & ~0x60, True, Translation(page=PAGE, readable=True, writable=False, clean=True)),
        (page_entry(PAGE, writable=False), True, Translation(page=PAGE, readable=True, writable=False)),
        (page_entry(PAGE) & ~1, True, WalkFault.NOT_PRESENT),
    ],
)
def test_leaves(
    tables: PageTables, run: Any, make_bus: Any, entry: int, nxe: bool, outcome: Translation | WalkFault
) -> None:
    leaf = tables.leaf_address(VA)
    tables.memory.write(leaf, entry)
    walked = run(walk(make_bus(tables.memory), root(tables.root), VA, nxe=nxe))
    if isinstance(outcome, WalkFault):
        assert walked.outcome == Fault(kind=outcome, level=3, entry=leaf)
    else:
        assert walked.outcome == outcome


def test_every_level_must_grant_a_right(tables: PageTables, run: Any, make_bus: Any) -> None:
    tables.map_now(VA, PAGE)
    bus = make_bus(tables.memory)
    for level, table in enumerate(tables.tables):
        where = descriptor_address(table, VA, level)
        whole = tables.memory.read(where)
        tables.memory.write(where, whole & ~2)
        assert run(walk(bus, root(tables.root), VA)).outcome == Translation(page=PAGE, readable=True, writable=False)
        tables.memory.write(where, whole & ~4)
        assert run(walk(bus, root(tables.root), VA)).outcome.kind is WalkFault.SUPERVISOR
        assert tables.lookup_now(VA) is None
        tables.memory.write(where, whole)


@pytest.mark.parametrize(
    ("level", "entry", "expected"),
    [
        (2, 0x4000_0000 | 0xE7, 0x4000_9000),
        (1, 0x4000_0000 | 0xE7, 0x4000_0000 | (7 << 21) | (9 << 12)),
        (2, 0x4000_1000 | 0xE7, 0x4000_9000),
        (2, 0x4000_2000 | 0xE7, WalkFault.RESERVED),
        (1, 0x4020_0000 | 0xE7, WalkFault.RESERVED),
        (0, 0xE7, WalkFault.RESERVED),
    ],
)
def test_large_pages(
    tables: PageTables, run: Any, make_bus: Any, level: int, entry: int, expected: int | WalkFault
) -> None:
    """Bit 12 of a large page is PAT; its other low address bits are reserved."""
    tables.map_now(VA, PAGE)
    tables.memory.write(descriptor_address(tables.tables[level], VA, level), entry)
    outcome = run(walk(make_bus(tables.memory), root(tables.root), VA)).outcome
    assert (outcome.kind if isinstance(outcome, Fault) else outcome.page) == expected
    with pytest.raises(ValueError, match=f"level {level} block"):
        tables.leaf_address(VA)


def test_a_table_outside_memory_cannot_be_read(tables: PageTables, run: Any, make_bus: Any) -> None:
    tables.memory.write(tables.root, table_entry(PhysAddr(0x10_0000)))
    walked = run(walk(make_bus(tables.memory), root(tables.root), VirtAddr(0)))
    assert walked.outcome == Fault(kind=WalkFault.ACCESS, level=1, entry=PhysAddr(0x10_0000))


@given(st.dictionaries(st.integers(0, 3), st.booleans(), min_size=1))
def test_the_builder_agrees_with_a_dictionary(pages: dict[int, bool]) -> None:
    memory = Memory(32)
    space = PageTables(memory, FrameAllocator(memory, 1, 31), mm_owner(0))
    addresses = [VirtAddr((number << 39) | (number << 12)) for number in range(4)]
    for number, writable in pages.items():
        space.map_now(addresses[number], PhysAddr((number + 1) << 12), writable)
    for number, address in enumerate(addresses):
        expected = None
        if number in pages:
            expected = Translation(page=PhysAddr((number + 1) << 12), readable=True, writable=pages[number])
        assert space.lookup_now(address) == expected
