"""Ordered conflicting pairs: which they are, and that their names are the same in every run, session and machine."""

from __future__ import annotations

import pytest

from actors.runtime.primitives.session import Session
from actors.runtime.primitives.step import Resource
from actors.runtime.runs.execution import Execution
from actors.runtime.world import Cpu, World
from scenarios.parameters import number
from scenarios.scenario import scenario
from tests.models import pri_window
from tools.explore.dpor.dpor import Dpor
from tools.explore.strategies.pairs import Orders, Pairs, kind, object_kind

from .searching import search, worlds


@scenario(n=number(1, 3, default=2, meaning="readers"))
def readers(world: World, n: int) -> None:
    """Readers of a word that somebody writes once; each also has a word of its own."""
    shared = world.word()

    def add(reader: int) -> None:
        own = world.word()

        async def read(cpu: Cpu) -> None:
            await cpu.store(own, 1, f"own word {reader}")
            await cpu.load(shared, f"entry[{reader}] = shared")

        world.add_actor(f"reader{reader}", read)

    for reader in range(n):
        add(reader)

    @world.actor
    async def writer(cpu: Cpu) -> None:
        await cpu.store(shared, 1, "entry[7] (V=1)")
        await cpu.load(shared, "entry[7]")


def seen(n: int) -> dict[str, int]:
    """How many of the inequivalent schedules have each pair."""
    counts: dict[str, int] = {}
    session = Session()
    pairs = Pairs(session)

    def watch(execution: Execution) -> None:
        for pair in pairs.of(execution):
            counts[pair] = counts.get(pair, 0) + 1

    params = readers.complete({"n": n})
    search(lambda: readers.world(session, params), Dpor(), watch=watch)
    return counts


WRITE_READ = "writer: store entry[#] (V=#) -> reader#: load entry[#] = shared @ entry[#]"
READ_WRITE = "reader#: load entry[#] = shared -> writer: store entry[#] (V=#) @ entry[#]"


@pytest.mark.parametrize(("n", "traces"), [(1, 2), (2, 4), (3, 8)])
def test_pairs_have_no_numbers_so_that_parameters_do_not_matter(n: int, traces: int) -> None:
    # Each reader is before or after the writer; a pair is missing only where all are on the other side.
    assert seen(n) == {WRITE_READ: traces - 1, READ_WRITE: traces - 1}


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("store CMDQ[12] = CFGI_CD", "store CMDQ[#] = CFGI_CD"),
        ("free page 0xe000 of mm A", "free page # of mm A"),
        ("partial list: add #2", "partial list: add #"),
        ("smmu.command13", "smmu.command#"),
        ("load STE[0].q1", "load STE[#].q1"),
        ("load TTD L2 0x100000", "load TTD L2 #"),
        ("CPU1", "CPU1"),
        ("mm B", "mm B"),
    ],
)
def test_names_lose_their_numbers_and_keep_what_is_a_name(name: str, expected: str) -> None:
    assert kind(name) == expected


@pytest.mark.parametrize(
    ("resource", "steps", "expected"),
    [
        (("word", 4096), ("store CMDQ_PROD", "CMDQ_PROD moves"), "CMDQ_PROD"),
        (("word", 4096), ("store CD[1].q0 (EPD0)", "load CD[1]"), "CD[#]"),
        (("word", 4096), ("PRIQ: write entry and PROD", "irq PRIQ"), "memory"),
        (("port", "to SMMU posted", "tail"), ("send PPR", "send DMA write"), "tail of to SMMU posted"),
        (("lock", "sva_lock", "acquire"), ("lock sva_lock", "lock sva_lock"), "lock sva_lock"),
        (("pasid", 1), ("free PASID 1", "look up PASID 1"), "pasid #"),
    ],
)
def test_what_two_steps_meet_at_has_a_name(resource: Resource, steps: tuple[str, str], expected: str) -> None:
    assert object_kind(resource, *steps) == object_kind(resource, *reversed(steps)) == expected


def test_a_write_in_between_parts_two_steps_and_a_read_does_not() -> None:
    orders, found = Orders(), []

    def watch(execution: Execution) -> None:
        for order in orders.of(execution):
            bit = order[0]
            found.append(
                [
                    (orders.access(first, bit)[0], orders.access(second, bit)[0])
                    for first, second in orders.conflicts(order)
                ]
            )

    search(worlds(pri_window, k=1), Dpor(), watch=watch)
    # The word `bind`: unbind writes twice, the device and later the worker look once; who is between the writes
    # meets both of them.
    device, worker, unbind = "device", "worker", "unbind"
    assert sorted(found) == sorted([
        [(device, unbind), (worker, unbind)],
        [(device, unbind), (unbind, worker), (worker, unbind)],
        [(device, unbind), (unbind, worker)],
        [(unbind, device), (unbind, worker), (device, unbind), (worker, unbind)],
        [(unbind, device), (device, unbind), (unbind, worker)],
        [(unbind, device), (unbind, worker)],
    ])  # fmt: skip
