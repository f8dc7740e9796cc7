"""Guards: while a world is built or run, what draws, looks at a clock or gives an address is refused with its line.

They are installed when the first file of a user is loaded, and act only in a thread that runs a world (or executes such
a file, and then only for its own lines); for everybody else the functions are what they were. The engine, Trio and
loggers may look at a clock at any time: it reaches no world.
"""

from __future__ import annotations

import _thread
import builtins
import datetime
import functools
import os
import random
import secrets
import subprocess
import sys
import threading
import time
import uuid
from collections.abc import Callable, Iterable
from importlib import import_module
from numbers import Number
from pathlib import Path
from types import FrameType, FunctionType, ModuleType
from typing import Any

import trio

from actors.runtime.runs.running import Phase, UndeterminedCall, here

from .visible import NAMES

OWN = frozenset({"hw", "drivers", "actors", "scenarios", "tools", "stopmarker"})
"""Packages of ours."""
MARK = "__file_of_a_user__"
"""Stands in the built-in names of modules that a user wrote, and tells their frames."""
_QUIET = frozenset({"tools", "trio", "logging", "loguru", "warnings", "importlib"})
"""Who may ask for what he likes: nothing of it comes back to a world."""
_COLLECTED = "multiprocessing.heap"
"""Asks for the process when shared memory is collected, which Python may do in the middle of anybody's line."""
_BETWEEN = frozenset({"random", "secrets", "uuid", __name__, "tools.own_files.iterators"})
"""Modules that draw for somebody else."""
_RULE = "a run is a function of scenario, parameters and schedule"
_DRAWS = f"draws: {_RULE}; use cpu.choose for what is open, or random.Random with a seed"
_CLOCK = f"looks at a clock: {_RULE}; a time-out is a choice, so use cpu.choose"
_PROCESS = f"is another in every process: {_RULE}"
_PROGRAM = f"runs another program: {_RULE}"
_THREAD = f"starts a thread: {_RULE}; who acts is an actor"
_ADDRESS = f"gives an address: {_RULE}; compare with `is`, or give the thing a number"
_SALTED = f"differs from process to process: {_RULE}; use zlib.crc32, or give the thing a number"
_OUTLIVES = f"changes what outlives the run: {_RULE}; keep what a run makes in the world"
_CHANGES = frozenset(
    {"os.putenv", "os.unsetenv", "os.remove", "os.rename", "os.mkdir", "os.rmdir", "os.link", "os.symlink"}
    | {"os.truncate", "os.chmod", "os.chown", "os.utime", "os.setxattr", "os.removexattr", "os.mkfifo", "os.mknod"}
    | {"shutil.rmtree", "shutil.move", "socket.__new__", "sqlite3.connect"}
)
"""Events of Python's audit that say that something outside of this process, or of its environment, is changed."""
_ENVIRONMENT = ("os.putenv", "os.unsetenv")
ADVANCED = f"goes on from run to run, and cannot be put back: {_RULE}; make it in the scenario function"
_WRITES = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND
_CLOCKS = ("time", "monotonic", "perf_counter", "process_time", "thread_time")
_NOW = {"localtime": 1, "gmtime": 1, "ctime": 1, "asctime": 1, "strftime": 2}
"""Functions that look at a clock if they have fewer arguments."""
_TEXT = "runs a text: what it looks at cannot be seen; write it as code of the file"
Condition = Callable[[tuple[Any, ...], dict[str, Any]], bool]


