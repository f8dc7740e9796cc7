"""Flags that VT-d writes into first-level tables: A wherever it has been, D where it has written, or may soon."""

from __future__ import annotations

import pytest

from hw.bus import PhysAddr
from hw.paging.walks import descriptor_address
from hw.paging.x86 import ENTRY_NAMES, A, D, page_entry
from hw.pcie.tlp import CompletionStatus
from hw.vtd.faults import FaultReason
from tests.hw.vtd_world import PAGE, VA, World

READ_WRITE = page_entry(PAGE)
CLEAN = READ_WRITE & ~D.mask
NEW = CLEAN & ~A.mask


@pytest.fixture
def world() -> World:
    """Everything valid."""
    return World()


def entries(world: World) -> list[PhysAddr]:
    """Where the entry of VA lies in the table of each level."""
    return [descriptor_address(table, VA, level) for level, table in enumerate(world.tables.tables)]


def put(world: World, leaf: int, *, used: bool = True) -> None:
    """The leaf, below tables that have been used or have not."""
    for where in entries(world)[:3]:
        word = world.memory.read(where)
        world.memory.write(where, word | A.mask if used else word & ~A.mask)
    world.memory.write(entries(world)[3], leaf)


def words(world: World) -> list[int]:
    """The flags of the four entries now."""
    return [world.memory.read(where) & (A.mask | D.mask) for where in entries(world)]


def test_what_has_been_used_costs_no_step_and_no_write(world: World) -> None:
    put(world, READ_WRITE)
    assert world.access(write=True).address == PAGE + 8
    assert world.bus.steps[-5:] == [*[f"{name} {VA + 8:#x}" for name in ENTRY_NAMES], "IOTLB fill"]


@pytest.mark.parametrize(("write", "leaf"), [(False, A.mask), (True, A.mask | D.mask)])
def test_every_entry_on_the_way_is_marked_by_an_update_of_its_own(world: World, write: bool, leaf: int) -> None:
    put(world, NEW, used=False)
    assert world.access(write=write).address == PAGE + 8
    assert words(world) == [A.mask, A.mask, A.mask, leaf]
    updates = [step for step in world.bus.steps if step.startswith("rmw")]
    assert updates == [f"rmw A/D of {where:#x}" for where in entries(world)]


def test_a_request_that_is_refused_at_the_leaf_has_marked_the_way(world: World) -> None:
    """CVE-2025-71202: unprivileged requests walk the kernel's tables, and write into them."""
    put(world, NEW & ~4, used=False)
    denied = world.access(write=True)
    assert denied.denial is not None
    assert denied.denial.reason is FaultReason.SUPERVISOR_PAGE
    assert words(world) == [A.mask, A.mask, A.mask, 0]


def test_a_write_to_a_page_that_was_read_walks_again(world: World) -> None:
    put(world, CLEAN)
    assert world.access(write=False).address == PAGE + 8
    assert [(entry.writable, entry.clean) for entry in world.vtd.iotlb.entries()] == [(False, True)]
    assert world.access(write=True).address == PAGE + 8
    assert [(entry.writable, entry.clean) for entry in world.vtd.iotlb.entries()] == [(True, False)]
    assert words(world)[3] == A.mask | D.mask


def test_a_write_to_a_page_without_the_right_leaves_d_alone(world: World) -> None:
    put(world, CLEAN & ~2)
    denied = world.access(write=True)
    assert denied.denial is not None
    assert denied.denial.reason is FaultReason.NO_WRITE_PERMISSION
    assert words(world)[3] == A.mask


def test_a_translation_request_that_is_no_write_is_not_granted_one(world: World) -> None:
    put(world, CLEAN)
    done = world.request().completion
    assert (done.status, done.page, done.read, done.write) == (CompletionStatus.SUCCESS, PAGE, True, False)
    assert words(world)[3] == A.mask


@pytest.mark.parametrize(("meanwhile", "address"), [(0, None), (page_entry(PhysAddr(0x1E000)), 0x1E008)])
def test_an_entry_that_changes_before_its_update_is_looked_at_again(
    world: World, meanwhile: int, address: int | None
) -> None:
    put(world, NEW)
    leaf = entries(world)[3]
    world.before(f"rmw A/D of {leaf:#x}", lambda: world.memory.write(leaf, meanwhile))
    assert world.access().address == address
    assert world.memory.read(leaf) == meanwhile


@pytest.mark.parametrize(
    ("data", "after"), [(0, 0), (NEW & ~1, NEW & ~1), (0x1000_0001, 0x1000_0021), (NEW, NEW | A.mask)]
)
def test_of_a_page_that_is_walked_as_a_table_only_present_entries_change(world: World, data: int, after: int) -> None:
    """A table was freed and its frame holds somebody's data: here the one of the second level."""
    put(world, READ_WRITE)
    where = entries(world)[1]
    world.memory.write(where, data)
    world.access()
    assert world.memory.read(where) == after
