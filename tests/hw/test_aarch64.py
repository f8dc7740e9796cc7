"""Descriptors, walks and the table builder."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hw.bus import PhysAddr, VirtAddr
from hw.memory import FrameAllocator, Memory, mm_owner
from hw.paging.aarch64 import (
    Fault,
    PageTables,
    WalkFault,
    index,
    page_descriptor,
    table_descriptor,
    walk,
)
from hw.paging.walks import Translation, descriptor_address

VA = VirtAddr((3 << 39) | (5 << 30) | (7 << 21) | (9 << 12))
PAGE = PhysAddr(0xF000)


@pytest.fixture
def tables() -> PageTables:
    """One address space in 16 frames; frame 15 stands for a data page."""
    memory = Memory(16)
    return PageTables(memory, FrameAllocator(memory, 1, 14), mm_owner(0))


def test_descriptors_bit_by_bit() -> None:
    assert table_descriptor(PhysAddr(0x5000)) == 0x5003
    # valid, page 0x3; AP[1] 0x40; SH=3 0x300; AF 0x400; nG 0x800
    assert page_descriptor(PhysAddr(0x5000)) == 0x5F43
    assert page_descriptor(PhysAddr(0x5000), writable=False) == 0x5FC3
    assert page_descriptor(PhysAddr(0x5000), accessed=False) == 0x5B43
    assert page_descriptor(PhysAddr(0x5000), global_=True) == 0x5743
    with pytest.raises(ValueError, match="multiples of 4096"):
        page_descriptor(PhysAddr(0x5008))


def test_indices() -> None:
    assert [index(VA, level) for level in range(4)] == [3, 5, 7, 9]
    assert descriptor_address(PhysAddr(0x1000), VA, 3) == 0x1048


def test_a_walk_reads_one_descriptor_a_level(tables: PageTables, run: Any, make_bus: Any) -> None:
    tables.map_now(VA, PAGE)
    bus = make_bus(tables.memory)
    found = run(walk(bus, tables.root, VirtAddr(VA + 0x123), write=True))
    assert found == Translation(page=PAGE, readable=True, writable=True)
    assert bus.steps == [f"TTD L{level} {VA + 0x123:#x}" for level in range(4)]
    assert tables.lookup_now(VA) == found


def test_what_is_unmapped_faults_at_the_level_that_misses(tables: PageTables, run: Any, make_bus: Any) -> None:
    bus = make_bus(tables.memory)
    tables.map_now(VA, PAGE)
    assert tables.unmap_now(VA) == page_descriptor(PAGE)
    for address, level in ((VA, 3), (VA ^ (1 << 21), 2), (VA ^ (1 << 30), 1), (VA ^ (1 << 39), 0)):
        fault = run(walk(bus, tables.root, VirtAddr(address), write=False))
        assert (fault.kind, fault.level) == (WalkFault.TRANSLATION, level)
        assert tables.lookup_now(VirtAddr(address)) is None
    bus.steps.clear()
    outside = run(walk(bus, tables.root, VirtAddr(1 << 48), write=False))
    assert outside == Fault(kind=WalkFault.TRANSLATION, level=0)
    assert bus.steps == []


@pytest.mark.parametrize(
    ("descriptor", "write", "el0", "kind"),
    [
        (page_descriptor(PAGE, writable=False), True, True, WalkFault.PERMISSION),
        (page_descriptor(PAGE) & ~0x40, False, True, WalkFault.PERMISSION),
        (page_descriptor(PAGE, writable=False) & ~0x40, True, False, WalkFault.PERMISSION),
        (page_descriptor(PAGE, accessed=False), False, True, WalkFault.ACCESS_FLAG),
        (page_descriptor(PAGE) & ~2, False, True, WalkFault.TRANSLATION),
        (page_descriptor(PhysAddr(1 << 40)), False, True, WalkFault.ADDRESS_SIZE),
    ],
)
def test_leaf_faults(
    tables: PageTables, run: Any, make_bus: Any, descriptor: int, write: bool, el0: bool, kind: WalkFault
) -> None:
    leaf = tables.leaf_address(VA)
    tables.memory.write(leaf, descriptor)
    fault = run(walk(make_bus(tables.memory), tables.root, VA, write=write, el0=el0, output_bits=40))
    assert fault == Fault(kind=kind, level=3, descriptor=leaf)


def test_privileged_access_ignores_ap1(tables: PageTables, run: Any, make_bus: Any) -> None:
    tables.memory.write(tables.leaf_address(VA), page_descriptor(PAGE) & ~0x40)
    found = run(walk(make_bus(tables.memory), tables.root, VA, write=True, el0=False))
    assert found == Translation(page=PAGE, readable=True, writable=True)


def test_a_block_yields_the_page_inside_it(tables: PageTables, run: Any, make_bus: Any) -> None:
    tables.map_now(VA, PAGE)
    level1 = PhysAddr(tables.memory.read(descriptor_address(tables.root, VA, 0)) & ~3)
    level2 = PhysAddr(tables.memory.read(descriptor_address(level1, VA, 1)) & ~3)
    tables.memory.write(descriptor_address(level2, VA, 2), (0x4000_0000 | page_descriptor(PhysAddr(0))) & ~2)
    found = run(walk(make_bus(tables.memory), tables.root, VA, write=False))
    assert found.page == 0x4000_9000
    with pytest.raises(ValueError, match="level 2 block"):
        tables.leaf_address(VA)


def test_a_table_outside_memory_is_an_external_abort(tables: PageTables, run: Any, make_bus: Any) -> None:
    tables.memory.write(tables.root, table_descriptor(PhysAddr(0x10_0000)))
    fault = run(walk(make_bus(tables.memory), tables.root, VirtAddr(0), write=False))
    assert fault == Fault(kind=WalkFault.EXTERNAL_ABORT, level=1, descriptor=PhysAddr(0x10_0000))


def test_tables_are_created_once_and_belong_to_their_mm(tables: PageTables) -> None:
    assert tables.leaf_address(VA) + 8 == tables.leaf_address(VirtAddr(VA + 0x1000))
    assert tables.tables == [0x1000, 0x2000, 0x3000, 0x4000]
    assert {tables.memory.owner_of(table) for table in tables.tables} == {mm_owner(0)}


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
