"""C over a kernel's own headers: with those of an installed package, where there is one."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from actors.c.compiler import image_of
from actors.c.errors import CompileError
from actors.c.module import CModule
from actors.runtime.world import World
from scenarios.c import fault_queue
from scenarios.scenario import Scenario, scenario
from tests.explore.searching import search, worlds
from tools.explore.dpor.dpor import Dpor
from tools.explore.search import Report

from .racing import needs_c

_OLDEST = (6, 0)


def _packages() -> Iterator[Path]:
    """The kernel headers that are installed here, if they are new enough."""
    for tree in sorted(Path("/usr/src").glob("linux-headers-*")):
        version = re.search(r"-(\d+)\.(\d+)", tree.name)
        if version and (tree / "include/linux/kernel.h").is_file() and (int(version[1]), int(version[2])) >= _OLDEST:
            yield tree


TREE = next(_packages(), None)
needs_tree = pytest.mark.skipif(TREE is None, reason="no package of kernel headers from 6.0 on is in /usr/src")
CODE = CModule([Path(__file__).parent / "kernel_tree" / "some_of_each.c"], tree=TREE)

QUEUE = CModule([Path(fault_queue.__file__).with_suffix(".c")], tree=TREE)


def _race(*threads: str, worker: str = "", check: str = "") -> Scenario:
    @scenario(name="primitives")
    def built(world: World) -> None:
        """Some of the kernel's primitives."""
        code = CODE.load(world)
        code.call("setup")
        code.call("setup_waiters")
        code.call("setup_guarded")
        for number, name in enumerate(threads):
            world.add_actor(f"{name}{number}", code.thread(name))
        if worker:
            world.add_actor("worker", code.worker(worker), daemon=True)
        if check:
            world.eventually(check, lambda: check if code.call(check) else None)

    return built


def _searched(subject: Scenario) -> Report:
    report = search(worlds(subject), Dpor())
    assert report.complete
    return report


HOLDS = [
    (_race("add_fault", "add_fault", check="faults_are_lost"), 2),
    (_race("finish", "await"), 1),
    (_race("raise_condition", "wait_for_condition"), 7),
    (_race("queue_and_flush", "await_served", worker="iopf/7", check="is_not_handled"), 5),
    (_race("read_fault", "free_after_readers"), 7),
    (_race("read_fault", "free_later", worker="rcu"), 7),
    (_race("read_one", "read_other", "free_after_one"), 7),
    (_race("read_other", "read_one", "free_after_one"), 7),
    (_race("write_under_semaphore", "write_under_semaphore", check="is_not_two"), 2),
    (_race("count_mine", "count_mine", check="total_is_not_two"), 2),
]
VIOLATED = [
    (_race("await"), "await0 waits since step 0 for wait for completion done.done at some_of_each.c:75"),
    (_race("raise_unheard", "wait_for_condition"), "wait_for_condition1 waits since step 18 for schedule c_tasks"),
    (
        _race("read_fault", "free_at_once"),
        "some_of_each.c:105: an access to object of some_of_each.c:43+36 (which the set-up allocated), which "
        "free_at_once1 freed at some_of_each.c:116",
    ),
    (_race("wake_freed"), "some_of_each.c:161: an access to object of some_of_each.c:155"),
    (
        _race("read_other", "read_one", "free_after_other"),
        "some_of_each.c:174: an access to object of some_of_each.c:168",
    ),
    (_race("sleep_under_spin_lock"), "some_of_each.c:148: what may sleep is called while a spin lock is held"),
]


@needs_c
@needs_tree
@pytest.mark.parametrize(("subject", "schedules"), HOLDS)
def test_primitives_keep_what_they_promise(subject: Scenario, schedules: int) -> None:
    report = _searched(subject)
    assert (report.schedules, [*report.found]) == (schedules, [])


@needs_c
@needs_tree
@pytest.mark.parametrize(("subject", "message"), VIOLATED)
def test_what_breaks_is_told_in_lines_of_the_users_file(subject: Scenario, message: str) -> None:
    report = _searched(subject)
    assert len(report.found) == 1
    assert any(message in each.finding.message for each in report.found.values())


@needs_c
@needs_tree
@pytest.mark.parametrize(("is_drained", "schedules", "failing"), [(0, 5, 2), (1, 3, 0)])
def test_a_file_comes_to_the_same_over_a_kernels_headers(is_drained: int, schedules: int, failing: int) -> None:
    """As over the small set of headers (`c-fault-queue` in counts.txt)."""

    @scenario(name="fault-queue")
    def built(world: World) -> None:
        """The shipped race, over the structures of that kernel."""
        code = QUEUE.load(world)
        code.call("setup")
        world.add_actor("irq", code.thread("report_group", 7))
        world.add_actor("worker", code.worker("iopf_wq"), daemon=True)
        world.add_actor("remove", code.thread("remove_device", is_drained))

    report = _searched(built)
    assert (report.schedules, report.failing) == (schedules, failing)


@needs_c
def test_a_folder_that_is_no_kernel_tree_is_refused(tmp_path: Path) -> None:
    (tmp_path / "race.c").write_text("int f(void) { return 0; }\n", encoding="utf-8")
    with pytest.raises(CompileError) as refused:
        image_of([tmp_path / "race.c"], tree=tmp_path)
    assert str(refused.value) == f"read kernel tree {tmp_path}: there is no include/linux/kernel.h in it"
