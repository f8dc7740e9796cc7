"""The three drivers run one set of actors: their transcripts are equal, and what one records another replays."""

from __future__ import annotations

from functools import partial

import pytest
import trio

from actors.runtime.runners.controlled import controlled
from actors.runtime.runners.live import live
from actors.runtime.runners.referee import referee
from actors.runtime.runners.threads import threaded
from actors.runtime.runs.execution import Execution
from actors.runtime.runs.schedule import ParamValue
from actors.runtime.runs.scheduler import RandomWalk, Replay, ScheduleMismatch, Scheduler
from actors.runtime.world import Cpu, Session, World
from scenarios.catalogue import MODULES
from tools.experiments.experiment import Experiment, open_experiment
from tools.traces.container import encode
from tools.traces.trace import Trace, record

ENDINGS: list[dict[str, ParamValue]] = [{"way": way} for way in ("quiet", "deadlock", "error", "stillborn", "bound")]
WORLDS: list[tuple[str, dict[str, ParamValue]]] = [
    ("tests/models.py::pri_window", {}),
    ("tests/models.py::pri_window", {"kind": "hard", "k": 1}),
    ("tests/tools/worlds.py::unbinding", {}),
    ("tests/tools/worlds.py::unbinding", {"drain": "full"}),
    ("tests/tools/worlds.py::crowd", {}),
    *[("tests/tools/worlds.py::ending", ending) for ending in ENDINGS],
]
SEEDS = 40


def transcript(made: Experiment, execution: Execution) -> Trace:
    return record(made.recipe(execution.schedule), execution)


async def run_referee(made: Experiment, scheduler: Scheduler) -> Execution:
    return await referee(made.world(), scheduler)


async def assert_equal_transcripts(made: Experiment, seeds: int) -> None:
    async with controlled() as driver:
        for seed in range(seeds):
            fast = transcript(made, made.run(driver, RandomWalk(seed)))
            slow = transcript(made, await run_referee(made, RandomWalk(seed)))
            assert fast == slow
            assert encode(fast) == encode(slow)


@pytest.mark.parametrize(("name", "params"), WORLDS)
def test_detaching_changes_nothing(name: str, params: dict[str, ParamValue]) -> None:
    trio.run(partial(assert_equal_transcripts, open_experiment(name, params), SEEDS))


@pytest.mark.parametrize("seeds", [1, pytest.param(6, marks=pytest.mark.long)])
@pytest.mark.parametrize("name", MODULES)
def test_detaching_changes_nothing_in_any_shipped_variant(name: str, seeds: int) -> None:
    for expected in open_experiment(name, {}).scenario.expected or ():
        trio.run(partial(assert_equal_transcripts, open_experiment(name, expected.params), seeds))


@pytest.mark.parametrize("threads", [False, True], ids=["trio", "threads"])
@pytest.mark.parametrize(("name", "params"), [*WORLDS, *[(name, {}) for name in MODULES]])
def test_what_others_decided_replays_under_control(name: str, params: dict[str, ParamValue], threads: bool) -> None:
    """Live runs are audited: what a thread or a task finds there is what it finds under control."""
    made = open_experiment(name, params, audit=True)
    for seed in range(3):
        free = transcript(made, made.run_live(RandomWalk(seed), threads))
        again = transcript(made, made.run_once(Replay(free.schedule)))
        assert again == free


def test_an_error_beside_the_model_ends_a_threaded_run() -> None:
    """The scheduler is asked within a thread, and refuses there: no outcome is recorded."""

    world = World(Session())

    @world.actor
    async def chooser(cpu: Cpu) -> None:
        await cpu.choose("early or late", 2)

    with pytest.raises(ScheduleMismatch, match="the recording ends after 0 choices, but outcome"):
        threaded(world, Replay(()))


def test_a_controlled_driver_runs_one_world_after_the_other() -> None:
    """Hosts are reused: a run leaves nothing behind, however it ended."""

    async def program() -> None:
        made = [open_experiment(name, params) for name, params in WORLDS]
        async with controlled() as driver:
            first = [transcript(one, one.run(driver, RandomWalk(7))) for one in made]
            second = [transcript(one, one.run(driver, RandomWalk(7))) for one in made]
        assert first == second

    trio.run(program)


async def test_live_runs_inside_a_larger_trio_program() -> None:
    made = open_experiment("tests/models.py::pri_window", {})
    turns = 0

    async def other() -> None:
        nonlocal turns
        while True:
            turns += 1
            await trio.lowlevel.checkpoint()

    with trio.fail_after(60):
        async with trio.open_nursery() as nursery:
            nursery.start_soon(other)
            execution = await live(made.world(), RandomWalk(0))
            nursery.cancel_scope.cancel()
    assert turns > 0, "the rest of the program goes on meanwhile"
    async with controlled() as driver:
        again = made.run(driver, Replay(execution.schedule))
    assert transcript(made, again) == transcript(made, execution)
