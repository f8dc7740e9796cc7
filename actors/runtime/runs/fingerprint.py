"""The whole state of a world as plain values: two that are equal go on in the same way, whatever happened before.

It holds memory, ports, locks, oracles, and where each actor stands: for each of its frames the instruction, the locals,
and what the interpreter keeps out of sight (how far a `for` has come). From there every object that can be reached is
written down, by its number where it can change and by value where it cannot. What nobody's decision may depend on is
left out: the record of the run, the number of the step. What cannot be looked into is refused, so that no difference is
overlooked. A counter that only grows makes all states differ: then a livelock is missed, but none is invented.

Names are only compared for equality, so they are numbered anew in the order in which they are met; of counters that
were declared the first that is met counts as zero. Of a user's file what its functions name is part of the state too.
"""

from __future__ import annotations

import enum
import gc
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from hashlib import sha256
from operator import itemgetter
from pathlib import Path
from types import (
    BuiltinMethodType,
    CellType,
    CodeType,
    CoroutineType,
    FrameType,
    FunctionType,
    GeneratorType,
    MethodType,
    MethodWrapperType,
    ModuleType,
)
from typing import Any

from hw.bus import PhysAddr
from hw.memory import WORD_BYTES, Memory

from ..kernel.primitive import Stateful
from ..primitives.codec import Codec
from ..primitives.names import Count, Name
from ..primitives.ports import Port
from ..primitives.resources import FootprintTable, ResourceTable
from ..primitives.rwlock import RwSemaphore
from ..primitives.session import Session
from ..primitives.sharing import Condition
from ..primitives.snapshots import USERS, is_users
from ..primitives.step import Step
from ..primitives.sync import Interrupt, Lock
from ..primitives.workqueue import Workqueue
from ..world import SC, Actor, Cpu, World

Token = Any
"""A value, or the number of an object, in nested tuples; each says of which type it is, as 1 equals True."""
Fingerprint = list[Token]
_ATOMS = (int, str, bytes, bool, float, complex, type(None), range)
_SAME = (Session, Codec, ResourceTable, FootprintTable, CodeType, FrameType)
"""What no run changes, or what is looked into from elsewhere."""
_ROOT = str(Path(__file__).parents[3])
"""Where this library lies, which is no matter of a world's state."""
_ORDERLESS = type(iter(set[object]()))


class Unclear(Exception):
    """Something in a world cannot be looked into, so its states cannot be compared."""


def state_of(world: World, pending: Sequence[Step | None]) -> bytes:
    """A digest of the state of a world between two steps; Unclear if part of it cannot be looked into."""
    if world.memory_model != SC:
        raise Unclear(f"under memory={world.memory_model} what can still be read grows with every store")
    return sha256(repr(list(_Survey().of(_roots(world, pending)))).encode()).digest()[:16]


def fingerprint(world: World, pending: Sequence[Step | None] = ()) -> Fingerprint | None:
    """The state of a world between two steps; None if part of it cannot be looked into.

    So it is under a memory model other than `sc`: what can still be read grows with every store.
    """
    if world.memory_model != SC:
        return None
    try:
        return list(_Survey().of(_roots(world, pending)))
    except Unclear:
        return None


def digest(thing: object) -> bytes:
    """A digest of what can be reached from a thing, the same in every process; empty if it cannot be looked into."""
    try:
        return sha256(repr(list(_Survey().of(thing))).encode()).digest()[:16]
    except Unclear:
        return b""


def _roots(world: World, pending: Sequence[Step | None]) -> list[object]:
    """What a state is told from: the world, and what the steps that are announced wait for, which may be kept nowhere
    else."""
    return [world, *(step.ready for step in pending if step is not None)]


