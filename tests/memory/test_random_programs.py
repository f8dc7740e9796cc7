"""Random small programs: the searches find exactly the final states that the axioms allow, and DPOR what brute force
finds."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from itertools import islice

import pytest

from actors.runtime.runs.causality import causality_of
from actors.runtime.runs.commute import Row, rows
from actors.runtime.runs.execution import Execution
from tests.explore.searching import search, worlds
from tests.memory import axioms
from tests.memory.litmus import MODELS, Litmus, locations, scenario_of
from tests.searching import exhaust
from tools.explore.dpor.dpor import Dpor
from tools.explore.search import Strategy
from tools.explore.strategies.bounded import Bounded, nothing

LONG = 4_000
_FEW = 4_000
"""Executions to look at: with more a program takes the axioms too long."""
Story = tuple[Row, ...]
_FENCES = ("mb", "wmb", "rmb", "dma_wmb", "dma_rmb", "mb_before_atomic", "mb_after_atomic")
_ORDERS = ("rlx", "acq", "rel", "full")


class Writer:
    """Writes programs: two or three CPUs, up to four operations each, two words, and perhaps a lock or a pointer."""

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)
        self._registers = 0
        self._has_pointer = self._random.random() < 0.15
        self._has_lock = self._random.random() < 0.15

    def litmus(self) -> Litmus:
        """A program; what it may end in is not known."""
        count = self._random.choice((2, 2, 2, 3))
        longest = 4 if count == 2 else 3
        threads = [self._thread(self._random.randint(1, longest)) for _ in range(count)]
        init = "p=&x" if self._has_pointer else "-"
        return Litmus("random", init, " || ".join(threads), "", {}, {})

    def _thread(self, length: int) -> str:
        own: list[str] = []
        ops = [self._op(own) for _ in range(length)]
        if self._has_lock and self._random.random() < 0.7:
            first = self._random.randrange(len(ops))
            ops[first : first + 2] = ["Lock l", *ops[first : first + 2], "Unlock l"]
        return "; ".join(ops)

    def _register(self, own: list[str]) -> str:
        own.append(f"r{self._registers}")
        self._registers += 1
        return own[-1]

    def _op(self, own: list[str]) -> str:
        """One operation; `own` are the registers of the thread so far."""
        pick, word = self._random.random(), self._random.choice("xy")
        if pick < 0.12:
            return self._random.choice(_FENCES)
        if self._has_pointer and pick < 0.3:
            return self._through_pointer(own)
        if pick < 0.34:
            return self._atomic(own, word)
        if pick < 0.42 and own:
            return f"if {self._random.choice(own)}=={self._random.randint(0, 1)} {{ {self._store(own, word)} }}"
        if pick < 0.7:
            return self._store(own, word)
        return f"{self._register(own)}=Ld{'.acq' if self._random.random() < 0.2 else ''} {word}"

    def _store(self, own: Sequence[str], word: str) -> str:
        if own and self._random.random() < 0.2:
            return f"St {word} {self._random.choice(own)}"
        return f"St{'.rel' if self._random.random() < 0.2 else ''} {word} {self._random.randint(1, 2)}"

    def _atomic(self, own: list[str], word: str) -> str:
        order = self._random.choice(_ORDERS)
        match self._random.randrange(4):
            case 0:
                return f"{self._register(own)}=Xchg.{order} {word} 1"
            case 1:
                return f"{self._register(own)}=Cas.{order} {word} {self._random.randint(0, 1)} 2"
            case 2:
                return f"{self._register(own)}=Add.{order} {word} 1"
            case _:
                return f"Add {word} 1"

    def _through_pointer(self, own: list[str]) -> str:
        """A store to the pointer, or an access to where it points; that register holds no number."""
        if self._random.random() < 0.4:
            return f"St{self._random.choice(('', '.rel'))} p &y"
        pointer = self._register([])
        access = f"{self._register(own)}=Ld *{pointer}" if self._random.random() < 0.6 else f"St *{pointer} 1"
        return f"{pointer}=Ld p; {access}"


def allowed(litmus: Litmus, model: str) -> frozenset[str]:
    """What the axioms allow."""
    words, locks = locations(litmus)
    init: dict[str, axioms.Value] = {"p": "&x"} if litmus.init != "-" else {}
    return axioms.ends(litmus.program, init, words, locks, model)


def programs(seeds: range) -> Iterator[Litmus]:
    """Those of some seeds that are small enough."""
    for seed in seeds:
        litmus = Writer(seed).litmus()
        words, locks = locations(litmus)
        init: dict[str, axioms.Value] = {"p": "&x"} if litmus.init != "-" else {}
        if axioms.size(litmus.program, init, (*words, *locks)) <= _FEW:
            yield litmus


def compare(seeds: range) -> int:
    """Compare the final states of the programs of some seeds; how many programs."""
    count = 0
    for litmus in programs(seeds):
        count += 1
        for model in MODELS:
            ends: set[str] = set()
            report = exhaust(scenario_of(litmus, ends), {"memory": model})
            assert report.complete and not report.found, (litmus.program, model)
            assert ends == allowed(litmus, model), (litmus.program, model)
    return count


@pytest.mark.parametrize(("start", "count"), [(0, 47), (50, 43), (100, 44)])
def test_searches_find_what_the_axioms_allow(start: int, count: int) -> None:
    assert compare(range(start, start + 50)) == count


@pytest.mark.long
@pytest.mark.parametrize("start", range(1_000, 1_000 + LONG, 500))
def test_searches_find_what_the_axioms_allow_in_thousands(start: int) -> None:
    assert compare(range(start, start + 500)) > 300


def classes(litmus: Litmus, model: str, strategy: Strategy) -> tuple[int, set[Story], set[str]]:
    """How many runs a search makes, what is not the same in all of them, and the final states."""
    ends: set[str] = set()
    found: set[Story] = set()

    def watch(execution: Execution) -> None:
        found.add(tuple(sorted(rows(execution, causality_of(execution).past))))

    report = search(worlds(scenario_of(litmus, ends), memory=model), strategy, watch=watch)
    assert report.complete
    return report.schedules, found, ends


@pytest.mark.parametrize("model", ["tso", "arm"])
def test_dpor_makes_one_run_of_each_class_that_brute_force_finds(model: str) -> None:
    runs = 0
    small = (one for one in programs(range(3_000, 9_000)) if 3 <= one.program.count(";") <= 4)
    for litmus in islice((one for one in small if one.program.count("||") == 1), 60):
        made, by_dpor, ends = classes(litmus, model, Dpor())
        _, by_force, all_ends = classes(litmus, model, Bounded(nothing))
        assert (by_dpor, ends) == (by_force, all_ends), litmus.program
        assert made == len(by_dpor), litmus.program
        runs += made
    assert runs == {"tso": 202, "arm": 214}[model]
