"""Before a verdict: is a run a function of scenario, parameters and schedule? Two runs of one schedule are compared.

Of a user's file whose text can hold a set, runs are compared with those of processes that hash texts differently too;
they go on beside the work. Shipped scenarios are run under several hash seeds by their tests.
"""

from __future__ import annotations

import ast
import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from functools import lru_cache
from pathlib import Path
from typing import Any

from actors.runtime.runs.schedule import Recipe, Schedule

from ..experiments.c_race import is_c
from ..experiments.experiment import SEPARATOR, Experiment
from ..own_files.own_file import load, sources_of
from ..terminal.exits import Diverged, Unfinished
from .story import Rows, Story, difference, schedulers_of, stories

SEEDS = (1, 2, 3)
"""Of Python's string hashing, in the other processes: two texts come in the same order under half of all seeds."""
PATIENCE = 60.0
"""Seconds that such a process, which takes less than one, is waited for."""
HASH_ORDER = "the order of a set, or hash(), reaches the run, and is another in every process; sort it, or keep a dict"
_ROOT = Path(__file__).parents[2]
_SET_METHODS = frozenset({"union", "intersection", "difference", "symmetric_difference", "__hash__"})


@contextmanager
def determined(experiment: Experiment, schedule: Schedule | None = None) -> Iterator[None]:
    """Around what leads to a verdict; Diverged if runs of one schedule (or the plain ones) differ from each other."""
    told = check_twice(experiment, schedule)
    if not can_hold_a_set(experiment.name):
        yield
        return
    with _children(experiment.recipe(schedule or ()), schedule is not None, SEEDS) as children:
        yield
        for child in children:
            for one, other in zip(told, _answer(experiment.name, child), strict=True):
                _compare(f"{experiment.name}: under two hash seeds a run differs", one, other, lambda: HASH_ORDER)


def check_twice(experiment: Experiment, schedule: Schedule | None = None) -> list[Story]:
    """Make runs twice, and tell what they come to; Diverged if they differ."""
    told = stories(experiment, schedulers_of(schedule), again=True)
    for one, other in zip(told[::2], told[1::2], strict=True):
        _compare(f"{experiment.name}: two runs of one schedule differ", one, other, lambda: cause(experiment))
    return told[::2]


def _compare(complaint: str, one: Rows, other: Rows, why: Callable[[], str]) -> None:
    apart = difference(one, other)
    if apart is not None:
        raise Diverged(f"{complaint} {apart}. Likely cause: {why()}")


def cause(experiment: Experiment) -> str:
    """What makes two runs in one process differ, as far as that can be told."""
    path, separator, _ = experiment.name.partition(SEPARATOR)
    lost = load(path).state.lost if separator and not is_c(path) else []
    if lost:
        return f"what outlives a run and cannot be put back: {', '.join(lost)}"
    return (
        "state that outlives a run (of an installed module, of a file, of a thread), or an address: the order of a set "
        "of objects, or a text with their default names"
    )


def differs_by_hash_order(recipe: Recipe) -> str | None:
    """Where runs of a user's file differ between processes that hash texts differently; None if they do not."""
    if not can_hold_a_set(recipe.scenario):
        return None
    with _children(recipe, True, (0, *SEEDS)) as children:
        told = [_answer(recipe.scenario, child)[0] for child in children]
    return next((apart for other in told[1:] if (apart := difference(told[0], other)) is not None), None)


def can_hold_a_set(name: str) -> bool:
    """Whether a user's file, or a module beside it, can hold a set of texts or ask for a hash."""
    path, separator, _ = name.partition(SEPARATOR)
    texts = sources_of(path).items() if separator else ()
    return any(_has_set(text) for file, text in texts if file.suffix == ".py")


@lru_cache(64)
def _has_set(text: str) -> bool:
    """Annotations do not count."""
    waiting: list[ast.AST] = [ast.parse(text)]
    while waiting:
        node = waiting.pop()
        match node:
            case ast.Set(elts=items) if not all(_is_number(item) for item in items):
                return True
            case ast.SetComp() | ast.Name(id=("set" | "frozenset" | "vars" | "dir" | "hash" | "globals")):
                return True
            case ast.Attribute(attr=name) if name in _SET_METHODS:
                return True
            case ast.BinOp(left=left, right=right, op=ast.BitAnd() | ast.BitOr() | ast.BitXor() | ast.Sub()):
                if _is_view(left) or _is_view(right):
                    return True
        fields = [item for name, item in ast.iter_fields(node) if name not in ("annotation", "returns")]
        for field in fields:
            waiting += [item for item in (field if isinstance(field, list) else [field]) if isinstance(item, ast.AST)]
    return False


def _is_number(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and isinstance(node.value, int | float)


def _is_view(node: ast.expr) -> bool:
    return isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in ("keys", "items")


@contextmanager
def _children(recipe: Recipe, whole: bool, seeds: Sequence[int]) -> Iterator[list[subprocess.Popen[bytes]]]:
    """Processes that tell their stories of the same runs, each with another hash seed."""
    order = json.dumps([recipe.scenario, recipe.params, recipe.schedule if whole else None]).encode()
    with ExitStack() as stack:
        children = []
        for seed in seeds:
            paths = os.pathsep.join(filter(None, (str(_ROOT), os.environ.get("PYTHONPATH"))))
            child = subprocess.Popen(
                [sys.executable, "-P", "-B", "-m", "tools.traces.other_process"],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                env={**os.environ, "PYTHONHASHSEED": str(seed), "PYTHONPATH": paths},
                start_new_session=True,  # Ctrl-C is not for them
            )
            stack.enter_context(child)
            stack.callback(child.kill)
            assert child.stdin is not None
            child.stdin.write(order)
            child.stdin.close()
            child.stdin = None
            children.append(child)
        yield children


def _answer(name: str, child: subprocess.Popen[bytes]) -> list[list[list[Any]]]:
    try:
        said, _ = child.communicate(timeout=PATIENCE)
    except subprocess.TimeoutExpired:
        raise Unfinished(f"{name}: a run with another hash seed takes longer than {PATIENCE:.0f} s") from None
    if child.returncode:
        raise Unfinished(f"{name}: a run with another hash seed ended its process with exit code {child.returncode}")
    told: list[list[list[Any]]] = json.loads(said)
    return told