class _Survey:
    """Numbers objects in the order in which they are met, and describes each once."""

    def __init__(self) -> None:
        self._numbers: dict[int, int] = {}
        self._things: list[object] = []  # keeps them alive, so that no two have one identity
        self._names: dict[tuple[object, int], int] = {}
        self._zeros: dict[object, int] = {}
        self._works: dict[int, Name] = {}
        self._counters: list[PhysAddr] = []

    def of(self, root: object) -> Iterator[Token]:
        """The description of everything that can be reached."""
        self.token(root)
        for thing in self._things:  # grows meanwhile
            yield (_kind(thing), *self._described(thing))

    def token(self, value: object) -> Token:
        """The value itself if it cannot change, else a number."""
        kind = type(value)
        if kind in _ATOMS:
            return kind.__name__, value
        if kind is tuple:
            return ("tuple", *self._all(value))  # type: ignore[arg-type]
        if isinstance(value, Name):
            return "called", self._names.setdefault((value.of, int(value)), len(self._names))
        if isinstance(value, Count) and (isinstance(value.of, str) or value.of in self._counters):
            return "count", value.of, int(value) - self._zeros.setdefault(value.of, int(value))
        if isinstance(value, Count):
            return "int", int(value)  # of a word that is no counter
        if isinstance(value, type | ModuleType) and not _is_entered(value):
            return "name", getattr(value, "__module__", ""), getattr(value, "__qualname__", value.__name__)
        if isinstance(value, enum.Enum):
            return _kind(value), value.name
        if isinstance(value, _SAME):
            return "same", kind.__name__
        params = getattr(kind, "__dataclass_params__", None)
        if params is not None and params.frozen:
            return (_kind(value), *self._all([self._works.get(id(value))]), *self._state(value))
        number = self._numbers.get(id(value))
        if number is None:
            number = self._numbers[id(value)] = len(self._things)
            self._things.append(value)
        return number

    def _described(self, thing: Any) -> Iterator[Token]:
        match thing:
            case World():
                for queue in thing.workqueues:
                    for work, name in queue.known():
                        self._works.setdefault(id(work), name)
                self._counters = thing.counters
                yield from self._all(Count(thing.memory.read(each), each) for each in thing.counters)
                yield from self._all((thing.memory, thing.frames, thing.actors, thing.oracles))
                yield from self._all(part(True) for part in thing.parts)
            case Actor():
                yield from self._all((thing.name, thing.daemon, thing.coroutine or thing.main))
            case Cpu():
                yield from self._all((thing.number, thing.spinning, thing.holds, thing.processor))
            case Memory():
                words = thing.array.copy()
                for address in self._counters:
                    words[address // WORD_BYTES] = 0
                yield from self._all((words.tobytes().rstrip(b"\0"), tuple(thing.owner), tuple(thing.generation)))
            case Port():
                waiting: Iterable[object] = thing.waiting()
                if thing.codec.has_names:
                    waiting = map(thing.codec.decode, thing.waiting())
                yield from self._all((thing.name, *waiting))
            case Workqueue():
                yield from self._all(thing.state())
            case Lock():
                yield from self._all((thing.name, thing.holder))
            case RwSemaphore():
                yield from self._all((thing.name, thing.writer, thing.readers, thing.waiting))
            case Interrupt():
                yield from self._all((thing.name, thing.pending))
            case Stateful():
                yield from self._all(thing.state())
            case [Step(), *_]:  # what a port remembers of one operation
                yield self.token(thing[0])
            case Condition():
                yield self.token(thing.ready)
            case Step():
                yield from self._all((thing.what, thing.options, thing.idle, thing.ready))
            case _:
                yield from self._of_python(thing)

    def _of_python(self, thing: Any) -> Iterator[Token]:
        """Of code, and of what Python keeps for it."""
        match thing:
            case CoroutineType():
                yield from self._frame(thing, thing.cr_frame)
            case GeneratorType():
                yield from self._frame(thing, thing.gi_frame)
            case FunctionType():
                code = thing.__code__
                yield from self._all((code.co_filename.removeprefix(_ROOT), code.co_firstlineno, code.co_name))
                yield from self._all((thing.__defaults__, thing.__kwdefaults__, thing.__closure__, thing.__dict__))
                yield from self._globals(code, thing.__globals__)
            case type() | ModuleType():
                yield from self._all(
                    item for name, value in vars(thing).items() if not name.startswith("__") for item in (name, value)
                )
            case MethodType():
                yield from self._all((thing.__func__, thing.__self__))
            case BuiltinMethodType() | MethodWrapperType():
                yield from self._all((thing.__name__, thing.__self__))
            case CellType():
                yield from self._all(gc.get_referents(thing))
            case _ if type(thing) is _ORDERLESS:
                raise Unclear("a set is gone through, in an order that depends on where objects are")
            case _:
                yield from self._contents(thing)

    def _contents(self, thing: Any) -> Iterator[Token]:
        """Of a container, or of an object of a class that is written in Python."""
        if isinstance(thing, list | deque):
            yield from self._all(thing)
        elif isinstance(thing, dict):
            for key, value in thing.items():
                yield self.token(key)
                yield self.token(value)
        elif isinstance(thing, set | frozenset):
            yield from sorted(map(repr, map(self._plain, thing)))
        if type(thing) not in (list, deque, dict, set, frozenset):
            if _is_entered(type(thing)):
                yield self.token(type(thing))
            yield from self._state(thing)

    def _state(self, thing: Any) -> Iterator[Token]:
        """What an object would be stored as; Unclear if it cannot be."""
        try:
            _, arguments, *more = thing.__reduce_ex__(4)
        except Exception:
            raise Unclear(f"a {_kind(thing)} cannot be looked into") from None
        yield self.token(arguments)
        for part in more[:1]:
            for attributes in part if isinstance(part, tuple) else (part,):
                if isinstance(attributes, dict):
                    yield from self._all(item for pair in attributes.items() for item in pair)
                else:
                    yield self.token(attributes)

    def _frame(self, thing: object, frame: FrameType | None) -> Iterator[Token]:
        """Where a coroutine stands. Its referents are its locals once more, and what is on its stack."""
        if frame is None:
            return
        names = frame.f_locals
        yield from self._all((frame.f_code.co_filename, frame.f_code.co_firstlineno, frame.f_lasti))
        # In the order of their names: Python's own depends on when somebody looked at them before.
        yield from self._all(item for pair in sorted(names.items(), key=itemgetter(0)) for item in pair)
        yield from self._globals(frame.f_code, frame.f_globals)
        apart = (names, frame.f_globals, frame.f_builtins)
        yield from self._all(one for one in gc.get_referents(thing) if not any(one is other for other in apart))

    def _globals(self, code: CodeType, found: dict[str, Any]) -> Iterator[Token]:
        """What the code of a user's file may look up in its module."""
        if not str(found.get("__name__", "")).startswith(USERS):
            return
        for each in (code, *(one for one in code.co_consts if isinstance(one, CodeType))):
            yield from self._all(found[name] for name in each.co_names if name in found)
            if each is not code:
                yield from self._globals(each, found)

    def _plain(self, value: object) -> Token:
        """A member of a set: its order must not depend on where objects are, so only values are allowed."""
        token = self.token(value)
        if isinstance(token, int):
            raise Unclear(f"a set with a {_kind(value)} has no order")
        return token

    def _all(self, values: Iterable[object]) -> Iterator[Token]:
        return map(self.token, values)


def _is_entered(thing: type | ModuleType) -> bool:
    """Whether what a class or a module holds is part of the state: those of a user's file, but for enums."""
    return is_users(thing) and not (isinstance(thing, type) and issubclass(thing, enum.Enum))


def _kind(thing: object) -> str:
    kind = type(thing)
    return f"{kind.__module__}.{kind.__qualname__}"
