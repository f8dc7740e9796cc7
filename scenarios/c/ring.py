"""Descriptors, a doorbell, and a device that fetches them: on Armv8 memory the driver in C needs a barrier."""

from __future__ import annotations

from functools import partial
from operator import lt

from actors.c.module import c_module
from actors.runtime.primitives.events import Note
from actors.runtime.world import Cpu, World
from hw.bus import PhysAddr
from hw.memory import KERNEL, WORD_BYTES
from scenarios.parameters import one_of
from scenarios.scenario import Expected, scenario

DESCRIPTORS = 2
_BYTES = 2 * WORD_BYTES
_OWNED = 1 << 63
_driver = c_module("ring.c")
EXPECTED = (
    Expected(
        params={"barrier": "none"},
        verdict="violated",
        oracle="the device sees whole descriptors",
        why="the doorbell overtakes the words of the descriptor",
    ),
    Expected(params={"barrier": "dma-wmb"}, verdict="holds", why="stores ahead of the barrier are seen first"),
    Expected(params={"barrier": "none", "memory": "tso"}, verdict="holds", why="x86 keeps stores in order"),
)


@scenario(
    source="Documentation/memory-barriers.txt: descriptors and doorbells (memory-models)",
    memory="arm",
    expected=EXPECTED,
    barrier=one_of("none", "dma-wmb", default="none", meaning="what is between a descriptor and its doorbell"),
)
def c_ring(world: World, *, barrier: str) -> None:
    """C fills descriptors and rings the doorbell; the device fetches them."""
    code = _driver.load(world)
    code.attach()
    ring, doorbell = world.frames.allocate(KERNEL), world.word("doorbell")
    code.call("setup", code.pointer(ring, "ring", DESCRIPTORS * _BYTES), code.pointer(doorbell, "doorbell"))
    world.add_actor("driver", code.thread("submit_two", barrier == "dma-wmb"))

    async def device(cpu: Cpu) -> None:
        for head in range(DESCRIPTORS):
            await cpu.poll(doorbell, partial(lt, head), "the doorbell rings", idle=True)
            address = PhysAddr(ring + head * _BYTES)
            buffer = await cpu.load(address, f"ring.{2 * head}")
            length = await cpu.load(PhysAddr(address + WORD_BYTES), f"ring.{2 * head + 1}")
            await cpu.note(f"descriptor {head}", "whole" if buffer and length & _OWNED else "torn")

    world.add_actor("device", device, daemon=True, hardware=True)
    world.always("the device sees whole descriptors", _torn)
    world.sometimes("the second descriptor is fetched", lambda note: note.subject == "descriptor 1")


def _torn(note: Note) -> str | None:
    return f"{note.subject} is {note.value}" if note.value == "torn" else None