@functools.cache
def install() -> None:
    """Put the guards in place, once a process."""
    for name in (*random.__all__, "randbytes"):
        if isinstance(getattr(random, name), type):
            continue
        seeds = name in ("seed", "setstate", "getstate")
        _guard(random, name, _DRAWS, _is_unseeded if seeds else None)
    _guard(random.Random, "seed", _DRAWS, lambda given, named: _is_unseeded(given[1:], named), "random.Random")
    for name in ("random", "getrandbits", "randbytes"):
        _guard(random.SystemRandom, name, _DRAWS, None, f"random.SystemRandom.{name}")
    _guard_all(secrets, ("choice", "randbelow", "randbits", "token_bytes", "token_hex", "token_urlsafe"), _DRAWS)
    _guard_all(os, ("urandom", "getrandom"), _DRAWS)
    _guard_all(os, ("getpid", "getppid"), _PROCESS)
    _guard_all(os, ("times",), _CLOCK)
    _guard_all(uuid, ("uuid1", "uuid4"), _DRAWS)
    _guard_all(
        time, (*_CLOCKS, *(f"{name}_ns" for name in _CLOCKS), "sleep", "clock_gettime", "clock_gettime_ns"), _CLOCK
    )
    for name, whole in _NOW.items():
        _guard(time, name, _CLOCK, functools.partial(_is_shorter, whole))
    _guard(trio, "current_time", _CLOCK)
    _guard(threading.Thread, "start", _THREAD, None, "threading.Thread.start")
    _guard_all(_thread, ("start_new_thread", "start_new"), _THREAD)
    _guard(subprocess.Popen, "__init__", _PROGRAM, None, "subprocess.Popen")
    _guard_all(os, ("system",), _PROGRAM)
    sys.addaudithook(_hear)
    _install_in_numpy()


def _install_in_numpy() -> None:
    """Imported only here, as nothing else needs it."""
    generators, mtrand = import_module("numpy.random"), import_module("numpy.random.mtrand")
    for name in dir(mtrand):
        if getattr(getattr(mtrand, name), "__self__", None) is mtrand._rand:
            seeds = name in ("seed", "set_state", "get_state")
            for module in (mtrand, generators):
                if hasattr(module, name):
                    _guard(module, name, _DRAWS, _is_unseeded if seeds else None, f"numpy.random.{name}")
    # What every generator without a seed takes its seed from.
    origin = import_module("numpy.random.bit_generator")
    _guard(origin, "randbits", _DRAWS, None, "a generator of numpy.random without a seed")


def own_names(import_module: Callable[..., Any]) -> dict[str, Any]:
    """The built-in names for modules that a user wrote, with what imports for them."""
    texts = {name: _of_text(name) for name in ("eval", "exec")}
    return {**vars(builtins), **NAMES, **texts, "id": _id, "hash": _hash, "__import__": import_module, MARK: True}


@functools.cache
def guarded_datetime() -> ModuleType:
    """The module `datetime` as a user's module sees it: the classes of the real one cannot be guarded themselves."""
    module = ModuleType("datetime", datetime.__doc__)
    vars(module).update(vars(datetime))
    vars(module).update(datetime=_guarded_class(datetime.datetime), date=_guarded_class(datetime.date))
    return module


def users_line(frame: FrameType | None) -> str:
    """File and line of the innermost frame of a user's module; an empty text if there is none."""
    while frame is not None and (MARK not in frame.f_builtins or frame.f_code.co_filename.startswith("<")):
        frame = frame.f_back  # what was made of a text, such as a data class's methods, has no line
    return "" if frame is None else f"{Path(frame.f_code.co_filename).name}, line {frame.f_lineno}"


def _hear(event: str, given: tuple[Any, ...]) -> None:
    """What Python's audit tells of: while a world is built or runs, what outlives it may be read, but not changed."""
    if event == "open":
        if here.phase is Phase.RUNNING and isinstance(given[2], int) and given[2] & _WRITES:
            _refuse(f"open of {_path(given[0])} for writing", _OUTLIVES)
    elif event in _CHANGES and here.phase is Phase.RUNNING:
        named = f" of {_path(given[0])}" if given and isinstance(given[0], str | bytes | os.PathLike) else ""
        what = "os.environ: a change" if event in _ENVIRONMENT else event
        _refuse(f"{what}{named}", _OUTLIVES)


def _path(given: Any) -> str:
    return os.fsdecode(given) if isinstance(given, str | bytes | os.PathLike) else f"file {given!r}"


def refuse_use(name: str) -> None:
    """Refuse to a world that it goes on with something that cannot be put back."""
    if here.phase is Phase.RUNNING:
        _refuse(f"{name}, a generator of the module,", ADVANCED)


def _guard_all(owner: Any, names: Iterable[str], reason: str) -> None:
    for name in names:
        if hasattr(owner, name):  # not every system has all of them
            _guard(owner, name, reason)


