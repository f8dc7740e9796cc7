"""Which texts are understood: of all that such a text can do it is known what it looks at, and what it changes.

Of a text with anything else in it (`weakref`, `globals()`, a metaclass, …) nobody can say what its steps share, so that
each of its steps counts as dependent on each other one (`actors.runtime.primitives.sharing.everything`). That is right
whatever the text does, and only makes a search longer; so what is not listed here is not understood.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator

from actors.runtime.primitives.snapshots import OURS

from .known import (
    ALL,
    DECLARED,
    ENUMS,
    FACTORIES,
    FRAMES,
    HIDDEN,
    LOGS,
    METHODS,
    MODULES,
    NOT_BASES,
    ODD,
    TEXTS,
    THROUGH,
    TOLD,
)
from .syntax import has_steps, is_made_of, is_plain, packages_of
from .variables import VariableOwners

_FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)
Odd = Iterator[tuple[ast.AST, str]]


def not_understood(tree: ast.Module, siblings: Iterable[str]) -> str | None:
    """What of a text is not understood, as a source says it; None if all is. `siblings` are modules beside it."""
    for node, what in _Reading(tree, frozenset(siblings)).odd():
        return f"`{what}` in line {getattr(node, 'lineno', 1)}"
    return None


class _Reading:
    """One text that is read."""

    def __init__(self, tree: ast.Module, siblings: frozenset[str]) -> None:
        self._tree = tree
        self._siblings = siblings
        self._modules: dict[str, str] = {}
        """The names that stand for modules, and for which."""
        self._loggers: set[str] = set()
        self._registers: set[str] = set()
        """`register` of a class that may be an abstract one, which then says of others that they are its own."""
        owners = VariableOwners()
        owners.visit(tree)
        self._built_in = owners.unbound() & ODD
        self._twofold = owners.twofold()
        self._seen = {name for shared, _ in owners.decide().values() for name in shared}
        calls = [node for node in ast.walk(tree) if isinstance(node, ast.Call)]
        self._asked = {id(node.func.value) for node in calls if isinstance(node.func, ast.Attribute)}
        """Of what a method is called at once."""
        self._consumed = {id(one) for node in calls for one in _goes_through(node)}
        """Generator expressions that are gone through at once."""
        self._slotted = {
            node.name
            for node in ast.walk(tree)
            if isinstance(node, ast.ClassDef) and any("__slots__" in ast.unparse(one) for one in node.body)
        }
        defines = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
        self._defined = {node.name for node in ast.walk(tree) if isinstance(node, defines)}
        self._texts = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
        """Docstrings are no texts that anybody works with."""

    def odd(self) -> Odd:
        """What is not understood, from the top to the bottom."""
        nodes = sorted(ast.walk(self._tree), key=lambda node: getattr(node, "lineno", 0))
        late = {id(node) for one in nodes if isinstance(one, _FUNCTIONS) for node in ast.walk(one)}
        for node in nodes:
            if isinstance(node, ast.Import | ast.ImportFrom):
                yield from self._imported(node, id(node) in late)
        packages = packages_of(self._tree)
        buffers = "numpy" in packages or any(isinstance(node, ast.Name) and node.id == "bytearray" for node in nodes)
        if buffers and "re" in packages:
            yield self._tree, "re with buffers"  # what it has found shows what is there later
        used = {id(node.value) for node in nodes if isinstance(node, ast.Attribute)}
        for node in nodes:
            yield from self._name(node, used) if isinstance(node, ast.Name) else self._node(node)

    def _imported(self, node: ast.Import | ast.ImportFrom, is_late: bool) -> Odd:
        if {"abc", "collections.abc", "typing"} & {getattr(node, "module", ""), *(alias.name for alias in node.names)}:
            self._registers = {"register"}
        if isinstance(node, ast.Import):
            for alias in node.names:
                top = alias.name.partition(".")[0]
                if top in OURS or (top in self._siblings and not is_late):
                    continue
                if alias.name not in MODULES:
                    yield node, f"import {alias.name}"
                self._modules[alias.asname or top] = alias.name if alias.asname else top
            return
        name = node.module or ""
        top = name.partition(".")[0]
        if top in OURS or ((node.level or top in self._siblings) and not is_late):
            return
        known = MODULES.get(name, frozenset())
        for alias in node.names:
            if alias.name == "*" or (known is not ALL and alias.name not in known):
                yield node, f"from {name} import {alias.name}"
            if alias.name == "logger":
                self._loggers.add(alias.asname or alias.name)

    def _name(self, node: ast.Name, used: set[int]) -> Odd:
        """A name: of a module it is known only what its attributes are."""
        name = node.id
        if name in self._loggers or name in self._modules:
            if id(node) not in used or not isinstance(node.ctx, ast.Load):
                yield node, name
        elif name in self._built_in | self._twofold or (_is_special(name) and name not in TOLD | METHODS | DECLARED):
            yield node, name

    def _node(self, node: ast.AST) -> Odd:
        """What is no name."""
        match node:
            case ast.Attribute():
                yield from self._attribute(node)
            case ast.ClassDef():
                yield from self._class(node)
            case ast.Call():
                yield from self._call(node)
            case ast.Constant(value=str() as text) if "{" in text and id(node) not in self._texts:
                yield from _hidden_in(text, node)
            case ast.MatchClass():
                yield from ((node, name) for name in node.kwd_attrs if _is_special(name) or FRAMES.fullmatch(name))
            case ast.match_case():
                yield from self._pattern(node.pattern)
            case ast.AsyncWith() if len(node.items) > 1 and any(item.optional_vars for item in node.items):
                yield node, "async with several managers"
            case ast.comprehension(is_async=1):
                yield node.target, "an async comprehension"
            case ast.Global() | ast.Nonlocal():
                yield from ((node, name) for name in node.names if name.startswith("__"))
            case ast.MatchAs(name=str() as name) | ast.MatchStar(name=str() as name) if name in self._seen:
                yield node, f"case {name}"
            case ast.MatchMapping(rest=str() as name) if name in self._seen:
                yield node, f"case **{name}"
            case ast.Tuple(ctx=ast.Store()) | ast.List(ctx=ast.Store()):
                parts = list(ast.walk(node))
                shared = [one.id for one in parts if isinstance(one, ast.Name) and one.id in self._seen]
                if shared and any(isinstance(one, ast.Subscript | ast.Attribute) for one in parts):
                    yield node, ast.unparse(node)
            case ast.AugAssign(target=target) if not is_plain(target):
                yield node, ast.unparse(target)
            case ast.ExceptHandler(name=str() as name) if name in self._seen:
                yield node, f"except … as {name}"
            case ast.TryStar():
                yield node, "except*"
            case ast.Lambda() if has_steps([node]):
                yield node, "yield in a lambda"
            case ast.FunctionDef() | ast.AsyncFunctionDef():
                if _is_special(node.name) and node.name not in METHODS:
                    yield node, node.name
                yield from self._generator(node)
            case ast.ListComp() | ast.SetComp() | ast.DictComp() | ast.GeneratorExp():
                if isinstance(node, ast.GeneratorExp) and id(node) not in self._consumed:
                    yield node, "a generator expression that is kept"
                inner = [one for one in ast.walk(node) if isinstance(one, ast.Lambda)]
                if inner and (isinstance(node, ast.GeneratorExp) or has_steps([node])):
                    yield inner[0], "lambda"

    def _attribute(self, node: ast.Attribute) -> Odd:
        name, base = node.attr, node.value
        if isinstance(base, ast.Name) and base.id in self._loggers:
            if name not in LOGS:
                yield node, f"{base.id}.{name}"
        elif isinstance(base, ast.Name) and base.id in self._modules:
            module = self._modules[base.id]
            known = MODULES.get(module, frozenset())
            inner = f"{module}.{name}"
            if inner in MODULES:
                yield from () if inner == "collections.abc" else ((node, inner),)
            elif not isinstance(node.ctx, ast.Load) or (known is not ALL and name not in known):
                yield node, inner
        elif FRAMES.fullmatch(name) or (_is_special(name) and not _may_ask(node)) or name in self._registers:
            yield node, name

    def _call(self, node: ast.Call) -> Odd:
        """A call: what it is asked for must stand in the text."""
        for keyword in node.keywords:
            if keyword.arg in ("hash", "unsafe_hash"):
                yield keyword.value, keyword.arg
            elif keyword.arg == "default_factory":
                yield from self._factory(keyword.value)
        match node.func, node.args:
            case ast.Name(id="getattr" | "hasattr" as name), given:
                asked = given[1] if len(given) > 1 else None
                if not isinstance(asked, ast.Constant):
                    yield node, name
                else:
                    yield from _hidden_in(str(asked.value), node)
            case ast.Name(id="property" | "classmethod" | "staticmethod" as name), _:
                yield node, f"{name}(…)"
            case ast.Name(id="itemgetter"), given if not all(isinstance(one, ast.Constant) for one in given):
                yield node, "itemgetter"
            case ast.Name(id="defaultdict"), [factory, *_]:
                yield from self._factory(factory)
            case ast.Name(id="super"), _ if id(node) not in self._asked:
                yield node, "super"
            case ast.Name(id="type"), given if len(given) != 1:
                yield node, "type"

    def _factory(self, node: ast.expr) -> Odd:
        """What makes a default must keep nothing to itself."""
        is_made_here = isinstance(node, ast.Name) and (node.id in FACTORIES or node.id in self._defined)
        if not isinstance(node, ast.Lambda) and not is_made_here:
            yield node, ast.unparse(node)

    def _pattern(self, pattern: ast.pattern) -> Odd:
        """What a pattern compares with is a constant, or belongs to a class of the text or to a module."""
        classes = {
            id(part) for one in ast.walk(pattern) if isinstance(one, ast.MatchClass) for part in ast.walk(one.cls)
        }
        for one in ast.walk(pattern):
            if isinstance(one, ast.Attribute):
                root = one.value.id if isinstance(one.value, ast.Name) else ""
                if root in self._seen or root not in self._defined | self._modules.keys():
                    yield one, ast.unparse(one)
            elif isinstance(one, ast.Name) and id(one) in classes and one.id in self._seen:
                yield one, one.id

    def _class(self, node: ast.ClassDef) -> Odd:
        bases = {one.id for base in node.bases for one in ast.walk(base) if isinstance(one, ast.Name)}
        if bases & (NOT_BASES | self._slotted):
            yield node, f"class {node.name}({', '.join(map(ast.unparse, node.bases))})"
        if "type" in bases:
            yield node, "type"
        if bases & ENUMS:
            values = [one.value for one in node.body if isinstance(one, ast.Assign)]
            yield from ((value, ast.unparse(value)) for value in values if not _is_fixed(value))
        yield from ((one.value, f"{one.arg or '**'} of class {node.name}") for one in node.keywords)
        if not node.name.strip("_"):
            yield node, f"class {node.name}"
        for statement in node.body:
            yield from self._set_in_class(statement)

    def _set_in_class(self, node: ast.stmt) -> Odd:
        """Special names of a class are methods that the text defines, or plain texts."""
        if not isinstance(node, ast.Assign | ast.AnnAssign):
            return
        targets = node.targets if isinstance(node, ast.Assign) else [node.target]
        for name in [one.id for target in targets for one in ast.walk(target) if isinstance(one, ast.Name)]:
            if _is_special(name) and not (name in TEXTS and _is_literal(node.value)):
                yield node, name

    def _generator(self, node: ast.FunctionDef | ast.AsyncFunctionDef) -> Odd:
        """A generator that is dropped amid a block with an end comes to that end whenever Python lets go of it."""
        own = list(_own(node))
        if not any(isinstance(one, ast.Yield | ast.YieldFrom) for one in own):
            return
        if any("contextmanager" in ast.unparse(decorator) for decorator in node.decorator_list):
            return
        for one in own:
            if isinstance(one, ast.Try | ast.With | ast.AsyncWith):
                yield one, f"{'try' if isinstance(one, ast.Try) else 'with'} in the generator {node.name}"


def _goes_through(node: ast.Call) -> list[ast.expr]:
    """What a call goes through to its end, or as far as it ever goes."""
    name = getattr(node.func, "id", getattr(node.func, "attr", ""))
    return node.args if name in THROUGH else []


def _is_literal(node: ast.expr | None) -> bool:
    return node is not None and is_made_of(node, (ast.Constant, ast.Tuple, ast.List, ast.expr_context))


def _is_fixed(node: ast.expr) -> bool:
    """Whether a value of an enumeration is made of constants."""
    if isinstance(node, ast.Call):
        return ast.unparse(node.func).endswith("auto")
    operations = (ast.BinOp, ast.UnaryOp, ast.operator, ast.unaryop)
    return is_made_of(node, (ast.Constant, ast.Tuple, ast.expr_context, *operations))


def _hidden_in(text: str, node: ast.AST) -> Odd:
    found = HIDDEN.search(text)
    if found is not None and found[0] not in DECLARED:
        yield node, found[0]


def _own(node: ast.AST) -> Iterator[ast.AST]:
    """What stands in a function, but not in functions within it."""
    for one in ast.iter_child_nodes(node):
        yield one
        if not isinstance(one, _FUNCTIONS):
            yield from _own(one)


def _is_special(name: str) -> bool:
    return name.startswith("__") and name.endswith("__")


def _may_ask(node: ast.Attribute) -> bool:
    """Whether a special attribute is one that tells a name, or a method of the class above."""
    if not isinstance(node.ctx, ast.Load):
        return False
    is_super = (
        isinstance(node.value, ast.Call) and isinstance(node.value.func, ast.Name) and node.value.func.id == "super"
    )
    return node.attr in TOLD or (is_super and node.attr in METHODS)
