"""A fetch in pieces: every combination of old and new, each once, and none that sequential reads could not explain."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import permutations, product

import pytest

from actors.runtime.primitives.session import Session
from actors.runtime.runs.scheduler import Fifo
from actors.runtime.world import Cpu, World
from hw.bus import PhysAddr
from hw.memory import FRAME_BYTES, KERNEL, BusError
from tests.explore.searching import search
from tests.running import run
from tools.explore.dpor.dpor import Dpor

SINGLE = [(0,), (1,), (2,)]
Words = tuple[int, ...]


class Board:
    """Three words, a CPU that stores some of them in order, and a fetch that may begin and end at any time."""

    def __init__(self, pieces: Sequence[Sequence[int]], stores: Sequence[tuple[int, int]], fetches: int = 1) -> None:
        self.pieces = pieces
        self.stores = stores
        self.fetches = fetches
        self.seen: list[Words] = []
        self.session = Session(audit=True)

    def build(self) -> World:
        world = World(self.session)
        self.fill(world)
        return world

    def fill(self, world: World) -> None:
        frame = world.frames.allocate(KERNEL)

        async def cpu(cpu: Cpu) -> None:
            for number, value in self.stores:
                await cpu.store(PhysAddr(frame + 8 * number), value, f"word {number}")

        async def walker(cpu: Cpu) -> None:
            for number in range(self.fetches):
                words = tuple(await cpu.load_apart(frame, 3, self.pieces, f"E{number}"))
                self.seen.append(words)

        world.add_actor("cpu", cpu)
        world.add_actor("walker", walker)


def interleavings(stores: Sequence[tuple[int, int]], pieces: Sequence[Sequence[int]]) -> Iterator[Words]:
    """What reads in each possible order can see, at each possible time: the definition, by brute force."""
    for order in permutations(pieces):
        for times in product(range(len(stores) + 1), repeat=len(order)):
            if list(times) == sorted(times):
                seen = [0, 0, 0]
                for piece, time in zip(order, times, strict=True):
                    memory = dict(stores[:time])
                    for number in piece:
                        seen[number] = memory.get(number, 0)
                yield tuple(seen)


@pytest.mark.parametrize(
    ("stores", "schedules"),
    [
        ([(0, 1)], 2),
        ([(0, 1), (1, 1)], 4),
        ([(2, 1), (0, 1), (1, 1)], 8),
        ([(0, 1), (0, 2)], 3),
        ([(0, 1), (1, 1), (0, 2)], 6),
        ([(0, 1), (1, 1), (2, 1), (1, 2), (0, 2)], 18),
    ],
)
def test_each_word_is_read_early_or_late_independently_of_the_others(
    stores: list[tuple[int, int]], schedules: int
) -> None:
    board = Board(SINGLE, stores)
    report = search(board.build, Dpor())
    assert report.complete
    assert not report.found
    assert (report.schedules, len(board.seen), len(set(board.seen))) == (schedules, schedules, schedules)
    assert set(board.seen) == set(interleavings(stores, SINGLE))
    per_word = [[0, *(value for at, value in stores if at == number)] for number in range(3)]
    assert set(board.seen) == set(product(*per_word))


def test_words_that_nobody_stores_to_come_with_the_first_step_and_nobody_can_tell() -> None:
    stores = [(1, 1), (0, 1)]
    whole, lean = Board(SINGLE, stores), Board([(0,), (1,)], stores)
    apart, together = search(whole.build, Dpor()), search(lean.build, Dpor())
    assert set(whole.seen) == set(lean.seen)
    assert (apart.schedules, together.schedules) == (4, 4)
    assert together.steps < apart.steps


def test_a_piece_of_two_words_is_never_torn() -> None:
    stores = [(0, 1), (1, 1), (2, 1)]
    board = Board([(0, 1), (2,)], stores)
    report = search(board.build, Dpor())
    assert (report.schedules, report.complete) == (6, True)
    assert set(board.seen) == {(0, 0, 0), (1, 0, 0), (1, 1, 0), (0, 0, 1), (1, 0, 1), (1, 1, 1)}
    assert set(board.seen) == set(interleavings(stores, [(0, 1), (2,)]))


def test_fetches_of_one_walker_come_one_after_the_other() -> None:
    board = Board([(0,), (1,)], [(0, 1), (1, 1)], fetches=2)
    report = search(board.build, Dpor())
    pairs = list(zip(board.seen[::2], board.seen[1::2], strict=True))
    in_order = [
        (first, second)
        for first, second in product(product((0, 1), repeat=2), repeat=2)
        if all(early <= late for early, late in zip(first, second, strict=True))
    ]
    in_order.remove(((0, 1), (0, 1)))  # word 1 was new in the first fetch, and word 0 is stored before it
    assert (report.schedules, report.complete) == (8, True)
    assert sorted(tuple(words[:2] for words in pair) for pair in pairs) == sorted(in_order)


def test_the_steps_of_a_fetch() -> None:
    board = Board([(0,), (1, 2)], [])
    execution = run(board.fill, Fifo())
    assert [step.what for step in execution.steps] == [
        "fetch E0",
        "load E0.q0",
        "load E0.q1-2",
        "E0 is read",
    ]
    assert [execution.world.actors[actor].name for actor in execution.actors] == [
        "walker",
        "walker",
        "walker.E0.q1-2",
        "walker",
    ]
    single = run(Board([(1,)], []).fill, Fifo())
    assert [step.what for step in single.steps] == ["fetch E0", "load E0.q1"]


@pytest.mark.parametrize("pieces", [[], [(0,)], [(0,), (1,), (2,)]])
def test_a_fetch_from_nowhere_fails_as_a_whole(pieces: list[tuple[int, ...]]) -> None:
    caught: list[str] = []

    def fill(world: World) -> None:
        @world.actor
        async def walker(cpu: Cpu) -> None:
            try:
                await cpu.load_apart(PhysAddr(world.memory.frames * FRAME_BYTES), 3, pieces, "E")
            except BusError as error:
                caught.append(str(error))

    execution = run(fill, Fifo())
    assert execution.finding is None
    assert len(caught) == 1
    assert "outside memory" in caught[0]
