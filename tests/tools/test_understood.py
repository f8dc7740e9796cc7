"""Which texts are understood: all that others may do makes their steps dependent on each other."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from actors.runtime.primitives.foreign import LOOKED_INTO
from tools.own_files.known import MODULES
from tools.own_files.understood import not_understood


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("import weakref", "`import weakref` in line 1"),
        ("import os.path", "`import os.path` in line 1"),
        ("from functools import lru_cache", "`from functools import lru_cache` in line 1"),
        ("from beside import *", None),
        ("from stopmarker import World", None),
        ("from collections.abc import Mapping", None),
        ("import collections.abc", None),
        ("import math\nf = math.floor", None),
        ("import math\nm = math", "`math` in line 2"),
        ("import math\nmath.pi = 3", "`math.pi` in line 2"),
        ("import numpy as np\na = np.zeros(3)", None),
        ("import numpy as np\na = np.memmap", "`numpy.memmap` in line 2"),
        ("def f():\n    import beside", "`import beside` in line 2"),
        ("def f():\n    import math", None),
        ("from loguru import logger\nlogger.info('x')", None),
        ("from loguru import logger\nlogger.add(print)", "`logger.add` in line 2"),
        ("globals()['x'] = 1", "`globals` in line 1"),
        ("def f(vars):\n    return vars", None),
        ("def f(vars):\n    pass\ny = vars(f)", "`vars` in line 3"),
        ("x = getattr(y, 'name')", None),
        ("x = getattr(y, '__dict__')", "`__dict__` in line 1"),
        ("x = getattr(y, 'a' + 'b')", "`getattr` in line 1"),
        ("x = type(y)", None),
        ("x = type('K', (), {})", "`type` in line 1"),
        ("class K(type): pass", "`type` in line 1"),
        ("class K(metaclass=M): pass", "`metaclass of class K` in line 1"),
        ("class K:\n    def __del__(self): pass", "`__del__` in line 2"),
        ("class K:\n    def __init__(self): super().__init__()", None),
        ("x = y.__dict__", "`__dict__` in line 1"),
        ("x = type(y).__name__", None),
        ("x.__class__ = K", "`__class__` in line 1"),
        ("x = g.gi_frame", "`gi_frame` in line 1"),
        ("x = f.__defaults__", "`__defaults__` in line 1"),
        ("def g():\n    try:\n        yield\n    finally:\n        pass", "`try in the generator g` in line 2"),
        ("@contextmanager\ndef g():\n    try:\n        yield\n    finally:\n        pass", None),
        ("g = (x for x in y)", "`a generator expression that is kept` in line 1"),
        ("n = sum(x for x in y)", None),
        ("n = sum((lambda: x)() for x in y)", "`lambda` in line 1"),
        ("g = [lambda: x for x in y]", None),
        ("match x:\n    case K(__dict__=d): pass", "`__dict__` in line 2"),
        ("try: pass\nexcept* E: pass", "`except*` in line 1"),
        ("class K:\n    count = 0\nx = 1", None),
        ("x = 1\nclass K:\n    x = x", "`x` in line 1"),
        ("from abc import ABC\nK.register(int)", "`register` in line 2"),
    ],
)
def test_what_of_a_text_is_understood(line: str, reason: str | None) -> None:
    assert not_understood(ast.parse(line), ["beside"]) == reason


def test_the_documents_name_all_modules_that_are_understood() -> None:
    told = Path("docs/calls.md").read_text()
    assert [name for name in sorted(MODULES) if f"`{name.partition('.')[0]}`" not in told] == [
        "__future__",
        *(name for name in sorted(MODULES) if name.startswith("tests.")),
    ]


def test_what_a_text_may_import_is_looked_into_when_it_runs() -> None:
    assert {name.partition(".")[0] for name in MODULES} - LOOKED_INTO == {"__future__", "tests"}
