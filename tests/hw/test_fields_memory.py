"""Bit fields, words and frames."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hw.bus import PhysAddr
from hw.fields import Field, decode_layout, encode_layout
from hw.memory import (
    FRAME_BYTES,
    FRAME_SHIFT,
    FREE,
    KERNEL,
    MMIO,
    BusError,
    FrameAllocator,
    FrameFreedTwice,
    Memory,
    OutOfFrames,
    mm_owner,
    owner_name,
)

LAYOUT = ({"low": Field(0, 4), "high": Field(60, 4)}, {"all": Field(0, 64)})


def test_a_field_touches_only_its_own_bits() -> None:
    field = Field(12, 20)
    assert field.mask == 0xFFFFF000
    assert field.get(0xDEAD_BEEF_1234_5678) == 0x12345
    assert field.put(0xFFFF_FFFF_FFFF_FFFF, 0) == 0xFFFF_FFFF_0000_0FFF


@pytest.mark.parametrize("value", [-1, 16])
def test_a_value_that_does_not_fit_is_refused_with_the_allowed_range(value: int) -> None:
    with pytest.raises(ValueError, match=r"bits \[7:4\]: allowed are 0\.\.0xf"):
        Field(4, 4).put(0, value)


@pytest.mark.parametrize(("low", "width"), [(-1, 2), (0, 0), (60, 5)])
def test_a_field_outside_the_word_is_refused(low: int, width: int) -> None:
    with pytest.raises(ValueError, match="inside bits"):
        Field(low, width)


@given(low=st.integers(0, 15), high=st.integers(0, 15), everything=st.integers(0, 2**64 - 1))
def test_layouts_round_trip(low: int, high: int, everything: int) -> None:
    values = {"low": low, "high": high, "all": everything}
    assert decode_layout(LAYOUT, encode_layout(LAYOUT, values)) == values


def test_an_unknown_field_name_is_refused() -> None:
    with pytest.raises(ValueError, match=r"no field is called \['Low'\]"):
        encode_layout(LAYOUT, {"Low": 1})


def test_words_are_64_bits_and_independent() -> None:
    memory = Memory(2)
    memory.write(PhysAddr(8), 2**64 - 1)
    memory.write(PhysAddr(8184), 7)
    assert [memory.read(PhysAddr(address)) for address in (0, 8, 16, 8184)] == [0, 2**64 - 1, 0, 7]
    assert int(memory.array[1]) == 2**64 - 1


@pytest.mark.parametrize("frames", [1, 2, 3])
@pytest.mark.parametrize("offset", [-8, 1, 4, 7])
def test_bad_addresses_are_refused(frames: int, offset: int) -> None:
    memory = Memory(frames)
    for address in (PhysAddr(offset), PhysAddr(frames * FRAME_BYTES), PhysAddr(1 << 48)):
        with pytest.raises(BusError, match="read at"):
            memory.read(address)
        with pytest.raises(BusError, match="write at"):
            memory.write(address, 0)


@pytest.mark.parametrize("value", [-1, 2**64])
def test_a_value_wider_than_a_word_is_refused(value: int) -> None:
    with pytest.raises(BusError, match="a word holds"):
        Memory(1).write(PhysAddr(0), value)


def test_owner_names() -> None:
    names = [owner_name(owner) for owner in (FREE, KERNEL, MMIO, mm_owner(0), mm_owner(1), mm_owner(26))]
    assert names == ["free", "kernel", "mmio", "mm A", "mm B", "mm 26"]
    with pytest.raises(ValueError, match="owner 9"):
        owner_name(9)


def test_the_last_freed_frame_is_reused_first_and_zeroed() -> None:
    memory = Memory(6)
    allocator = FrameAllocator(memory, 2, 4)
    first, second = allocator.allocate(KERNEL), allocator.allocate(mm_owner(0))
    assert (first, second) == (0x2000, 0x3000)
    memory.write(second, 99)
    allocator.free(first)
    allocator.free(second)
    assert memory.read(second) == 99, "a freed frame keeps its contents until it is allocated again"
    assert memory.owner_of(PhysAddr(0x3FF8)) == FREE
    assert memory.generation[second >> FRAME_SHIFT] == 1
    assert allocator.allocate(mm_owner(1)) == second
    assert memory.read(second) == 0
    assert memory.owner_of(second) == mm_owner(1)
    assert [allocator.allocate(KERNEL), allocator.allocate(KERNEL)] == [0x2000, 0x4000]
    with pytest.raises(OutOfFrames, match=r"frames 2\.\.4"):
        allocator.allocate(KERNEL)


def test_a_run_of_frames_is_aligned_and_wastes_nothing() -> None:
    memory = Memory(16)
    allocator = FrameAllocator(memory, 1, 14)
    assert allocator.allocate(KERNEL) == 0x1000
    run = allocator.allocate_run(mm_owner(0), 4)
    assert run == 0x4000
    assert [memory.owner_of(PhysAddr(run + number * 0x1000)) for number in range(-1, 5)] == [
        FREE,
        *[mm_owner(0)] * 4,
        FREE,
    ]
    assert [allocator.allocate(KERNEL) for _ in range(3)] == [0x3000, 0x2000, 0x8000]
    with pytest.raises(OutOfFrames, match=r"allocation of 4 neighbouring frames for kernel: frames 9\.\.14 are"):
        allocator.allocate_run(KERNEL, 4)


def test_double_free_and_foreign_free_are_refused() -> None:
    memory = Memory(3)
    allocator = FrameAllocator(memory, 1, 2)
    frame = allocator.allocate(KERNEL)
    allocator.free(frame)
    with pytest.raises(FrameFreedTwice, match="generation 1"):
        allocator.free(frame)
    with pytest.raises(ValueError, match="free of 0x0"):
        allocator.free(PhysAddr(0))


def test_claimed_frames_have_an_owner_without_an_allocator() -> None:
    memory = Memory(2)
    memory.claim(PhysAddr(0x1000), MMIO)
    assert (memory.owner_of(PhysAddr(0x0FF8)), memory.owner_of(PhysAddr(0x1008))) == (FREE, MMIO)


@given(st.lists(st.booleans(), max_size=60))
def test_no_frame_is_handed_out_twice(actions: list[bool]) -> None:
    allocator = FrameAllocator(Memory(8), 1, 6)
    held: list[PhysAddr] = []
    for allocate in actions:
        if allocate and len(held) < 6:
            frame = allocator.allocate(KERNEL)
            assert frame not in held
            held.append(frame)
        elif not allocate and held:
            allocator.free(held.pop(len(held) // 2))
