"""The litmus tests of `tests/memory`, in C: the same final states, but that C does not tell of dependencies."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest

from actors.c.module import CModule, Code
from actors.runtime.world import Session, World
from scenarios.scenario import Scenario, scenario
from tests.explore.searching import search
from tests.memory.litmus import MODELS, If, Litmus, Op, locations, rows
from tests.memory.test_litmus import LOAD_BUFFERING
from tools.explore.dpor.dpor import Dpor

from .racing import found, module, needs_c, proved, race

_FENCES = {
    "mb": "smp_mb()",
    "wmb": "smp_wmb()",
    "rmb": "smp_rmb()",
    "dma_wmb": "dma_wmb()",
    "dma_rmb": "dma_rmb()",
    "mb_before_atomic": "smp_mb__before_atomic()",
    "mb_after_atomic": "smp_mb__after_atomic()",
}
_SUFFIX = {"rlx": "_relaxed", "acq": "_acquire", "rel": "_release", "full": ""}
GROUP = 30
"""Tests that are compiled together."""


def possible() -> list[str]:
    """The tests that the small set of headers has the words for."""
    return [name for name, litmus in rows().items() if not re.search(r"after_spinlock|after_unlock", litmus.program)]


class Program:
    """One test as C; its names begin with a number."""

    def __init__(self, number: int, litmus: Litmus) -> None:
        self.litmus = litmus
        self.prefix = f"t{number}_"
        self.words, self.locks = locations(litmus)
        self.registers = sorted(set(re.findall(r"\br\d+\b", litmus.program)))
        self.threads = len(litmus.threads)

    def text(self) -> str:
        """All of it."""
        init = {} if self.litmus.init == "-" else dict(each.split("=") for each in self.litmus.init.split("; "))
        lines = [f"u64 {self.prefix}{name};" for name in (*self.words, *self.registers)]
        values = [f"u64 {self.prefix}{name} = {self._value(value)};" for name, value in init.items()]
        lines += values + [f"static DEFINE_SPINLOCK({self.prefix}{name});" for name in self.locks]
        for number, ops in enumerate(self.litmus.threads):
            mine = sorted(set(re.findall(r"\b(r\d+)=", self.litmus.program.split(" || ")[number])))
            body = [f"u64 {', '.join(f'{each} = 0' for each in mine)};"] if mine else []
            body += self._block(ops) + [f"{self.prefix}{each} = {each};" for each in mine]
            lines += [f"void {self.prefix}f{number}(void) {{", *body, "}"]
        return "\n".join(lines) + "\n"

    def _block(self, ops: Sequence[Op]) -> list[str]:
        lines = list[str]()
        for op in ops:
            if isinstance(op, If):
                lines += [f"if ({op.register} == {self._value(op.value)}) {{", *self._block(op.then), "}"]
            else:
                lines.append(f"{self._op(op)};")
        return lines

    def _op(self, op: str) -> str:
        head, *rest = op.split(" ")
        register, _, operation = head.rpartition("=")
        kind, _, order = operation.partition(".")
        into = f"{register} = " if register else ""
        if head in _FENCES:
            return _FENCES[head]
        if kind in ("Lock", "Unlock"):
            return f"spin_{kind.lower()}(&{self.prefix}{rest[0]})"
        place, values = self._place(rest[0]), [self._value(text) for text in rest[1:]]
        if kind == "St":
            return f"smp_store_release(&{place}, {values[0]})" if order else f"WRITE_ONCE({place}, {values[0]})"
        if kind == "Ld":
            return f"{into}smp_load_acquire(&{place})" if order else f"{into}READ_ONCE({place})"
        if kind == "Xchg":
            return f"{into}xchg{_SUFFIX[order]}(&{place}, {values[0]})"
        if kind == "Cas":
            return f"{into}cmpxchg{_SUFFIX[order]}(&{place}, {values[0]}, {values[1]})"
        counter = f"(atomic64_t *)&{place}"
        return (
            f"{into}atomic64_add_return{_SUFFIX[order]}({values[0]}, {counter})"
            if register
            else (f"atomic64_add({values[0]}, {counter})")
        )

    def _value(self, text: str) -> str:
        return f"(u64)&{self.prefix}{text[1:]}" if text.startswith("&") else text

    def _place(self, text: str) -> str:
        return f"*(u64 *){text[1:]}" if text.startswith("*") else f"{self.prefix}{text}"

    def subject(self, code: CModule, ends: set[str]) -> Scenario:
        """The scenario, which collects final states."""

        @scenario(name="litmus")
        def built(world: World) -> None:
            """A litmus test."""
            loaded = code.load(world)
            for number in range(self.threads):
                world.add_actor(f"cpu{number}", loaded.thread(f"{self.prefix}f{number}"))
            world.eventually("it is noted", lambda: ends.add(self._state(loaded)))

        return built

    def _state(self, code: Code) -> str:
        names = {code.address(f"{self.prefix}{word}"): word for word in self.words}
        values = {name: code.value(f"{self.prefix}{name}") for name in (*self.words, *self.registers)}
        return ",".join(sorted(f"{name}={_shown(value, names)}" for name, value in values.items()))


def _shown(value: int, names: Mapping[int, str]) -> str:
    return f"&{names[value]}" if value in names else str(value - (1 << 64) if value >> 63 else value)


def ends_of(program: Program, code: CModule, model: str) -> set[str]:
    """The final states of a test."""
    ends, session = set[str](), Session()
    subject = program.subject(code, ends)
    report = search(lambda: subject.world(session, {"memory": model}), Dpor())
    assert report.complete
    assert not report.found, program.litmus.name
    return ends


HEADERS = "#include <linux/atomic.h>\n#include <linux/spinlock.h>\n"
GROUPS = range(-(-len(possible()) // GROUP))


@needs_c
@pytest.mark.parametrize("group", [0, *(pytest.param(group, marks=pytest.mark.long) for group in GROUPS[1:])])
def test_final_states_are_those_that_herd_finds(tmp_path: Path, group: int) -> None:
    names = possible()[group :: len(GROUPS)]
    programs = [Program(number, rows()[name]) for number, name in enumerate(names)]
    code = module(tmp_path, HEADERS + "".join(program.text() for program in programs))
    for program in programs:
        litmus = program.litmus
        for model in MODELS:
            ends, expected = ends_of(program, code, model), litmus.states[model]
            if model == "arm" and litmus.name in LOAD_BUFFERING:
                assert ends < expected
            elif model == "arm" and has_dependency(litmus):
                assert ends >= expected
            else:
                assert ends == expected, (litmus.name, model)


def has_dependency(litmus: Litmus) -> bool:
    """Whether something is computed from what was loaded, or done because of it."""
    return bool(re.search(r"\*r\d|(?:St|Xchg|Cas|Add)\S* \S+ [^;]*r\d|if ", litmus.program))


_MIXED = """int word;
void whole(void) { *(volatile int *)&word = 1; }
void part(void) {
 *(volatile char *)&word = 1; }
"""


@needs_c
@pytest.mark.parametrize("model", ["tso", "arm"])
def test_places_of_two_sizes_are_refused(tmp_path: Path, model: str) -> None:
    subject, session = race(module(tmp_path, _MIXED), "whole", "part"), Session()
    report = search(lambda: subject.world(session, {"memory": model}), Dpor())
    assert found(report) == {
        "MisuseError": "part1 raised MisuseError: store word at race.c:4: 1 bytes, where an access of 4 overlaps; "
        "under --memory tso and arm each place in memory must be accessed as a whole"
    }
    assert found(proved(subject)) == {}
