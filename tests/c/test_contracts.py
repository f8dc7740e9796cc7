"""What a race is told about its surroundings: who comes after whom, what a missing function returns, interrupts."""

from __future__ import annotations

from pathlib import Path

import pytest

from actors.c.module import Code
from actors.runtime.world import World
from scenarios.scenario import Scenario, scenario
from tests.explore.searching import search, worlds
from tools.explore.dpor.dpor import Dpor

from .racing import module, needs_c
from .test_module import said

SOURCE = """int helper(void);
int request_threaded_irq(unsigned, int (*)(int, void *), int (*)(int, void *), unsigned long, const char *, void *);
void *free_irq(unsigned, void *);
void *c_kmalloc(unsigned long, unsigned);
void c_kfree(void *);
void mutex_lock(void *);
int seen, *object;
long lock;
int handler(int number, void *device) { seen++; object[0] = number; return 2; }
int in_thread(int number, void *device) { mutex_lock(&lock); object[1] = seen; return 1; }
void setup(void) { object = c_kmalloc(8, 1); request_threaded_irq(7, handler, 0, 0, "irq", 0); }
void setup_sleeper(void) { object = c_kmalloc(8, 1); request_threaded_irq(7, in_thread, 0, 0, "irq", 0); }
void setup_thread(void) { object = c_kmalloc(8, 1); request_threaded_irq(7, handler, in_thread, 0, "irq", 0); }
void remove(void) { free_irq(7, 0); c_kfree(object); }
void remove_at_once(void) { c_kfree(object); free_irq(7, 0); }
void first(void) { seen = 1; }
void second(void) { if (!seen) __builtin_trap(); }
int asks(void) { return seen = helper() + 1; }
"""


def _race(tmp_path: Path, *threads: str, setup: str = "", after: bool = False) -> Scenario:
    code = module(tmp_path, SOURCE)

    @scenario(name="race")
    def built(world: World) -> None:
        """Some C."""
        loaded = code.load(world)
        if setup:
            loaded.call(setup)
        for name in threads:
            last = threads[0] if after and name != threads[0] else None
            main = loaded.interrupt(7) if name == "irq" else loaded.thread(name, after=[last] if last else [])
            world.add_actor(name, main)

    return built


@needs_c
@pytest.mark.parametrize(
    ("threads", "setup", "after", "schedules", "found"),
    [
        (("first", "second"), "", False, 2, ["IllegalInstruction"]),
        (("first", "second"), "", True, 1, []),
        (("irq", "remove"), "setup", False, 4, []),
        (("irq", "remove_at_once"), "setup", False, 5, ["UseAfterFree"]),
        (("irq",), "setup_sleeper", False, 1, ["SleepsWhileAtomic"]),
        (("irq",), "setup_thread", False, 1, ["StillHeld"]),
    ],
)
def test_orders_and_interrupts(
    tmp_path: Path, threads: tuple[str, ...], setup: str, after: bool, schedules: int, found: list[str]
) -> None:
    report = search(worlds(_race(tmp_path, *threads, setup=setup, after=after)), Dpor())
    assert report.complete
    assert (report.schedules, [each.finding.oracle for each in report.found.values()]) == (schedules, found)


@needs_c
def test_a_missing_function_returns_what_it_is_said_to(tmp_path: Path) -> None:
    code, results = module(tmp_path, SOURCE), list[int]()

    @scenario(name="race")
    def built(world: World) -> None:
        """Some C."""
        loaded: Code = code.load(world)
        loaded.returns("helper", -3)
        results.append(loaded.call("asks"))
        world.add_actor("asks", loaded.thread("asks"))

    report = search(worlds(built), Dpor())
    assert (report.schedules, [*report.found], set(results)) == (1, [], {-2})


@needs_c
@pytest.mark.parametrize(
    ("words", "exit_code", "told"),
    [
        (
            ["--thread", "first", "--thread", "second", "--after", "second:first"],
            0,
            "HOLDS: the only inequivalent schedule",
        ),
        (["--setup", "setup", "--interrupt", "7", "--thread", "remove_at_once"], 1, "raised UseAfterFree"),
        (["--thread", "asks", "--missing", "helper:4"], 0, "HOLDS"),
        (
            ["--thread", "first", "--after", "first"],
            2,
            "part 'after=first' of a race in C: expected --after",
        ),
        (["--thread", "first", "--after", "none:first"], 2, "--after none: no actor has that name"),
        (
            ["--thread", "first", "--thread", "second", "--after", "second:first", "--steps", "3"],
            6,
            "1 run reached the step bound",
        ),
        (["--interrupt", "x"], 2, "part 'interrupt=x' of a race in C: its arguments are numbers, such as 7 or 0x10"),
    ],
)
def test_the_command_line_says_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, words: list[str], exit_code: int, told: str
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("driver.c").write_text(SOURCE)
    result = said("prove", "driver.c", *words)
    assert result.exit_code == exit_code, result.output
    assert told in " ".join((result.stdout + result.stderr).split())
