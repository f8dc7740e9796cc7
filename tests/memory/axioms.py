"""What litmus programs may end in, by axioms: every candidate execution is made and looked at as a whole.

An execution is which store each load reads and in which order stores of one word come. It is possible if certain
relations have no circle; the relations are those of the documents (SC; x86-TSO of Owens, Sarkar, Sewell; the Armv8
model `aarch64.cat`). Nothing here knows of steps, of views, or of the order in which CPUs run.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import permutations, product
from math import factorial, prod

from tests.memory.litmus import If, Op, parse

INIT = -1


@dataclass(slots=True, eq=False)
class Event:
    """One access or fence of a thread, in one of the ways in which the thread can go."""

    kind: str
    """R, W, or the name of a fence."""
    word: str = ""
    value: int | str = 0
    acquires: bool = False
    releases: bool = False
    unseen: bool = False
    locked: bool = False
    full: bool = False
    reads: Event | None = None
    """Of the store of a read-modify-write its load."""
    address: tuple[Event, ...] = ()
    data: tuple[Event, ...] = ()
    control: tuple[Event, ...] = ()
    number: int = 0
    thread: int = 0


Value = int | str


@dataclass
class Path:
    """One way in which a thread can go, with guesses of what its loads give."""

    events: list[Event] = field(default_factory=list)
    registers: dict[str, Value] = field(default_factory=dict)
    sources: dict[str, Event] = field(default_factory=dict)
    """The load that each register comes from."""

    @cached_property
    def wanted(self) -> set[tuple[str, Value]]:
        """What its loads must find."""
        return {(event.word, event.value) for event in self.events if event.kind == "R"}

    @cached_property
    def stored(self) -> set[tuple[str, Value]]:
        """What it stores."""
        return {(event.word, event.value) for event in self.events if event.kind == "W"}

    def fork(self) -> Path:
        """A copy: events are shared."""
        return Path(list(self.events), dict(self.registers), dict(self.sources))


def _value(path: Path, text: str) -> tuple[Value, tuple[Event, ...]]:
    if not text.startswith("r"):
        return (text if text.startswith("&") else int(text)), ()
    register, plus, more = text.partition("+")
    value = path.registers.get(register, 0)
    if plus:
        assert isinstance(value, int)
        value += int(more)
    return value, (path.sources[register],) if register in path.sources else ()


def _paths(
    ops: Sequence[Op], path: Path, domain: Mapping[str, Sequence[Value]], control: tuple[Event, ...]
) -> Iterator[Path]:
    if not ops:
        yield path
        return
    op, rest = ops[0], ops[1:]
    if isinstance(op, If):
        wanted, _ = _value(path, op.value)
        if path.registers.get(op.register, 0) == wanted:
            source = path.sources.get(op.register)
            for inner in _paths(op.then, path, domain, (*control, *([source] if source else []))):
                yield from _paths(rest, inner, domain, control)
        else:
            yield from _paths(rest, path, domain, control)
        return
    for done in _one(op, path, domain, control):
        yield from _paths(rest, done, domain, control)


def _one(op: str, path: Path, domain: Mapping[str, Sequence[Value]], control: tuple[Event, ...]) -> Iterator[Path]:
    head, *rest = op.split(" ")
    register, _, operation = head.rpartition("=")
    kind, _, order = operation.partition(".")
    if not rest:
        path.events.append(Event(head))
        yield path
        return
    address: tuple[Event, ...] = ()
    word = rest[0]
    if word.startswith("*"):
        place, address = _value(path, word[1:])
        if not isinstance(place, str):
            return
        word = place[1:]
    if kind == "St" or kind == "Unlock":
        value, data = (0, ()) if kind == "Unlock" else _value(path, rest[1])
        releases = order == "rel" or kind == "Unlock"
        path.events.append(Event("W", word, value, releases=releases, address=address, data=data, control=control))
        yield path
        return
    acquires, releases, full = order in ("acq", "full"), order in ("rel", "full"), order == "full"
    if kind == "Lock":
        acquires = True
    for read in (0,) if kind == "Lock" else domain[word]:
        made = path.fork()
        load = Event("R", word, read, acquires=acquires, address=address, control=control, locked=kind != "Ld")
        load.unseen = kind == "Add" and not register
        result: Value = read
        stored: Value | None = None
        if kind == "Lock":
            stored = 1
        elif kind == "Xchg":
            stored = _value(path, rest[1])[0]
        elif kind == "Cas":
            if read == _value(path, rest[1])[0]:
                stored = _value(path, rest[2])[0]
            else:
                load.acquires = False
        elif kind == "Add":
            assert isinstance(read, int)
            result = stored = read + int(rest[1])
        made.events.append(load)
        if stored is not None:
            store = Event("W", word, stored, releases=releases, reads=load, locked=True, full=full, control=control)
            made.events.append(store)
        if register:
            made.registers[register] = result
            made.sources[register] = load
        yield made


def _domain(program: str, init: Mapping[str, Value], words: Sequence[str]) -> Mapping[str, Sequence[Value]]:
    """What a word can hold, or more."""
    numbers: set[int] = {0, *(value for value in init.values() if isinstance(value, int))}
    numbers |= {int(text) for text in re.findall(r"(?:St(?:\.rel)?|Xchg\.\w+) \S+ (-?\d+)", program)}
    numbers |= {int(text) for text in re.findall(r"Cas\.\w+ \S+ -?\d+ (-?\d+)", program)}
    steps = {int(text) for text in re.findall(r"(?:Add(?:\.\w+)? \S+ |\+)(-?\d+)", program)}
    for _ in range(len(re.findall(r"Add|\+", program))):
        numbers |= {number + step for number in numbers for step in steps}
    pointers = sorted(set(re.findall(r"&\w+", program)) | {v for v in init.values() if isinstance(v, str)})
    known = {word: sorted(numbers) for word in words}
    held = {word for word in words if isinstance(init.get(word), str)}
    return {word: pointers if word in held else known[word] for word in words}


def size(program: str, init: Mapping[str, Value], words: Sequence[str]) -> int:
    """About how many executions there are to look at."""
    domain = _domain(program, init, words)
    ways = [list(_paths(parse(text), Path(), domain, ())) for text in program.split(" || ")]
    orders = 1
    for word in words:
        stores = (max(sum(e.kind == "W" and e.word == word for e in path.events) for path in paths) for paths in ways)
        orders *= factorial(sum(stores))
    return prod(map(len, ways)) * orders


def ends(
    program: str, init: Mapping[str, Value], words: Sequence[str], locks: Sequence[str], model: str
) -> frozenset[str]:
    """The final states; without executions in which program order and reads-from form a circle."""
    threads = [parse(text) for text in program.split(" || ")]
    domain = _domain(program, init, words)
    ways = [list(_paths(ops, Path(), domain, ())) for ops in threads]
    registers = dict.fromkeys(re.findall(r"\br\d+\b", program), 0)
    found = set()
    given = {(word, init.get(word, 0)) for word in (*words, *locks)}
    for paths in product(*ways):
        if not set().union(*(path.wanted for path in paths)) <= given.union(*(path.stored for path in paths)):
            continue  # a load gives what nobody stores
        for memory in Candidate([path.events for path in paths], init, (*words, *locks)).memories(model):
            values: dict[str, Value] = dict(registers)
            for path in paths:
                values |= path.registers
            values |= {word: memory[word] for word in words}
            found.add(",".join(sorted(f"{name}={value}" for name, value in values.items())))
    return frozenset(found)


class Candidate:
    """The executions with given paths: relations are lists of masks, of each event those that come after it."""

    def __init__(self, threads: Sequence[Sequence[Event]], init: Mapping[str, Value], words: Sequence[str]) -> None:
        self.events: list[Event] = []
        for thread, events in enumerate(threads):
            for event in events:
                event.number, event.thread = len(self.events), thread
                self.events.append(event)
        self.init = init
        self.words = words
        self.loads = [event for event in self.events if event.kind == "R"]
        self.stores = [event for event in self.events if event.kind == "W"]
        self.accesses = sorted(self.loads + self.stores, key=lambda event: event.number)

    def memories(self, model: str) -> Iterator[Mapping[str, Value]]:
        """What is in memory at the end of each possible execution."""
        sources: list[list[int]] = []
        for load in self.loads:
            known = [
                s.number for s in self.stores if s.word == load.word and s.value == load.value and s.reads is not load
            ]
            if self.init.get(load.word, 0) == load.value:
                known.append(INIT)
            if not known:
                return
            sources.append(known)
        order = self.order(model)
        by_word = [[s.number for s in self.stores if s.word == word] for word in self.words]
        for co in product(*(list(permutations(stores)) for stores in by_word)):
            place = {store: index for chain in co for index, store in enumerate(chain)}
            place[INIT] = -1
            if any(self.is_possible(model, order, place, co, rf) for rf in product(*sources)):
                yield {
                    word: self.events[chain[-1]].value if chain else self.init.get(word, 0)
                    for word, chain in zip(self.words, co, strict=True)
                }

    def is_possible(
        self,
        model: str,
        order: Sequence[int],
        place: Mapping[int, int],
        co: Sequence[Sequence[int]],
        rf: Sequence[int],
    ) -> bool:
        """Whether an execution breaks no axiom."""
        events = self.events
        for load, source in zip(self.loads, rf, strict=True):
            for store in self.stores:  # nothing between the load and the store of a read-modify-write
                if store.reads is load and place[store.number] != place[source] + 1:
                    return False
        inside, outside, causal = ([0] * len(events) for _ in range(3))
        pairs = [(a, b) for chain in co for at, a in enumerate(chain) for b in chain[at + 1 :]]
        for load, source in zip(self.loads, rf, strict=True):
            if source != INIT:
                inside[source] |= 1 << load.number
                causal[source] |= 1 << load.number
                if events[source].thread != load.thread or model == "sc":
                    outside[source] |= 1 << load.number
            pairs += [
                (load.number, store.number)
                for store in self.stores
                if store.word == load.word and place[store.number] > place[source]
            ]
        for a, b in pairs:
            inside[a] |= 1 << b
            outside[a] |= 1 << b
        for one in self.accesses:
            for two in self.accesses:
                if one.thread == two.thread and one.number < two.number:
                    causal[one.number] |= 1 << two.number
                    if one.word == two.word:
                        inside[one.number] |= 1 << two.number
        joined = [one | other for one, other in zip(outside, order, strict=True)]
        return _acyclic(inside) and _acyclic(joined) and _acyclic(causal)

    def order(self, model: str) -> Sequence[int]:
        """What each CPU keeps in order by itself."""
        found = [0] * len(self.events)
        for a in self.accesses:
            for b in self.accesses:
                if a.thread == b.thread and a.number < b.number and getattr(self, f"_{model}")(a, b):
                    found[a.number] |= 1 << b.number
        return found

    def _sc(self, a: Event, b: Event) -> bool:
        return True

    def _tso(self, a: Event, b: Event) -> bool:
        return a.kind == "R" or b.kind == "W" or a.locked or b.locked or "mb" in self._between(a, b)

    def _arm(self, a: Event, b: Event) -> bool:
        between = self._between(a, b)
        if between & {"mb", "mb_before_atomic", "mb_after_atomic", "mb_after_spinlock"}:
            return True
        if between & {"rmb", "dma_rmb"} and a.kind == "R" and not a.unseen:
            return True
        if between & {"wmb", "dma_wmb"} and a.kind == b.kind == "W":
            return True
        if a.acquires or b.releases or (a.releases and b.acquires) or (a.full and a.kind == "W"):
            return True
        if b.kind == "W" and (a.word == b.word or b.reads is a or a in b.control):
            return True
        return self._depends(a, b)

    def _depends(self, a: Event, b: Event) -> bool:
        """Address and data dependencies, what comes behind them, and what is forwarded to `b` after them."""
        if a in b.address or a in b.data:
            return True
        for middle in self.events[a.number + 1 : b.number]:
            if a in middle.address and b.kind == "W":
                return True
            forwarded = b.kind == "R" and middle.kind == "W" and middle.word == b.word and self._is_last(middle, b)
            if forwarded and (a in middle.address or a in middle.data):
                return True
        # What an atomic operation stored, read by an acquire of the same CPU.
        return a.reads is not None and b.kind == "R" and b.acquires and a.word == b.word and self._is_last(a, b)

    def _is_last(self, store: Event, load: Event) -> bool:
        """Whether a store is the last of its CPU to that word ahead of a load."""
        later = self.events[store.number + 1 : load.number]
        return not any(event.kind == "W" and event.word == store.word for event in later)

    def _between(self, a: Event, b: Event) -> set[str]:
        return {event.kind for event in self.events[a.number + 1 : b.number]}


def _acyclic(after: Sequence[int]) -> bool:
    """Whether a relation has no circle: events that nothing left comes before are taken away, again and again."""
    left = (1 << len(after)) - 1
    while left:
        reached = 0
        for number, mask in enumerate(after):
            if left >> number & 1:
                reached |= mask
        free = left & ~reached
        if not free:
            return False
        left &= ~free
    return True
