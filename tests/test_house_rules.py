"""House rules that no linter knows: sizes, docstrings, and what may not be called inside a world."""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Iterable, Iterator
from functools import cache
from pathlib import Path

import pytest

import stopmarker
from scenarios.catalogue import MODULES

ROOT = Path(__file__).parent.parent
WORLD = ("actors", "hw", "drivers", "scenarios")
PROGRAM = (*WORLD, "tools", "stopmarker")
PACKAGES = (*PROGRAM, "tests")
MOST_LINES = 400
MOST_TEST_LINES = 600
MOST_FUNCTION_LINES = 50
MOST_SUMMARY_SENTENCES = 3
MOST_NAMED = 4
"""Parameters that a scenario takes by name; of more it takes a record."""
BANNED_MODULES = {
    "random": "draw through a choice: cpu.choose()",
    "secrets": "draw through a choice: cpu.choose()",
    "time": "a world has no clock: allow a time-out as a choice",
    "datetime": "a world has no clock: allow a time-out as a choice",
    "uuid": "count: names must be the same in every run",
}
BANNED_CALLS = {
    "id": "compare with `is`, or give the thing a number",
    "hash": "the hash of a text differs between processes: use zlib.crc32",
}
TALKING = ("loguru", "click", "rich")
MAY_DRAW = {("actors/runtime/runs/scheduler.py", "random")}
MAY_CALL = {  # to tell objects apart within one run, while they are held
    (f"actors/runtime/{module}.py", "id")
    for module in ("runs/fingerprint", "primitives/looks", "primitives/sharing", "primitives/snapshots")
}
"""It numbers objects by identity; the numbers that it gives them are what goes on."""
MAY_ASSIGN = {
    ("scenarios/scenario.py", "world.again"),
    ("tools/experiments/experiment.py", "world.again"),
    ("tools/experiments/experiment.py", "world.sharing"),
}
"""How a world is made once more is known only when it has been made."""
SIBLINGS = {"AccessAnswer", "Answer", "Denial", "Found", "Registers", "Transaction", "Fault", "PageTables", "WalkFault"}
"""Names that two classes have: the two IOMMUs, or the two architectures, have one each, and neither knows the other."""
IMPLEMENTED = {"ConfigSpace", "Cpu", "Interrupt", "Lock", "Workqueue"}
"""Names that two classes have: a driver says what it needs of whoever runs it, and the runtime, or an actor, has it."""
BANNED_NAMES = {"utils.py", "helpers.py", "common.py", "manager.py", "handler.py", "misc.py"}


def files(*folders: str) -> list[Path]:
    return [path for folder in folders for path in sorted((ROOT / folder).rglob("*.py"))]


