"""Who may end, replace, fork or blind the process: no model, while its world is run or built.

A model that did would take the verdict with it: `os._exit(0)` looks like "nothing violated". Nobody here can refuse
what C code does by itself.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import wraps
from types import FrameType, ModuleType
from typing import Any, NoReturn

from .exits import Exit

_exit = os._exit
_STANDARD = 2
"""The highest number of a standard stream."""
_ENDS = ("_exit", "abort", "execv", "execve", "fork", "forkpty", "kill", "killpg", "posix_spawn", "posix_spawnp")
_MOVES = ("chdir", "fchdir")
_SIGNALS = ("signal", "raise_signal", "pthread_kill", "pthread_sigmask", "setitimer", "alarm", "set_wakeup_fd")
Asked = Callable[[FrameType | None], str]
"""The line of the model that is at work in a stack of frames; empty if none is."""


class LeavesProcess(Exception):
    """A model tried to end, replace, fork or blind the process that runs it."""


def end_hard(message: str, code: Exit) -> NoReturn:
    """One line, and the end of this process and of its children; for what does not end when it is asked to."""
    os.write(_STANDARD, f"stopmarker: {message}\n".encode())
    for child in multiprocessing.active_children():
        child.kill()
    _exit(code)


@contextmanager
def staying(line: Asked) -> Iterator[None]:
    """Inside the block a model is refused what would end its process, where `line` says that it is a model."""
    guarded: list[tuple[ModuleType, str, Callable[..., bool]]] = [(os, name, _always) for name in (*_ENDS, *_MOVES)]
    guarded += [(os, "close", _closes), (os, "closerange", _closes), (os, "dup2", _covers)]
    guarded += [(signal, name, _always) for name in _SIGNALS]
    before = [(module, name, getattr(module, name)) for module, name, _ in guarded if hasattr(module, name)]
    for module, name, harms in guarded:
        if hasattr(module, name):
            setattr(module, name, _guarded(module, name, harms, line))
    try:
        yield
    finally:
        for module, name, function in before:
            setattr(module, name, function)


def _guarded(module: ModuleType, name: str, harms: Callable[..., bool], line: Asked) -> Callable[..., Any]:
    function = getattr(module, name)

    @wraps(function)
    def guard(*arguments: Any, **options: Any) -> Any:
        if harms(*arguments, **options) and (where := line(sys._getframe(1))):
            raise LeavesProcess(
                f"{module.__name__}.{name} at {where}: a model may not end, replace, fork or move the process that "
                "runs it, nor take its streams or signals"
            )
        return function(*arguments, **options)

    return guard


def _always(*_: object, **__: object) -> bool:
    return True


def _closes(number: int, *_: object) -> bool:
    return number <= _STANDARD


def _covers(_: int, number: int, *__: object, **___: object) -> bool:
    return number <= _STANDARD
