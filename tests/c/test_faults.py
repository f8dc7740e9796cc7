"""What a thread of C does wrong is a finding with its line, whatever the processor says, and the process lives."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.explore.searching import search, worlds
from tools.explore.dpor.dpor import Dpor
from tools.explore.search import Budget

from .racing import found, module, needs_c, proved, race

_FREES = """#include <linux/slab.h>
struct object { long a, b; } *shared;
long seen;
void setup(void) { shared = kzalloc(sizeof *shared, GFP_KERNEL); }
"""
ONE = {
    "NullPointer": (
        "struct s { int a, b; } *p;\nint user(void) {\n return p->b; }",
        "race.c:3: an access to address 0x4, a null pointer or near one",
    ),
    "WildPointer": (
        "int user(void) {\n return *(volatile int *)0xdead0000beefUL; }",
        "race.c:2: an access to 0xdead0000beef, where nothing is",
    ),
    "WriteToConstant": (
        "const int c = 1;\nvoid user(void) {\n *(volatile int *)&c = 2; }",
        "race.c:3: a write to c, which is constant",
    ),
    "OutOfBounds": (
        "#include <linux/slab.h>\nvoid user(void) {\n char *p = kmalloc(24, GFP_KERNEL);\n p[24] = 1; }",
        "race.c:4: an access of 1 bytes to object of race.c:3+24 (which user0 allocated), which is beyond its end",
    ),
    "DoubleFree": (
        "#include <linux/slab.h>\nvoid user(void) {\n void *p = kmalloc(24, GFP_KERNEL);\n kfree(p);\n kfree(p); }",
        "race.c:5: object of race.c:3 (which user0 allocated) is freed again, which user0 freed at race.c:4",
    ),
    "BadFree": (
        "#include <linux/slab.h>\nint x;\nvoid user(void) {\n kfree(&x); }",
        "race.c:4: x is freed, where no object begins",
    ),
    "MissingFunction": (
        "int iommu_magic(int);\nint user(void) {\n return iommu_magic(3) + 1; }",
        "race.c:3: iommu_magic is called, and no file defines it",
    ),
    "MissingVariable": (
        "extern struct { int a, b; } other;\nvoid *known = &other;\nint user(void) {\n return other.b; }",
        "race.c:4: an access to other+4, a variable that no file defines",
    ),
    "StackOverflow": (
        "int deep(volatile int *n) {\n volatile int own[64];\n own[0] = *n; return deep(own) + own[0]; }\n"
        "int user(void) { volatile int n = 1; return deep(&n); }",
        "race.c:3: the stack is full, or its pointer is elsewhere",
    ),
    "DivisionError": (
        "int zero;\nint user(void) {\n return 7 / zero; }",
        "race.c:3: a division by zero, or one whose result is too large",
    ),
    "IllegalInstruction": (
        "void user(void) {\n __builtin_trap(); }",
        "race.c:2: an instruction that cannot be executed, such as stands where a function must not return",
    ),
    "BadAccess": (
        "void (*hook)(void) = (void (*)(void))0x1234;\nint after;\nvoid user(void) {\n hook();\n after = 1; }",
        "race.c:4: an access or a call that the processor refuses (0x1234)",
    ),
    "EndlessLoop": (
        "void user(void) {\n for (;;)\n  ; }",
        "race.c:2: a million rounds of a loop in which nothing happens that others could see",
    ),
    "SleepsWhileAtomic": (
        "#include <linux/spinlock.h>\n#include <linux/slab.h>\nDEFINE_SPINLOCK(l);\nvoid user(void) {\n"
        " spin_lock(&l);\n kmalloc(8, GFP_KERNEL);\n spin_unlock(&l); }",
        "race.c:6: what may sleep is called while a spin lock is held",
    ),
    "NotHeld": (
        "#include <linux/mutex.h>\nDEFINE_MUTEX(l);\nvoid user(void) {\n mutex_unlock(&l); }",
        "race.c:4: l is given back, and whoever does so does not hold it",
    ),
    "StillHeld": (
        "#include <linux/mutex.h>\nDEFINE_MUTEX(l);\nvoid user(void) {\n mutex_lock(&l); }",
        "race.c:4: a lock that was taken here is still held at the end",
    ),
    "FreesHeldLock": (
        "#include <linux/mutex.h>\n#include <linux/slab.h>\nvoid user(void) {\n"
        " struct mutex *l = kmalloc(sizeof *l, GFP_KERNEL);\n mutex_init(l);\n mutex_lock(l);\n kfree(l); }",
        "race.c:7: object of race.c:4 is freed, or its function returns, while a lock in it is held",
    ),
    "Warned": (
        "#include <linux/bug.h>\nint x = 3;\nvoid user(void) {\n WARN_ON(x > 2); }",
        "race.c:4: WARN_ON(x > 2)",
    ),
    "Bug": ("#include <linux/bug.h>\nint x = 3;\nvoid user(void) {\n BUG_ON(x > 2); }", "race.c:4: BUG_ON(x > 2)"),
    "Destroyed": (
        "#include <linux/workqueue.h>\nstruct workqueue_struct *q; static void f(struct work_struct *w) { }\n"
        'static DECLARE_WORK(w, f);\nvoid setup(void) { q = alloc_workqueue("q", 0, 0); }\n'
        "void user(void) {\n destroy_workqueue(q);\n queue_work(q, &w); }",
        "race.c:7: work is queued on a work queue that is gone",
    ),
}


@needs_c
@pytest.mark.parametrize("kind", ONE)
def test_what_one_thread_does_wrong(tmp_path: Path, kind: str) -> None:
    source, message = ONE[kind]
    assert found(proved(race(module(tmp_path, source), "user"))) == {kind: f"user0 raised {kind}: {message}"}


TWO = {
    "UseAfterFree": (
        _FREES + "void use(void) { struct object *p = READ_ONCE(shared); if (p)\n seen = p->b; }\n"
        "void other(void) { struct object *p = shared; shared = NULL;\n kfree(p); }",
        "use0 raised UseAfterFree: race.c:6: an access to object of race.c:4+8 (which the set-up allocated), which "
        "other1 freed at race.c:8",
    ),
    "DoubleFree": (
        _FREES
        + "void use(void) { struct object *p = shared; shared = NULL;\n kfree(p); }\nvoid other(void) { use(); }",
        "",
    ),
    "UseAfterReturn": (
        "#include <linux/completion.h>\nstruct completion *waits;\n"
        "void use(void) {\n struct completion done = { 0 };\n WRITE_ONCE(waits, &done);\n"
        " while (!READ_ONCE(done.done)) cpu_relax(); }\n"
        "void other(void) { struct completion *c = READ_ONCE(waits); if (!c) return;\n"
        " WRITE_ONCE(c->done, 1);\n WRITE_ONCE(c->unused, 1); }",
        "other1 raised UseAfterReturn: race.c:9: an access to stack of use0-",
    ),
    "lock of what is freed": (
        "#include <linux/mutex.h>\n"
        + _FREES.replace("long a, b;", "struct mutex lock; long b;")
        + "void use(void) { struct object *p = READ_ONCE(shared); if (!p) return;\n mutex_lock(&p->lock); "
        "mutex_unlock(&p->lock); }\nvoid other(void) { struct object *p = shared; shared = NULL;\n kfree(p); }",
        "",
    ),
}


@needs_c
@pytest.mark.parametrize("kind", TWO)
def test_what_two_threads_do_wrong(tmp_path: Path, kind: str) -> None:
    source, message = TWO[kind]
    told = found(proved(race(module(tmp_path, source), "use", "other")))
    if kind == "lock of what is freed":
        assert set(told) == {"UseAfterFree", "FreesHeldLock"}
        assert told["UseAfterFree"].startswith("use0 raised UseAfterFree: race.c:7: an access to object of race.c:5 ")
    else:
        assert set(told) - {"no-deadlock"} == {kind}
        assert told[kind].startswith(message)


@needs_c
def test_a_completion_on_the_stack_is_no_use_after_return(tmp_path: Path) -> None:
    source = """#include <linux/completion.h>
    struct completion *waits; int after;
    static void wait_here(void) { struct completion done = { 0 };
      WRITE_ONCE(waits, &done); wait_for_completion(&done); }
    void use(void) { wait_here(); wait_here(); after = 1; }
    void other(void) { for (int i = 0; i < 2; i++) { struct completion *c;
      while (!(c = READ_ONCE(waits))) cpu_relax(); WRITE_ONCE(waits, NULL); complete(c); } }
    int broken(void) { return !after; }"""
    report = proved(race(module(tmp_path, source), "use", "other"))
    assert found(report) == {}


@needs_c
def test_a_loop_that_waits_is_no_step_a_round(tmp_path: Path) -> None:
    source = """#include <linux/compiler.h>
    int flag, seen;
    void use(void) { while (!READ_ONCE(flag)) cpu_relax(); seen = 1; }
    void other(void) { WRITE_ONCE(flag, 1); }
    int broken(void) { return !seen; }"""
    report = proved(race(module(tmp_path, source), "use", "other"))
    assert (found(report), report.schedules) == ({}, 4)


@needs_c
def test_a_loop_that_gives_up_is_seen_to_give_up(tmp_path: Path) -> None:
    source = """#include <linux/compiler.h>
    int flag, gave_up;
    void use(void) { for (int i = 0; !READ_ONCE(flag); i++) if (i == 5) { gave_up = 1; return; } }
    void other(void) { WRITE_ONCE(flag, 1); }
    int broken(void) { return gave_up; }"""
    report = proved(race(module(tmp_path, source), "use", "other"))
    assert (found(report), report.schedules) == ({"nothing is broken": "broken"}, 7)


@needs_c
def test_two_who_wait_for_each_other_in_loops_never_end(tmp_path: Path) -> None:
    source = """#include <linux/compiler.h>
    int a, b;
    void use(void) { while (!READ_ONCE(a)) cpu_relax(); WRITE_ONCE(b, 1); }
    void other(void) { while (!READ_ONCE(b)) cpu_relax(); WRITE_ONCE(a, 1); }"""
    told = found(proved(race(module(tmp_path, source), "use", "other")))
    assert told == {
        "no-deadlock": "use0 waits since step 3 for spin until a changes at race.c:3; other1 waits since step 6 for "
        "spin until b changes at race.c:4"
    }


@needs_c
def test_two_who_try_again_and_again_are_a_livelock(tmp_path: Path) -> None:
    """Its state is all of C's memory, stacks and registers, so a loop that counts is none."""
    source = """#include <linux/mutex.h>
    DEFINE_MUTEX(a); volatile int rounds;
    void use(void) { mutex_lock(&a); wait: if (!mutex_trylock(&a)) goto wait; }
    void other(void) { for (rounds = 0; rounds < 3000; rounds++) ; }"""
    code = module(tmp_path, source)
    report = search(worlds(race(code, "use")), Dpor(), Budget(schedules=1))
    assert [signature[0] for signature in report.found] == ["no-livelock"]
    report = search(worlds(race(code, "other")), Dpor(), Budget(schedules=1))
    assert [signature[0] for signature in report.found] == ["step-bound"]


@needs_c
def test_what_is_in_a_frame_is_there_until_the_stack_ends_above_it(tmp_path: Path) -> None:
    """What a stranger stores just before a frame ends must not come to where the runtime keeps registers by then."""
    source = """#include <linux/compiler.h>
    int *leaked;
    void use(void) { int a = 1; WRITE_ONCE(leaked, &a); WRITE_ONCE(leaked, 0); }
    void other(void) { int *p = READ_ONCE(leaked); if (p) {
      WRITE_ONCE(*p, 9); if (READ_ONCE(*p) != 9) __builtin_trap(); } }"""
    report = proved(race(module(tmp_path, source), "use", "other"))
    (message,) = found(report).values()
    assert message.startswith("other1 raised UseAfterReturn: race.c:5: an access to stack of use0-")
    assert report.schedules == 5
