"""What steps share in Python's own objects: a search comes to every state that some interleaving comes to."""

from __future__ import annotations

import random
import re
from collections.abc import Iterable, Sequence
from pathlib import Path

import pytest
import trio

from actors.runtime.primitives.sharing import Sharing
from actors.runtime.runners.controlled import controlled
from actors.runtime.runs.execution import Execution
from actors.runtime.world import MEMORY_MODELS
from tools.experiments.experiment import open_experiment
from tools.explore.dpor.dpor import Dpor
from tools.explore.search import Strategy, explore
from tools.explore.strategies.bounded import Bounded, nothing

from .test_cli import call

HEAD = """
from collections import Counter, deque
from contextlib import nullcontext
from dataclasses import dataclass
from functools import partial
from heapq import heappush
from itertools import islice
from stopmarker import Cpu, World, scenario

TOTAL = 0
SEEN = []


class Kind:
    count = 0


@dataclass
class Thing:
    value: int = 0
    next: object = None


class Slotted:
    __slots__ = ("value",)

    def __init__(self):
        self.value = 0


class Through:
    def __init__(self, things):
        self.things = things

    def __iter__(self):
        return iter(self.things)


def bump(thing):
    thing.value = thing.value * 2 + 1


@scenario()
def mine(world: World) -> None:
    words = [world.word(name) for name in "ab"]
    d, l, o, s, q = {"x": 0}, [0], Thing(next=Thing()), Slotted(), deque([0, 0], maxlen=2)
    n, counts, told = 0, Counter(), []
    add = l.append
    add_told = told.append
"""
CHANGES = (
    "d['x'] += 1",
    "d['x'] = NUMBER",
    "d.pop('y', None)",
    "d.setdefault('y', NUMBER)",
    "l.append(NUMBER)",
    "add(NUMBER)",
    "l[0] ^= NUMBER",
    "o.value += NUMBER",
    "o.next.value += NUMBER",
    "bump(o.next)",
    "o.next = Thing(NUMBER)",
    "s.value = NUMBER",
    "bump(s)",
    "q.append(NUMBER)",
    "n = n * 2 + NUMBER",
    "TOTAL = TOTAL * 2 + NUMBER",
    "Kind.count += NUMBER",
    "counts[NUMBER] += 1",
    "SEEN.append(NUMBER)",
    "l += [NUMBER]",
    "del l[-1:]",
    "o.next.value, o.value = o.value, NUMBER",
    "o.value = s.value = NUMBER",
    "[l.append(one) for one in (NUMBER, 2)]",
    "s.value += d.get('x', 0)",
    "q.rotate(NUMBER)",
    "world.extra = NUMBER",
)
LOOKS = (
    "k = k * 3 + d['x']",
    "k = k * 3 + len(d)",
    "k = k * 3 + len(l)",
    "k = k * 3 + (l == [0])",
    "k = k * 3 + o.value",
    "k = k * 3 + (o == Thing(0, Thing(0)))",
    "k = k * 3 + o.next.value",
    "k = k * 3 + s.value",
    "k = k * 3 + list(q)[0]",
    "k = k * 3 + n",
    "k = k * 3 + TOTAL",
    "k = k * 3 + Kind.count",
    "k = k * 3 + sum(counts.values())",
    "k = k * 3 + len(f'{o}')",
    "k = k * 3 + len(SEEN)",
    "k = k + (await peek(cpu))",
    "k = k + (await walk(cpu))",
    "k = k + sum([await step(cpu, one) for one in l])",
    "k = k * 3 + sum(one for one in items())",
    "k = k * 3 + getattr(world, 'extra', 0)",
    "k = k * 3 + next(numbers, 9)",
    "k = k * 3 + sum(mirror)",
    "k = k * 3 + sum(Through(l))",
    "k = k + (await through(cpu))",
    "k = k * 3 + next(rounds)",
    "k = k * 3 + getattr(o, 'value', 0)",
    "k = k * 3 + max(q, default=0)",
)
STEPS = (
    "await cpu.load(words[0])",
    "await cpu.load(words[1])",
    "await cpu.store(words[0], NUMBER)",
    "await cpu.access('think')",
    "await cpu.note(cpu.name, NUMBER)",
)
WEAK_STEPS = (
    "k = k * 3 + await cpu.load(words[0])",
    "k = k * 3 + await cpu.load(words[1])",
    "await cpu.store(words[0], NUMBER)",
    "await cpu.store(words[1], NUMBER)",
    "k = k * 3 + await cpu.rmw(words[0], lambda value: value ^ NUMBER)",
    "k = k * 3 + await cpu.poll(words[1], lambda value: value < NUMBER or len(l) + d['x'] > 0, 'poll')",
    "await cpu.mb()",
    "await cpu.access('think')",
    "await cpu.note(cpu.name, NUMBER)",
)
TAIL = """
    numbers, mirror = iter(l), d.values()

    def every():
        while True:
            for one in l:
                last = one
                yield last + o.value
            yield 1

    rounds = every()

    async def through(cpu):
        seen = 0
        for one in Through(l):
            with nullcontext(q) as held:
                await cpu.access("through")
                seen = seen * 2 + one + held[0]
                if one:
                    continue
        return seen

    async def step(cpu, one):
        await cpu.access("step")
        return one

    async def walk(cpu):
        seen = 0
        for number, one in enumerate(l):
            await cpu.access("walk")
            seen = seen * 2 + one + number
        return seen

    def items():
        for one in list(d.values()):
            yield one

    async def peek(cpu):
        before = d["x"]
        await cpu.access("peek")
        return before + d["x"]

    def told_of(note):
        add_told(note.value)

    world.always("told", told_of)
    world.eventually("state", lambda: f"{d} {l} {o} {s.value} {list(q)} {n} {TOTAL} {Kind.count} {told} {SEEN} "
                     f"{sorted(counts.items())} {[world.memory.read(word) for word in words]} {sorted(ends)}")
"""


