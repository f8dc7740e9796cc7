"""The public face: all that shipped scenarios use has a public name, and each public name says what it is."""

from __future__ import annotations

import ast
import inspect
import re
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from types import ModuleType

import pytest

import stopmarker
from stopmarker import kernel

ROOT = Path(__file__).parents[1]
PUBLIC = sorted(path.stem for path in (ROOT / "stopmarker").glob("*.py") if not path.stem.startswith("_"))
MODULES = [stopmarker, *(import_module(f"stopmarker.{name}") for name in PUBLIC)]
FAMILIES = sorted(path.name for path in (ROOT / "scenarios").iterdir() if (path / "__init__.py").exists())
PARTS = ("boards", "oracles", "witnesses")
"""What scenarios are made of; the other folders hold scenarios, and what belongs to one of them alone."""
OF_THE_PROJECT = ("actors", "drivers", "hw", "scenarios")


def imported(path: Path) -> Iterator[tuple[str, str]]:
    """The module and the name of each import from the project that is no other scenario's own."""
    package = (*path.relative_to(ROOT).parts[:-1],)
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom):
            above = package[: len(package) - node.level + 1] if node.level else ()
            module = ".".join((*above, *([node.module] if node.module else [])))
            first, second, *_ = (*module.split("."), "")
            if first in OF_THE_PROJECT and not (first == "scenarios" and second in set(FAMILIES) - set(PARTS)):
                yield from ((module, alias.name) for alias in node.names)


def found(module: str, name: str) -> object:
    """What is imported: an attribute, or a module."""
    holder = import_module(module)
    return getattr(holder, name) if hasattr(holder, name) else import_module(f"{module}.{name}")


@pytest.mark.parametrize("family", [family for family in FAMILIES if family not in PARTS])
def test_what_a_scenario_imports_is_the_same_object_under_a_public_name(family: str) -> None:
    known = {id(getattr(module, name)) for module in MODULES for name in module.__all__}
    needed = {each for path in (ROOT / "scenarios" / family).glob("*.py") for each in imported(path)}
    assert needed
    assert [each for each in sorted(needed) if id(found(*each)) not in known] == []


@pytest.mark.parametrize("part", ["oracles", "witnesses"])
def test_every_property_and_every_witness_is_public(part: str) -> None:
    public = import_module(f"stopmarker.{part}")
    for path in (ROOT / "scenarios" / part).glob("[a-z]*.py"):
        module = import_module(f"scenarios.{part}.{path.stem}")
        for name, thing in vars(module).items():
            if getattr(thing, "__module__", "") == module.__name__ and not name.startswith("_"):
                assert getattr(public, name) is thing


OF_THE_MODEL = {"state", "observe", "at_quiescence", "renew"}
OF_THE_MODEL |= {"is_pending", "has_to_go", "is_idle", "raise_msi", "born", "touched", "freed", "touch"}
OF_THE_MODEL |= {"can_interrupt", "begins", "ends", "carry"}
"""What no function of the kernel's does: hardware, and what the runtime asks and tells."""


def test_each_operation_of_a_primitive_names_the_function_of_the_kernel() -> None:
    silent = []
    for kind in (getattr(kernel, name) for name in kernel.__all__):
        for name, operation in vars(kind).items() if inspect.isclass(kind) else [(kind.__name__, kind)]:
            if not inspect.isfunction(operation) or name.startswith("_") or name in OF_THE_MODEL:
                continue
            if not re.search(r"\w+\(.*\)", inspect.getdoc(operation) or ""):
                silent.append(f"{kind.__name__}.{name}")
    assert silent == []


@pytest.mark.parametrize("module", MODULES, ids=lambda module: module.__name__)
def test_a_public_module_names_what_it_hands_on_and_each_says_what_it_is(module: ModuleType) -> None:
    assert len(set(module.__all__)) == len(module.__all__)
    for name in module.__all__:
        thing = getattr(module, name)
        if inspect.isclass(thing) or inspect.isfunction(thing) or inspect.ismodule(thing):
            assert inspect.getdoc(thing), f"{module.__name__}.{name} does not say what it is"
