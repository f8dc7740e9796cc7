"""C that sees the world's memory, and functions of Python's that C calls."""

from __future__ import annotations

from pathlib import Path

import pytest

from actors.c.announcing import Announcements
from actors.c.errors import CompileError, MissingFunction
from actors.c.module import Code
from actors.runtime.primitives.step import Step
from actors.runtime.world import Cpu, Session, World
from hw.memory import FRAME_BYTES
from tests.running import run, transcript

from .racing import module, needs_c

SOURCE = """
#include <linux/io.h>
#include <linux/slab.h>
u64 ring_at, answer;
long ask(long first, long second);
void device_side(u64 *word) { writeq(readq(word) + 1, word); }
void driver(void) {
  dma_addr_t handle; u64 *ring = dma_alloc_coherent(NULL, 64, &handle, GFP_KERNEL);
  ring[1] = 7; ring_at = handle; answer = ask(ring[1], -2);
}
long asks(void) { return ask(1, 2); }
"""


@needs_c
def test_what_c_stores_is_what_hardware_reads(tmp_path: Path) -> None:
    code, seen = module(tmp_path, SOURCE), list[Code]()

    def build(world: World) -> None:
        loaded = code.load(world)
        seen[:] = [loaded]
        word = world.word("doorbell", 4)
        loaded.attach(pool=2)
        world.add_actor("c", loaded.thread("device_side", loaded.pointer(word, "doorbell")))

        async def python(cpu: Cpu) -> None:
            await cpu.poll(word, lambda value: value == 5, "the doorbell rings")
            await cpu.store(word, 9, "doorbell")

        world.add_actor("python", python)
        world.eventually("it was stored", lambda: None if world.memory.read(word) == 9 else "lost")

    execution = run(build, audit=True)
    assert execution.finding is None
    assert [(who, what) for who, what, *_ in transcript(execution)] == [
        ("c", "load doorbell at race.c:6"),
        ("c", "store doorbell at race.c:6"),
        ("python", "the doorbell rings"),
        ("python", "store doorbell"),
    ]


@needs_c
def test_a_function_of_pythons_takes_steps_and_answers(tmp_path: Path) -> None:
    code, values = module(tmp_path, SOURCE), dict[str, int]()

    def build(world: World) -> None:
        loaded = code.load(world)
        loaded.attach(pool=2)
        asked = world.word("asked")

        async def ask(cpu: Cpu, first: int, second: int) -> int:
            await cpu.store(asked, first, "asked")
            return second + 2**64 - 1

        def look() -> str | None:
            ring = loaded.value("ring_at")
            values.update(ring=ring, word=world.memory.read(ring + 8), answer=loaded.value("answer"))  # type: ignore[arg-type]
            values["asked"] = world.memory.read(asked)
            return None

        loaded.export("ask", ask)
        world.add_actor("driver", loaded.thread("driver"))
        world.eventually("looked", look)

    execution = run(build, audit=True)
    assert execution.finding is None
    assert values.pop("ring") % FRAME_BYTES == 0
    assert values == {"word": 7, "asked": 7, "answer": 2**64 - 3}
    assert "store asked" in [what for _, what, *_ in transcript(execution)]


@needs_c
def test_a_run_that_is_over_keeps_its_memory_to_itself(tmp_path: Path) -> None:
    code, worlds = module(tmp_path, SOURCE), list[World]()
    session = Session()

    def build(world: World) -> None:
        worlds.append(world)
        loaded = code.load(world)
        loaded.attach()
        world.add_actor("c", loaded.thread("device_side", loaded.pointer(world.word("doorbell", len(worlds)))))

    first = run(build)
    run(build)
    assert first.world.memory.read(first.world.frames.first * FRAME_BYTES) == 2  # type: ignore[arg-type]
    world = World(session)
    with pytest.raises(MissingFunction, match="ask is called, and no file defines it"):
        code.load(world).call("asks")


@needs_c
def test_too_much_memory_cannot_be_attached(tmp_path: Path) -> None:
    world = World(Session(), frames=5000)
    with pytest.raises(CompileError) as refused:
        module(tmp_path, SOURCE).load(world).attach()
    assert str(refused.value) == "attach memory of 20,480,000 bytes: at most 16,777,216 are possible"


@needs_c
def test_an_audited_run_compares_memory_with_what_each_step_declared(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Were a store announced as a load of something else, the memory would tell."""
    code = module(tmp_path, "int count, other; void more(void) { count = 3; }")

    def build(world: World) -> None:
        world.add_actor("c", code.load(world).thread("more"))

    assert run(build, audit=True).finding is None
    monkeypatch.setattr(Announcements, "_access", lambda self: Step("load other", self.words(1 << 29, 4)))
    finding = run(build, audit=True).finding
    assert finding is not None
    assert finding.message == "c raised FootprintError: step `load other` writes count, which it does not declare"