CHANGED_BETWEEN_LOADS = """
    dev = Thing(True)

    @world.actor
    async def power(cpu):
        for there in (False, True, False):
            await cpu.load(words[0], "step")
            dev.value = there

    @world.actor
    async def watchdog(cpu):
        found = []
        for tick in range(4):
            await cpu.load(words[1], "tick")
            found.append(dev.value)
        if found == [False, True, True, False]:
            await cpu.note("bad")
"""
BEHIND_AN_OLDER_STORE = """
    dev = Thing(0)

    @world.actor
    async def writer(cpu):
        await cpu.store(words[0], 1, "flag")
        dev.value = 1

    @world.actor
    async def reader(cpu):
        if not await cpu.load(words[0], "flag") and dev.value:
            await cpu.note("bad")
"""


@pytest.mark.parametrize(
    ("text", "memory", "verdict"),
    [
        *((CHANGED_BETWEEN_LOADS, memory, "VIOLATED: 1 of all 35 inequivalent schedules") for memory in MEMORY_MODELS),
        (BEHIND_AN_OLDER_STORE, "sc", "HOLDS: all 2 inequivalent schedules"),
        (BEHIND_AN_OLDER_STORE, "tso", "VIOLATED: 1 of all 3 inequivalent schedules"),
        (BEHIND_AN_OLDER_STORE, "arm", "VIOLATED: 1 of all 3 inequivalent schedules"),
    ],
)
def test_under_each_memory_model(
    text: str, memory: str, verdict: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What no CPU reorders is seen by everybody at once, whatever each sees of the words."""
    monkeypatch.chdir(tmp_path)
    bad = '\n    world.always("never", lambda note: "bad" if note.subject == "bad" else None)\n'
    Path("mine.py").write_text(HEAD + text + bad)
    assert verdict in call("prove", "mine.py", "--keep-going", "--memory", memory).stdout


def program(seed: int, steps: Sequence[str] = STEPS) -> str:
    """The text of a scenario whose actors share objects that no step declares."""
    draw = random.Random(seed)
    few = draw.sample(CHANGES, 6), draw.sample(LOOKS, 8)
    text = HEAD + "    ends = []\n"
    for number in range(draw.choice((2, 2, 3))):
        text += f"\n    async def actor{number}(cpu: Cpu) -> None:\n"
        text += "        nonlocal n, l\n        global TOTAL\n        k = 0\n"
        for _ in range(draw.choice((2, 3)) if number < 2 else 1):
            text += f"        {draw.choice(steps)}\n".replace("NUMBER", str(draw.randrange(1, 4)))
            for _ in range(draw.randrange(4)):
                line = draw.choice(draw.choice(few)).replace("NUMBER", str(draw.randrange(1, 4)))
                text += f"        {'if k % 2: ' if draw.random() < 0.2 else ''}{line}\n"
        text += f"        ends.append(('{number}', k))\n\n    world.add_actor('actor{number}', actor{number})\n"
    return text + TAIL


HANDED_OVER = """
from dataclasses import dataclass
from stopmarker import Cpu, World, one_of, scenario


@dataclass(frozen=True)
class Message:
    number: int


@scenario(by=one_of("work", "posted", "non-posted", default="work", meaning="what hands a message over"))
def mine(world: World, by: str) -> None:
    queue, seen, word = world.workqueue("queue", Message), [], world.word("word")
    link = world.link("link", posted=(Message,), non_posted=(Message,))

    @world.actor
    async def sender(cpu: Cpu) -> None:
        if by == "work":
            await queue.queue(Message(1))
        elif by == "posted":
            await link.send_posted(Message(1), "post")
        else:
            await link.send_ordered(by, Message(1))
        seen.append("sender")

    @world.actor
    async def receiver(cpu: Cpu) -> None:
        if by == "work":
            await queue.take(cpu)
        elif by == "posted":
            await link.receive_posted(cpu)
        else:
            await link.receive_ordered(cpu, by)
        await cpu.store(word, 1)

    @world.actor
    async def other(cpu: Cpu) -> None:
        await cpu.access("other")
        seen.append("other")

    @world.actor
    async def reader(cpu: Cpu) -> None:
        await cpu.load(word)
"""


@pytest.mark.parametrize("by", ["work", "posted", "non-posted"])
def test_what_a_step_that_shares_something_hands_over_still_comes_before_it_is_taken(tmp_path: Path, by: str) -> None:
    """The step on record is not the one that was made, and once did not say what it gave: the file was refused."""
    (tmp_path / "mine.py").write_text(HANDED_OVER)
    assert "HOLDS: all 4 inequivalent" in call("prove", f"{tmp_path / 'mine.py'}::mine", "-p", f"by={by}").output


def states(name: str, strategy: Strategy, memory: str = "sc") -> set[str]:
    """All that the runs of a strategy come to."""
    found: set[str] = set()

    def watch(execution: Execution) -> None:
        assert execution.finding is not None
        found.add(re.sub("since step [0-9]+", "", execution.finding.message))  # which no class of runs decides

    async def main() -> None:
        experiment = open_experiment(name, {"memory": memory})
        async with controlled() as driver:
            report = await explore(driver, experiment.world, strategy, watch=watch)
        assert report.exhausted

    trio.run(main)
    return found


def compare(folder: Path, seeds: range) -> int:
    """How many states there are in all, if both ways come to the same."""
    total = 0
    for seed in seeds:
        file = folder / f"mine{seed}.py"
        file.write_text(program(seed))
        every = states(f"{file}::mine", Bounded(nothing))
        assert states(f"{file}::mine", Dpor()) == every, f"{file}"
        total += len(every)
    return total


def compare_weak(folder: Path, seeds: Iterable[int], memory: str, monkeypatch: pytest.MonkeyPatch) -> int:
    """As `compare`, on weaker memory, where each order of all steps is tried with everything that a CPU may see then.

    To have that, any two steps count as if they shared something: what a step may see never depends on that.
    """
    total = 0
    for seed in seeds:
        file = folder / f"mine{seed}.py"
        file.write_text(program(seed, WEAK_STEPS))
        found = states(f"{file}::mine", Dpor(), memory)
        with monkeypatch.context() as patch:
            patch.setattr(Sharing, "masks", lambda self, *_: (0, self._session.resources.mask(("python", "all"))))
            assert found == states(f"{file}::mine", Bounded(nothing), memory), f"{file}"
        total += len(found)
    return total


def test_random_programs_that_share_what_no_step_declares(tmp_path: Path) -> None:
    assert compare(tmp_path, range(60)) == 145


@pytest.mark.parametrize(("memory", "total"), [("tso", 84), ("arm", 84)])
def test_random_programs_on_weaker_memory(
    memory: str, total: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert compare_weak(tmp_path, (*range(16), 24, 70), memory, monkeypatch) == total


@pytest.mark.long
@pytest.mark.parametrize(("memory", "total"), [("tso", 191), ("arm", 191)])
def test_many_random_programs_on_weaker_memory(
    memory: str, total: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert compare_weak(tmp_path, range(100, 140), memory, monkeypatch) == total


@pytest.mark.long
def test_many_random_programs_that_share_what_no_step_declares(tmp_path: Path) -> None:
    assert compare(tmp_path, range(100, 500)) == 934