def name(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def each(paths: Iterable[Path]) -> Callable[[Callable[[Path], None]], Callable[[str], None]]:
    """Makes one test a folder of a question to a file: there are hundreds of files."""
    folders: dict[str, list[Path]] = {}
    for path in paths:
        folders.setdefault(name(path.parent), []).append(path)

    def make(question: Callable[[Path], None]) -> Callable[[str], None]:
        def test(folder: str) -> None:
            for path in folders[folder]:
                question(path)

        return pytest.mark.parametrize("folder", folders)(test)

    return make


@cache
def tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


def imports(path: Path) -> Iterator[tuple[str, int]]:
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.Import):
            yield from ((alias.name.split(".")[0], node.lineno) for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield node.module.split(".")[0], node.lineno


@each(files(*PACKAGES))
def test_files_and_functions_fit_a_head(path: Path) -> None:
    lines = len(path.read_text(encoding="utf-8").splitlines())
    assert lines <= (MOST_TEST_LINES if "tests" in path.parts else MOST_LINES), f"{name(path)} has {lines} lines"
    assert path.name not in BANNED_NAMES, f"{name(path)}: name the file after what it holds"
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            length = (node.end_lineno or node.lineno) - node.lineno + 1
            assert length <= MOST_FUNCTION_LINES, f"{name(path)}:{node.lineno}: {node.name} has {length} lines"


@each(path for path in files(*PACKAGES) if path.stat().st_size)
def test_modules_say_in_a_sentence_what_they_are(path: Path) -> None:
    docstring = ast.get_docstring(tree(path)) or ""
    assert docstring, f"{name(path)} has no docstring"
    first = docstring.split("\n\n")[0].rstrip()
    assert first[-1] in ".:)", f"{name(path)}: {first!r} does not end like a sentence"
    sentences = len(re.findall(r"[.!?](?=\s+[A-Z])", first)) + 1
    assert sentences <= MOST_SUMMARY_SENTENCES, f"{name(path)}: {sentences} sentences before the first blank line"


@each(path for path in files(*PROGRAM) if path.name == "__init__.py")
def test_folders_say_who_belongs_there(path: Path) -> None:
    paragraphs = (ast.get_docstring(tree(path)) or "").split("\n\n")
    assert len(paragraphs) >= 2, f"{name(path)}: say below the first paragraph who belongs here, and who does not"


def test_only_the_entry_point_lies_flat_in_tools() -> None:
    assert {path.name for path in (ROOT / "tools").glob("*.py")} == {"__init__.py", "cli.py", "entry.py"}


@pytest.mark.parametrize("package", PROGRAM)
def test_type_checkers_look_into_installed_packages(package: str) -> None:
    assert (ROOT / package / "py.typed").read_text(encoding="utf-8") == ""


@each(files(*WORLD))
def test_nothing_undetermined_reaches_a_world(path: Path) -> None:
    for module, line in imports(path):
        if module in BANNED_MODULES and (name(path), module) not in MAY_DRAW:
            pytest.fail(f"{name(path)}:{line}: imports {module}; {BANNED_MODULES[module]}")
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in BANNED_CALLS:
            if (name(path), node.func.id) in MAY_CALL:
                continue
            pytest.fail(f"{name(path)}:{node.lineno}: calls {node.func.id}(); {BANNED_CALLS[node.func.id]}")
    text = path.read_text(encoding="utf-8")
    if "import random" in text:
        uses = set(re.findall(r"random\.\w+", text))
        assert uses == {"random.Random"}, f"{name(path)}: draw only from a seeded random.Random, found {uses}"


@each(files(*WORLD))
def test_only_tools_talk_to_people(path: Path) -> None:
    for module, line in imports(path):
        assert module not in TALKING, f"{name(path)}:{line}: imports {module}; emit an event instead"
    calls = [node for node in ast.walk(tree(path)) if isinstance(node, ast.Call) and isinstance(node.func, ast.Name)]
    assert not [call.lineno for call in calls if isinstance(call.func, ast.Name) and call.func.id == "print"]


@each(path for path in files(*PROGRAM) if "bench" not in path.parts)
def test_imports_stand_at_the_top(path: Path) -> None:
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            inside = [inner.lineno for inner in ast.walk(node) if isinstance(inner, ast.Import | ast.ImportFrom)]
            assert not inside, f"{name(path)}:{inside}: an import inside a function hides a dependency"


def modules() -> dict[str, Path]:
    """All modules of the program by their names; a package is the module that its `__init__.py` holds."""
    found = {}
    for path in files(*PROGRAM):
        parts = path.relative_to(ROOT).with_suffix("").parts
        found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    return found


def imported(module: str, path: Path, known: Iterable[str]) -> set[str]:
    """The modules that a module imports anywhere, also where only a type checker looks; not their packages."""
    found = set()
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            within = module.split(".") if path.name == "__init__.py" else module.split(".")[:-1]
            base = ".".join(within[: len(within) + 1 - node.level] if node.level else ())
            source = ".".join(filter(None, (base, node.module)))
            names = [f"{source}.{alias.name}" for alias in node.names]
            found |= {one if one in known else source for one in names}
    return found & set(known) - {module}


def circle(graph: dict[str, set[str]]) -> list[str]:
    """Modules that import each other in this order, the last one the first; empty if there are none."""
    left = {module: set(others) for module, others in graph.items()}
    while ends := [module for module, others in left.items() if not others & left.keys()]:
        for module in ends:
            del left[module]
    path: list[str] = []
    while left and path.count(path[-1] if path else "") < 2:
        path.append(min(left[path[-1]] & left.keys()) if path else min(left))
    return path[path.index(path[-1]) :] if path else []


def test_no_modules_import_each_other_in_a_circle() -> None:
    known = modules()
    found = circle({module: imported(module, path, known) for module, path in known.items()})
    assert not found, f"a circle of imports, `if TYPE_CHECKING` counted: {' -> '.join(found)}"


def test_a_circle_is_found_and_told() -> None:
    assert circle({"a": {"b"}, "b": {"c", "d"}, "c": {"d"}, "d": set()}) == []
    assert circle({"a": {"b"}, "b": {"c", "d"}, "c": {"b"}, "d": set()}) == ["b", "c", "b"]


def test_imports_are_read_wherever_they_stand(tmp_path: Path) -> None:
    path = tmp_path / "one.py"
    path.write_text(
        "import a.x\nfrom ..b import y, Z\nif TYPE_CHECKING:\n    from .two import T\n"
        "def f():\n    from . import three\n",
        encoding="utf-8",
    )
    known = ("a", "a.x", "a.b", "a.b.y", "a.c", "a.c.one", "a.c.two", "a.c.three")
    assert imported("a.c.one", path, known) == {"a.x", "a.b", "a.b.y", "a.c.two", "a.c.three"}


def test_nothing_is_imported_for_type_checkers_alone() -> None:
    hidden = [
        name(path)
        for path in files(*PROGRAM)
        if any(isinstance(node, ast.Name) and node.id == "TYPE_CHECKING" for node in ast.walk(tree(path)))
    ]
    assert hidden == [], "import what a type needs; if that closes a circle, what both need belongs below them"


def test_the_public_face_hands_on_every_name_once() -> None:
    parts = [stopmarker.entries, stopmarker.library, stopmarker.worlds]
    assert sorted(stopmarker.__all__) == sorted(name for part in parts for name in part.__all__)
    assert all(getattr(stopmarker, name) is getattr(part, name) for part in parts for name in part.__all__)


def asks_which_iommu(node: ast.AST) -> bool:
    """A comparison with, or a match on, the name of an IOMMU, or the choice of a class by one."""
    if isinstance(node, ast.Compare):
        return any(is_iommu(side) for side in (node.left, *node.comparators))
    return isinstance(node, ast.Match) and is_iommu(node.subject)


def is_iommu(node: ast.expr) -> bool:
    match node:
        case ast.Name(id="iommu") | ast.Attribute(attr="iommu"):
            return True
        case ast.Subscript(slice=ast.Constant(value="iommu")):
            return True
    return False


@each(path for path in files(*WORLD, "tools") if "boards" not in path.parts and "bench" not in path.parts)
def test_nobody_asks_which_iommu_it_is_but_boards(path: Path) -> None:
    asked = [
        node.lineno for node in ast.walk(tree(path)) if asks_which_iommu(node) and isinstance(node, ast.stmt | ast.expr)
    ]
    assert not asked, f"{name(path)}:{asked}: what IOMMUs differ in stands in `variants` of scenarios.boards.iommu"


@pytest.mark.parametrize(
    "text",
    ['iommu == "vtd"', '"vtd" != iommu', 'more["iommu"] == "vtd"', 'board.iommu in ("vtd",)', "params.iommu is other"],
)
def test_a_question_which_iommu_it_is_would_be_seen(text: str) -> None:
    assert asks_which_iommu(ast.parse(text, mode="eval").body)
    assert not asks_which_iommu(ast.parse(text.replace("iommu", "drain"), mode="eval").body)


def public_classes() -> dict[str, list[str]]:
    """Where in the program each public class is defined."""
    found: dict[str, list[str]] = {}
    for path in files(*PROGRAM):
        for node in ast.walk(tree(path)):
            if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
                found.setdefault(node.name, []).append(name(path))
    return found


def test_a_class_has_its_name_for_itself() -> None:
    again = {one: places for one, places in public_classes().items() if len(places) > 1}
    assert again.keys() == {*SIBLINGS, *IMPLEMENTED}, "name it after what it is here; who reads a name knows what it is"
    for one in SIBLINGS:
        folders = [place.rpartition("/")[0] for place in again[one]]
        assert folders in (["hw/smmuv3", "hw/vtd"], ["hw/paging", "hw/paging"]), f"{one}: {again[one]}"
    for one in IMPLEMENTED:
        floors = sorted(place.split("/")[0] for place in again[one])
        assert floors == ["actors", "drivers"], f"{one}: {again[one]}"


@pytest.mark.parametrize("path", [path for path in files(*WORLD) if path.stem != "event"], ids=name)
def test_an_event_states_its_text_and_an_arrow_its_target(path: Path) -> None:
    for node in ast.walk(tree(path)):
        bases = {ast.unparse(base) for base in node.bases} if isinstance(node, ast.ClassDef) else set()
        if isinstance(node, ast.ClassDef) and bases & {"Event", "Arrow"}:
            fields = {ast.unparse(one.target) for one in node.body if isinstance(one, ast.AnnAssign)}
            assert len(bases) == 1, f"{name(path)}: {node.name} derives from Event or Arrow, and from nothing else"
            assert ("target" in fields) == (bases == {"Arrow"}), f"{name(path)}: {node.name}: an arrow has a target"
            assert any(isinstance(one, ast.FunctionDef) and one.name == "_label" for one in node.body), node.name


def assigned(module: ast.AST) -> Iterator[ast.Attribute]:
    """Every attribute that is assigned to, alone, in a tuple, augmented, annotated, by `for`, `with` or `del`."""
    for node in ast.walk(module):
        if isinstance(node, ast.Attribute) and not isinstance(node.ctx, ast.Load):
            yield node


@each(files("scenarios"))
def test_nothing_assigns_into_a_finished_part(path: Path) -> None:
    for node in assigned(tree(path)):
        if isinstance(node.value, ast.Name) and node.value.id in ("self", "cls"):
            continue
        if (name(path), ast.unparse(node)) not in MAY_ASSIGN:
            pytest.fail(f"{name(path)}:{node.lineno}: assigns to {ast.unparse(node)}; say it when the part is made")
    called = [node for node in ast.walk(tree(path)) if isinstance(node, ast.Call) and isinstance(node.func, ast.Name)]
    assert not [call.lineno for call in called if isinstance(call.func, ast.Name) and call.func.id == "setattr"]


def assigned_by_constructors(module: ast.AST) -> Iterator[ast.Attribute]:
    """What an `__init__` assigns to, but for the new object and its own parts."""
    for node in ast.walk(module):
        if isinstance(node, ast.FunctionDef) and node.name == "__init__":
            yield from (one for one in assigned(node) if not ast.unparse(one).startswith("self."))


def test_no_constructor_assigns_into_what_it_is_given() -> None:
    found = [
        f"{name(path)}:{node.lineno}: {ast.unparse(node)}"
        for path in files("hw", "drivers", "actors/devices", "actors/iommus", "actors/threads", "scenarios")
        for node in assigned_by_constructors(tree(path))
    ]
    assert not found, "say it when the part is made"


def named_parameters(module: ast.AST) -> Iterator[tuple[str, ast.arguments]]:
    """Every function that is made a scenario, and what it takes."""
    for node in ast.walk(module):
        if isinstance(node, ast.FunctionDef):
            made = [one for one in node.decorator_list if isinstance(one, ast.Call)]
            if any(isinstance(one.func, ast.Name) and one.func.id == "scenario" for one in made):
                yield node.name, node.args


def test_a_scenario_takes_a_record_or_a_few_named_parameters() -> None:
    found = [one for path in files("scenarios") for one in named_parameters(tree(path))]
    assert {one.replace("_", "-") for one, _ in found} == set(MODULES)
    many = [one for one, takes in found if takes.kwarg is not None or len(takes.kwonlyargs) > MOST_NAMED]
    assert not many, "declare a class of Parameters and take that"


def test_too_much_for_a_scenario_would_be_seen() -> None:
    text = "@scenario()\ndef a(world, *, x: str, **more: str): ...\n@other\ndef b(world): ...\nclass C:\n"
    text += "    def __init__(self, part):\n        self.a = part.b = 1\n        self.part.c = 2\n"
    ((found, takes),) = named_parameters(ast.parse(text))
    assert (found, len(takes.kwonlyargs), takes.kwarg is not None) == ("a", 1, True)
    assert [ast.unparse(one) for one in assigned_by_constructors(ast.parse(text))] == ["part.b"]


@pytest.mark.parametrize("text", ["a.b = 1", "a.b.c, d = 1, 2", "a.b += 1", "for a.b in c: pass", "del a.b"])
def test_an_assignment_into_a_part_would_be_seen(text: str) -> None:
    assert [ast.unparse(node) for node in assigned(ast.parse(text))] in (["a.b"], ["a.b.c"])
