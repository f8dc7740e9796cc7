"""What stands in inline assembly is a step or is refused with its line; constructors run."""

from __future__ import annotations

from pathlib import Path

import pytest

from actors.c.errors import CompileError
from actors.c.module import Code
from actors.runtime.primitives.step import MisuseError
from actors.runtime.world import Cpu, World
from tests.running import run

from .racing import found, module, needs_c, proved, race

WRITES_ONE = [
    '"/* set */ lock; orl $1,(%%rdi)"',
    '"/* c */ movl $1,(%%rdi)"',
    '"nop; /* c */ movl $1,(%%rdi)"',
    '"/* one\\n two */ movl $1,(%%rdi)"',
    '"nop /* # */ ; movl $1,(%%rdi)"',
    '"lock\\n orl $1,(%%rdi)"',
    '"/* call it */ call set"',
    '".macro setone where\\n movl $1,(\\\\where)\\n .endm\\n setone %%rdi"',
    '".pushsection .note,\\"a\\"; .ascii \\"a\\"; .popsection; movl $1,(%%rdi)"',
    '"pushq %%rax; movl $1,%%eax; movl $1,%%ecx; rep stosl; popq %%rax"',
]
BOTH = """
#include <linux/bug.h>
volatile int x;
void set(void) {{ x = 1; }}
void writer(void) {{ __asm__ volatile({text} : : "D"(&x) : "rcx", "memory"); x = 0; }}
void reader(void) {{ BUG_ON(x == 1); }}
"""


@needs_c
@pytest.mark.parametrize("text", WRITES_ONE)
def test_an_instruction_is_a_step_whatever_stands_before_it(tmp_path: Path, text: str) -> None:
    report = proved(race(module(tmp_path, BOTH.format(text=text)), "writer", "reader"))
    assert list(found(report)) == ["Bug"]


@needs_c
@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("rdtsc", "`rdtsc` is not supported"),
        ("rdrand %%eax", "`rdrand %eax` is not supported"),
        ("movd %%eax, %%mm0; maskmovq %%mm0, %%mm0; emms", "`movd %eax,%mm0` is not supported"),
        ("syscall", "`syscall` is not supported"),
        (".byte 0x0f, 0xa2", "`cpuid` is not supported"),
        ("pushfq; popq %%rax", "`pushf` is not supported"),
    ],
)
def test_what_is_not_determined_is_refused_with_its_line(tmp_path: Path, text: str, told: str) -> None:
    source = f'void f(void) {{\n __asm__ volatile("{text}" : : : "memory"); }}\n'
    with pytest.raises(CompileError, match=r"^look through the code of race.c:2: ") as refused:
        run(race(module(tmp_path, source), "f").build)
    assert told in str(refused.value)


@needs_c
def test_a_string_instruction_stores_what_it_is_given_and_keeps_the_rest(tmp_path: Path) -> None:
    source = """
    long to[3], from[3] = {1, 2, 3}, kept;
    void f(void) {
        long value = 7, *place = to, count = 2;
        __asm__ volatile("cmpl $1, %%ecx; rep stosq; movl $0, %%edx; seta %%dl"
                         : "+D"(place), "+c"(count), "+a"(value) : : "rdx", "memory", "cc");
        kept = value;
    }
    int broken(void) { return to[0] != 7 || to[1] != 7 || to[2] || kept != 7; }
    """
    assert found(proved(race(module(tmp_path, source), "f"))) == {}


STARTED = """
volatile int x, y;
__attribute__((constructor(300))) static void last(void) { y = 10 * y + 3; }
__attribute__((constructor(200))) static void first(void) { x = 1; y = 10 * y + 2; }
__attribute__((constructor)) void at_the_end(void) { y = 10 * y + 4; }
void one(void) { y = 0; }
void other(void) { }
int broken(void) { return x == 1; }
"""


@needs_c
def test_constructors_run_before_anything_else_in_each_world(tmp_path: Path) -> None:
    code = module(tmp_path, STARTED)
    assert [run(lambda world: _started(world, code.load(world))).finding for _ in range(2)] == [None, None]
    assert list(found(proved(race(code, "one", "other")))) == ["nothing is broken"]


def _started(world: World, code: Code) -> None:
    assert (code.value("x"), code.value("y")) == (1, 234)


@needs_c
@pytest.mark.parametrize(
    ("source", "told"),
    [
        (
            "int x; __attribute__((destructor)) static void gone(void) { x = 1; }",
            "link race.c: nobody calls gone (section .fini_array); a race has no end of the program, so destructors "
            "are not supported",
        ),
        (
            "static int one(void) { return 1; } static void *pick(void) { return one; }\n"
            'int g(void) __attribute__((ifunc("pick")));',
            "link race.c: g is chosen when a program is loaded (ifunc); not supported",
        ),
        (
            "double x;\nint f(void) {\n return x == 2; }",
            "link: the compiler needs __eqdf2, used at race.c:3. Floating point, division of 128 bits, atomics of 16 "
            "bytes and the like are not supported",
        ),
    ],
)
def test_what_nobody_would_call_or_define_is_refused(tmp_path: Path, source: str, told: str) -> None:
    with pytest.raises(CompileError) as refused:
        run(race(module(tmp_path, source, compiler="gcc"), "f").build)
    assert str(refused.value) == told


@needs_c
@pytest.mark.parametrize("look", ["value", "call", "leaks", "objects"])
def test_nobody_looks_at_c_in_the_middle_of_a_race(tmp_path: Path, look: str) -> None:
    code = module(tmp_path, "volatile int x; void f(void) { x = 1; x = 0; } int g(void) { return x; }")

    def build(world: World) -> None:
        loaded = code.load(world)
        ways = {"value": lambda: loaded.value("x"), "call": lambda: loaded.call("g")}
        ways |= {"leaks": loaded.leaks, "objects": loaded.objects}  # type: ignore[dict-item]
        world.add_actor("f", loaded.thread("f"))

        @world.actor
        async def other(cpu: Cpu) -> None:
            await cpu.note("looked")

        world.always("x is not seen", lambda note: "seen" if ways[look]() == 1 else None)

    ended = run(build).finding
    assert ended is not None
    assert ended.oracle == MisuseError.__name__
    assert "while the race goes on" in ended.message


@needs_c
@pytest.mark.parametrize(
    ("body", "fault"),
    [
        ('__asm__ volatile("xchgq %%rsp, %%rdi; xchgq %%rsp, %%rdi" : : "D"(x + 8) : "memory");', "StackOverflow"),
        (
            '__asm__ volatile("movq %%rsp, %%rax; leaq 8(%%rdi), %%rsp; pushq $1; pushq $0; movq %%rax, %%rsp"'
            ' : : "D"(x + 8) : "rax", "memory");',
            "StackOverflow",
        ),
        # Nothing is below the first stack.
        ("volatile char *place = __builtin_alloca(size); place[0] = 1;", "BadAccess"),
        ("((void (*)(volatile long *))code)(x);", "BadAccess"),
        ("((void (*)(volatile long *))constant)(x);", "BadAccess"),
    ],
)
def test_what_would_write_unseen_is_a_fault(tmp_path: Path, body: str, fault: str) -> None:
    code = "{0xc7, 0x07, 1, 0, 0, 0, 0xc7, 0x07, 0, 0, 0, 0, 0xc3}"
    data = f"unsigned char code[] = {code}; const unsigned char constant[] = {code};"
    source = f"volatile long x[64], size = 100000; {data} void f(void) {{ {body} }}"
    assert list(found(proved(race(module(tmp_path, source), "f")))) == [fault]
