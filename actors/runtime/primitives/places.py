"""Which line of the model an error, or a step that is never awaited, comes from.

A scenario of one's own is told by its innermost line, whatever of the library that line called; where nothing but the
library ran, it is the innermost line of a scenario, an actor or a driver. Lines of the runtime, of the hardware models
and of Python tell a modeller nothing.
"""

from __future__ import annotations

import linecache
import os
import sysconfig
from collections.abc import Iterable
from functools import cache, partial
from pathlib import Path
from types import CodeType, FrameType, TracebackType

_RUNTIME = Path(__file__).parents[1]
_ROOT = _RUNTIME.parents[1]
_ENDS = frozenset(
    str(path)
    for path in (
        *(_RUNTIME / "runners" / name for name in ("controlled.py", "seat.py")),
        *(_RUNTIME / "runs" / name for name in ("execution.py", "endings.py")),
        _ROOT / "scenarios" / "scenario.py",
    )
)
"""The files that call the model: what is further out on the stack is not part of it."""
_KERNEL = tuple(f"{folder}{os.sep}" for folder in (_RUNTIME, _ROOT / "hw", _ROOT / "tools", _ROOT / "actors" / "c"))
_MODELS = tuple(f"{_ROOT / folder}{os.sep}" for folder in ("scenarios", "drivers", "actors"))
_PYTHON = ("<", *(f"{folder}{os.sep}" for folder in sorted(set(sysconfig.get_paths().values()))))
"""Python, what is installed beside this library (if that is installed there too, its own folders are asked first), and
what was made of a text."""
Line = tuple[str, int]


def place_of(error: BaseException) -> str:
    """The line that an error comes from, such as `my_race.py, line 12`; empty if no line of a model is known."""
    if isinstance(error, SyntaxError):
        return ""  # which names a line itself
    return place(reversed(_lines(error.__traceback__)))


def place_in(frame: FrameType | None) -> str:
    """The line of a model that runs in `frame`, or that called what does."""
    return place(_outwards(frame))


def place(lines: Iterable[Line]) -> str:
    """The line of a model among `lines`, innermost first."""
    found = ""
    for name, number in lines:
        if name in _ENDS:
            break
        is_own, shown = _shown(name)
        if is_own:
            return f"{shown}, line {number}"
        if shown and not found:
            found = f"{shown}, line {number}"
    return found


def defined(function: object) -> str:
    """The line at which a function is defined; empty if that is no line of a model."""
    while isinstance(function, partial):
        function = function.func
    while hasattr(function, "__wrapped__"):
        function = function.__wrapped__
    code = getattr(getattr(function, "__func__", function), "__code__", None)
    return place([(code.co_filename, code.co_firstlineno)]) if isinstance(code, CodeType) else ""


def asserted(error: BaseException) -> str:
    """The source line of an assertion that says nothing else; empty if it cannot be read."""
    trace, found = error.__traceback__, ""
    while trace is not None:
        name = trace.tb_frame.f_code.co_filename
        if _shown(name)[1]:
            found = linecache.getline(name, trace.tb_lineno).strip()
        trace = trace.tb_next
    return found


def is_asserted(error: BaseException) -> bool:
    """Whether an assertion is one of a scenario, perhaps by a function of Python, and not one of the library itself."""
    names = [name for name, _ in _lines(error.__traceback__)]
    while names and names[-1].startswith(_PYTHON) and not names[-1].startswith((*_KERNEL, *_MODELS)):
        names.pop()
    return bool(names) and (names[-1].startswith(_MODELS[0]) or not names[-1].startswith((*_KERNEL, *_MODELS)))


def _lines(trace: TracebackType | None) -> list[Line]:
    found = []
    while trace is not None:
        found.append((trace.tb_frame.f_code.co_filename, trace.tb_lineno))
        trace = trace.tb_next
    return found


def _outwards(frame: FrameType | None) -> Iterable[Line]:
    while frame is not None:
        yield frame.f_code.co_filename, frame.f_lineno
        frame = frame.f_back


@cache
def _shown(name: str) -> tuple[bool, str]:
    """Whether a file is somebody's own, and how it is called; nothing if it is not to be told."""
    if name.startswith(_KERNEL):
        return False, ""
    if name.startswith(_MODELS):
        return False, Path(name).relative_to(_ROOT).as_posix()
    return (False, "") if name.startswith(_PYTHON) else (True, Path(name).name)
