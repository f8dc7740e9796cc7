"""Locks and works: what the kernel forbids is found, what it promises holds, with exact numbers of schedules."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from actors.c.module import Code
from actors.runtime.world import World
from scenarios.scenario import Scenario
from tools.explore.search import Report

from .racing import every_schedule, found, module, needs_c, proved, race

_LOCKS = """#include <linux/mutex.h>
#include <linux/slab.h>
#include <linux/spinlock.h>
#include <linux/wait.h>
static DEFINE_SPINLOCK(defined); DECLARE_WAIT_QUEUE_HEAD(queue); int always = 1; spinlock_t other;
struct object { spinlock_t lock; long x; } one, two;
void setup(void) { spin_lock_init(&one.lock); }
void uses(void) { spin_lock(&one.lock); one.x++; spin_unlock(&one.lock); }
void waits(void) { spin_lock(&one.lock);
 wait_event(queue, READ_ONCE(always)); spin_unlock(&one.lock); }
void resched(void) { spin_lock(&one.lock);
 cond_resched(); spin_unlock(&one.lock); }
void inits(void) {
 spin_lock_init(&one.lock); }
void copies(void) {
 two = one; }
void zeroes(void) {
 memset(&one, 0, sizeof one); }
void uses_defined(void) { spin_lock(&defined); spin_unlock(&defined); }
void copies_defined(void) {
 other = defined; }
void leaves(void) { spinlock_t own; spin_lock_init(&own); spin_lock(&own);
 }
"""
LOCKS = {
    ("waits",): (1, "SleepsWhileAtomic", "race.c:10: what may sleep is called while a spin lock is held"),
    ("resched",): (1, "SleepsWhileAtomic", "race.c:12: what may sleep is called while a spin lock is held"),
    ("inits", "uses"): (
        3, "OverwritesHeldLock", "race.c:14: one.lock, a lock that is held, is overwritten or initialised"
    ),
    ("zeroes", "uses"): (
        5, "OverwritesHeldLock", "race.c:18: one.lock, a lock that is held, is overwritten or initialised"
    ),
    ("copies", "uses"): (4, "CopiesHeldLock", "race.c:16: one.lock, a lock that is held, is copied or looked into"),
    ("copies_defined", "uses_defined"): (
        3, "CopiesHeldLock", "race.c:21: defined, a lock that is held, is copied or looked into"
    ),
    ("leaves",): (
        1,
        "FreesHeldLock",
        "race.c:23: stack of leaves0-48 is freed, or its function returns, while a lock in it is held",
    ),
}  # fmt: skip


@needs_c
@pytest.mark.parametrize("threads", LOCKS, ids="-".join)
def test_what_must_not_be_done_to_a_lock(tmp_path: Path, threads: tuple[str, ...]) -> None:
    schedules, kind, message = LOCKS[threads]
    report = proved(race(module(tmp_path, _LOCKS), *threads))
    assert (report.schedules, found(report)) == (schedules, {kind: f"{threads[0]}0 raised {kind}: {message}"})


_PUT = """#include <linux/mutex.h>
#include <linux/slab.h>
#include <linux/spinlock.h>
struct object { LOCK lock; int users; } *object;
void setup(void) { object = kzalloc(sizeof *object, GFP_KERNEL); INIT(&object->lock); object->users = 2; }
void put(void) { struct object *p = object; LOCKS(&p->lock); int left = --p->users;
 UNLOCKS(&p->lock);
 if (!left) kfree(p); }
"""


@needs_c
def test_a_mutex_must_be_there_until_its_unlock_returns(tmp_path: Path) -> None:
    """Whoever drops the last reference under it frees it under the one who still wakes up waiters."""
    names = {"LOCK": "struct mutex", "INIT": "mutex_init", "LOCKS": "mutex_lock", "UNLOCKS": "mutex_unlock"}
    report = proved(
        race(module(tmp_path, _PUT, flags=[f"-D{name}={text}" for name, text in names.items()]), "put", "put")
    )
    assert {kind: message[:50] for kind, message in found(report).items()} == {
        "UseAfterFree": "put1 raised UseAfterFree: race.c:7: an access to o"
    }
    assert (report.schedules, report.failing) == (4, 2)
    names = {"LOCK": "spinlock_t", "INIT": "spin_lock_init", "LOCKS": "spin_lock", "UNLOCKS": "spin_unlock"}
    report = proved(
        race(module(tmp_path, _PUT, flags=[f"-D{name}={text}" for name, text in names.items()]), "put", "put")
    )
    assert (found(report), report.schedules) == ({}, 2)


_WORKS = """#include <linux/slab.h>
#include <linux/workqueue.h>
struct object { struct work_struct work; int begun, ended; } *object; struct workqueue_struct *wq; int result, ended;
static void runs(struct work_struct *work)
{ struct object *p = container_of(work, struct object, work); p->begun++; p->ended++; ended++; }
void setup(void) { object = kzalloc(sizeof *object, GFP_KERNEL); INIT_WORK(&object->work, runs);
  wq = alloc_workqueue("wq", 0, 0); queue_work(wq, &object->work); }
void requeues(void) { queue_work(wq, &object->work); cancel_work_sync(&object->work); kfree(object); }
void requeues_only(void) { queue_work(wq, &object->work); cancel_work(&object->work); kfree(object); }
void cancels(void) { result = cancel_work_sync(&object->work); }
void flushes(void) { result = flush_work(&object->work); }
void queues(void) { queue_work(wq, &object->work); }
"""


def with_worker(
    tmp_path: Path, *threads: str, search: Callable[[Scenario], Report] = proved
) -> tuple[set[str], int, set[tuple[int, int]]]:
    """What was found, how many schedules there are, and what a result and the ended works can be."""
    results = set[tuple[int, int]]()

    def fill(world: World, code: Code) -> None:
        world.add_actor("worker", code.worker("wq"), daemon=True)

        def look() -> None:
            results.add((code.value("result"), code.value("ended")))

        world.eventually("looked", look)

    report = search(race(module(tmp_path, _WORKS), *threads, fill=fill))
    return set(found(report)), report.schedules, results


@needs_c
def test_a_work_that_is_queued_again_while_it_runs_is_waited_for(tmp_path: Path) -> None:
    """Only its second turn is taken away; the first goes on, and what it works on must stay."""
    assert with_worker(tmp_path, "requeues")[:2] == (set(), 12)
    assert with_worker(tmp_path, "requeues_only")[0] == {"UseAfterFree"}


@needs_c
def test_what_cancel_and_flush_say_is_what_became_of_the_work(tmp_path: Path) -> None:
    cancelled, flushed = {(1, 0), (0, 1)}, {(1, 1), (0, 1)}
    assert with_worker(tmp_path, "cancels") == (set(), 4, cancelled)
    assert with_worker(tmp_path, "cancels", search=every_schedule) == (set(), 228, cancelled)
    assert with_worker(tmp_path, "flushes") == (set(), 5, flushed)
    assert with_worker(tmp_path, "flushes", search=every_schedule) == (set(), 220, flushed)
    assert with_worker(tmp_path, "cancels", "queues") == (set(), 40, cancelled | {(1, 1), (0, 2)})
    assert with_worker(tmp_path, "flushes", "queues") == (set(), 51, flushed | {(1, 2), (0, 2)})
