"""Litmus tests: their grammar, and scenarios made of them. What the tests say was found by herd (see `litmus.tsv`).

program = thread { " || " thread }, thread = op { "; " op }; `if r0==1 { … }` nests.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Coroutine, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from hw.bus import PhysAddr
from stopmarker import Cpu, SpinLock, World, scenario

ORDERS = {"rlx": "relaxed", "acq": "acquire", "rel": "release", "full": "full"}
FENCES = (
    *("mb", "wmb", "rmb", "dma_wmb", "dma_rmb", "mb_before_atomic", "mb_after_atomic", "mb_after_spinlock"),
    "mb_after_unlock_lock",
)
MODELS = ("sc", "tso", "arm")
_HERE = Path(__file__).parent
_TOKEN = re.compile(r"\s*if (r\d+)==(\S+) \{|\}|[^;{}]+")


@dataclass(frozen=True, slots=True)
class If:
    """What is done only if a register has a value."""

    register: str
    value: str
    then: Sequence[str | If]


Op = str | If


@dataclass(frozen=True, slots=True)
class Litmus:
    """One row: a program, the outcome that is asked about, and by model whether there is such an end, of how many."""

    name: str
    init: str
    program: str
    outcome: str
    allowed: Mapping[str, bool]
    states: Mapping[str, frozenset[str]]

    @property
    def threads(self) -> list[Sequence[Op]]:
        """What each CPU does."""
        return [parse(text) for text in self.program.split(" || ")]


def parse(text: str) -> Sequence[Op]:
    """The operations of one thread."""
    blocks: list[list[Op]] = [[]]
    heads: list[tuple[str, str]] = []
    for token in _TOKEN.finditer(text):
        word = token.group().strip()
        if word.startswith("if "):
            heads.append((token.group(1), token.group(2)))
            blocks.append([])
        elif word == "}":
            then = blocks.pop()
            blocks[-1].append(If(*heads.pop(), then))
        elif word:
            blocks[-1].append(word)
    return blocks[0]


@cache
def rows() -> Mapping[str, Litmus]:
    """All tests, by name."""
    lines = [line for line in (_HERE / "litmus.tsv").read_text().splitlines() if not line.startswith("#")]
    head, *rest = [line.split("\t") for line in lines]
    states: dict[str, dict[str, frozenset[str]]] = {}
    for line in (_HERE / "states.tsv").read_text().splitlines():
        if not line.startswith("#"):
            name, model, listed = line.split("\t")
            states.setdefault(name, {})[model] = frozenset(map(_sorted, listed.split(" ")))
    found = {}
    for cells in rest:
        row = dict(zip(head, cells, strict=True))
        allowed = {model: row[model] == "Allowed" for model in MODELS}
        for model in MODELS:
            assert len(states[row["name"]][model]) == int(row[f"n_{model}"])
        found[row["name"]] = Litmus(
            row["name"], row["init"], row["program"], row["outcome"], allowed, states[row["name"]]
        )
    return found


def locations(litmus: Litmus) -> tuple[Sequence[str], Sequence[str]]:
    """Its words, and its locks."""
    text = f"{litmus.init} {litmus.program} {litmus.outcome}"
    locks = set(re.findall(r"(?:Lock|Unlock) ([a-z]\w*)", text))
    words = set(re.findall(r"(?:Ld(?:\.acq)?|St(?:\.rel)?|(?:Xchg|Cas|Add)(?:\.\w+)?) ([a-z]\w*)", text))
    words |= set(re.findall(r"&([a-z]\w*)", text)) | set(re.findall(r"\b([a-z]\w*)=(?!L|X|C|A|=)", text))
    registers = {word for word in words if re.fullmatch(r"r\d+", word)}
    return sorted(words - locks - registers), sorted(locks)


class Machine:
    """The words, locks and registers of one run."""

    def __init__(self, world: World, litmus: Litmus) -> None:
        words, locks = locations(litmus)
        self.world = world
        self.words = {name: world.word(name) for name in words}
        self.names = {address: name for name, address in self.words.items()}
        self.locks: dict[str, SpinLock] = {name: world.spinlock(name) for name in locks}
        self.registers = dict.fromkeys(re.findall(r"\br\d+\b", litmus.program), 0)
        for setting in [] if litmus.init == "-" else litmus.init.split("; "):
            name, value = setting.split("=")
            world.memory.write(self.words[name], self.value(value))

    def value(self, text: str) -> int:
        """A constant, a register, or a register and a number."""
        if text.startswith("&"):
            return self.words[text[1:]]
        if text.startswith("r"):
            register, plus, more = text.partition("+")
            return self.registers[register] + int(more) if plus else self.registers[register]
        return int(text)

    def address(self, text: str) -> PhysAddr:
        """A location, or the one whose address a register holds."""
        return PhysAddr(self.registers[text[1:]]) if text.startswith("*") else self.words[text]

    def shown(self, value: int) -> str:
        """A value as herd prints it."""
        value = int(value)
        signed = value - (1 << 64) if value >> 63 else value
        name = self.names.get(PhysAddr(value))
        return str(signed) if name is None else f"&{name}"

    def state(self) -> str:
        """The final state."""
        values = {name: self.shown(value) for name, value in self.registers.items()}
        values |= {name: self.shown(self.world.memory.read(address)) for name, address in self.words.items()}
        return _sorted(",".join(f"{name}={value}" for name, value in values.items()))

    def thread(self, ops: Sequence[Op]) -> Callable[[Cpu], Coroutine[Any, Any, None]]:
        """An actor that does so."""

        async def main(cpu: Cpu) -> None:
            await self.block(cpu, ops, [])

        return main

    async def block(self, cpu: Cpu, ops: Sequence[Op], control: list[int]) -> None:
        """Operations under the conditions that depend on `control`."""
        for op in ops:
            if isinstance(op, If):
                register = self.registers[op.register]
                if int(register) == int(self.value(op.value)):
                    await self.block(cpu, op.then, [*control, *_marked(register)])
            else:
                await self.do(cpu, op, control)

    async def do(self, cpu: Cpu, op: str, control: list[int]) -> None:
        """One operation."""
        head, *rest = op.split(" ")
        register, _, operation = head.rpartition("=")
        kind, _, order = operation.partition(".")
        if head in FENCES:
            await getattr(cpu, head)()
        elif kind in ("Lock", "Unlock"):
            await (cpu.lock if kind == "Lock" else cpu.unlock)(self.locks[rest[0]])
        elif kind == "St":
            address, value = self.address(rest[0]), self.value(rest[1])
            if order:
                await cpu.store_release(address, value, rest[0])
            else:
                await cpu.store(address, value, rest[0], depends=control)
        elif kind == "Ld":
            load = cpu.load_acquire if order else cpu.rcu_dereference
            self.registers[register] = await load(self.address(rest[0]), rest[0])
        elif kind == "Add" and not register:
            await cpu.add_unseen(self.address(rest[0]), int(rest[1]), rest[0])
        else:
            self.registers[register] = await self.atomic(cpu, kind, ORDERS[order], rest)

    async def atomic(self, cpu: Cpu, kind: str, order: str, rest: Sequence[str]) -> int:
        """An atomic operation with a result."""
        address = self.address(rest[0])
        if kind == "Xchg":
            return await cpu.xchg(address, self.value(rest[1]), rest[0], order=order)
        if kind == "Cas":
            return await cpu.cmpxchg(address, self.value(rest[1]), self.value(rest[2]), rest[0], order=order)
        return await cpu.add(address, int(rest[1]), rest[0], order=order)


def _sorted(state: str) -> str:
    return ",".join(sorted(state.split(",")))


def _marked(register: int) -> Iterator[int]:
    if type(register) is not int:
        yield register


def scenario_of(litmus: Litmus, ends: set[str]) -> Any:
    """A scenario of the test, which puts the final state of each run into `ends`."""

    @scenario(name=litmus.name)
    def test(world: World) -> None:
        """A litmus test."""
        machine = Machine(world, litmus)
        for number, ops in enumerate(litmus.threads):
            world.add_actor(f"cpu{number}", machine.thread(ops))
        world.eventually("seen", lambda: ends.add(machine.state()))

    return test