def _guard(owner: Any, name: str, reason: str, when: Condition | None = None, label: str = "") -> None:
    """Have `owner.name` refused where a world asks for it."""
    original = getattr(owner, name)
    label = label or f"{owner.__name__}.{name}"

    @functools.wraps(original)
    def guarded(*given: Any, **named: Any) -> Any:
        if here.phase and (when is None or when(given, named)):
            _refuse(label, reason)
        return original(*given, **named)

    guarded.__qualname__ = name
    del guarded.__wrapped__  # it would be a way round the guard
    setattr(owner, name, guarded)


def _is_unseeded(given: tuple[Any, ...], named: dict[str, Any]) -> bool:
    return all(value is None for value in (*given[:1], *named.values()))


def _is_shorter(whole: int, given: tuple[Any, ...], named: dict[str, Any]) -> bool:
    return len(given) < whole or given[whole - 1] is None


def _refuse(label: str, reason: str) -> None:
    """Raise, if it is a world that asks, or a line of a user's file that is being loaded."""
    frame: FrameType | None = sys._getframe(1)
    while frame is not None and frame.f_globals.get("__name__") in _BETWEEN:
        frame = frame.f_back
    if frame is None:
        return
    if MARK not in frame.f_builtins:
        module = str(frame.f_globals.get("__name__"))
        if here.phase is Phase.LOADING or module.partition(".")[0] in _QUIET or module == _COLLECTED:
            return
    place = users_line(frame)
    error = UndeterminedCall(f"{label}{f' at {place}' if place else ''} {reason}")
    here.refused = here.refused or UndeterminedCall(*error.args)
    raise error


def _id(thing: object, /) -> int:
    """As the built-in one, outside of a world."""
    if here.phase:
        _refuse("id()", _ADDRESS)
    return id(thing)


def _of_text(name: str) -> Callable[..., Any]:
    """As the built-in one, outside of a world: what a text looks at would not be seen."""
    original = getattr(builtins, name)

    def run(*given: Any, **named: Any) -> Any:
        if here.phase:
            _refuse(f"{name}()", _TEXT)
        frame = sys._getframe(1)
        given = given if len(given) > 1 or named else (*given, frame.f_globals, frame.f_locals)
        return original(*given, **named)

    return run


_nested = False
"""Whether a hash is asked for that is composed of others; a `__hash__` of a user's class then may not salt it."""


def _hash(thing: object, /) -> int:
    """As the built-in one, outside of a world; in one only of what has the same hash in every process.

    What a `__hash__` of a user's class comes to is left to dictionaries: they do not depend on it.
    """
    global _nested
    if here.phase and (_nested or sys._getframe(1).f_code.co_name != "__hash__"):
        before, _nested = _nested, True
        try:
            _check_hash(thing)
        finally:
            _nested = before
    return hash(thing)


def _check_hash(thing: object) -> None:
    if isinstance(thing, tuple | frozenset):
        for item in thing:
            _check_hash(item)
    elif isinstance(type(thing).__hash__, FunctionType):
        hash(thing)  # it asks for the hashes of its parts, and those are looked at
    elif not isinstance(thing, Number):
        _refuse(f"hash() of {type(thing).__name__}", _SALTED)


def _guarded_class(real: Any) -> Any:
    """A class that makes instances of the real one, and tells no time in a world."""

    class Kind(type):
        def __instancecheck__(cls, thing: object) -> bool:
            return isinstance(thing, real)

        def __subclasscheck__(cls, other: type) -> bool:
            return issubclass(other, real)

    def make(_: type, *given: Any, **named: Any) -> Any:
        return real(*given, **named)

    def told(name: str) -> Any:
        def tell(*given: Any, **named: Any) -> Any:
            if here.phase:
                _refuse(f"datetime.{real.__name__}.{name}()", _CLOCK)
            return getattr(real, name)(*given, **named)

        return staticmethod(tell)

    names = [name for name in ("now", "today", "utcnow") if hasattr(real, name)]
    return Kind(real.__name__, (real,), {"__new__": make, "__slots__": (), **{name: told(name) for name in names}})
