"""Which texts are understood: of all that such a text can do it is known what it looks at, and what it changes.

Of a text with anything else in it (`weakref`, `globals()`, a metaclass, …) nobody can say what its steps share, so that
each of its steps counts as dependent on each other one (`actors.runtime.primitives.sharing.everything`). That is right
whatever the text does, and only makes a search longer; so what is not listed here is not understood.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Iterator

from actors.runtime.primitives.snapshots import OURS

from .variables import VariableOwners

_ALL = frozenset({"*"})
MODULES: dict[str, frozenset[str]] = {
    "__future__": _ALL,
    "abc": frozenset({"ABC", "abstractmethod"}),
    "bisect": _ALL,
    "collections": frozenset({"Counter", "OrderedDict", "defaultdict", "deque", "namedtuple"}),
    "collections.abc": _ALL,
    "contextlib": frozenset({"asynccontextmanager", "contextmanager", "nullcontext", "suppress"}),
    "copy": frozenset({"copy", "deepcopy"}),
    "dataclasses": frozenset(
        {"FrozenInstanceError", "InitVar", "KW_ONLY", "asdict", "astuple", "dataclass", "field", "fields", "replace"}
    ),
    "enum": frozenset({"Enum", "Flag", "IntEnum", "IntFlag", "StrEnum", "auto", "unique"}),
    "fractions": frozenset({"Fraction"}),
    "functools": frozenset({"cmp_to_key", "partial", "reduce", "total_ordering", "wraps"}),
    "heapq": _ALL,
    "itertools": frozenset(
        {"accumulate", "chain", "combinations", "combinations_with_replacement", "compress", "count", "cycle"}
        | {"dropwhile", "filterfalse", "islice", "pairwise", "permutations", "product", "repeat", "starmap"}
        | {"takewhile", "zip_longest"}
    ),
    "json": frozenset({"dumps", "loads"}),
    "loguru": frozenset({"logger"}),
    "math": _ALL,
    "numpy": frozenset(
        {"all", "any", "arange", "array", "array_equal", "asarray", "bool_", "concatenate", "copy", "count_nonzero"}
        | {"dtype", "full", "int16", "int32", "int64", "int8", "max", "min", "ndarray", "nonzero", "ones", "stack"}
        | {"sum", "uint16", "uint32", "uint64", "uint8", "unique", "where", "zeros", "zeros_like"}
    ),
    "operator": frozenset(
        {"add", "and_", "contains", "eq", "floordiv", "ge", "getitem", "gt", "invert", "itemgetter", "le", "lt", "mod"}
        | {"mul", "ne", "neg", "not_", "or_", "setitem", "sub", "xor"}
    ),
    "pprint": frozenset({"pformat"}),
    "random": frozenset({"Random"}),
    "re": frozenset({"compile", "escape", "findall", "fullmatch", "match", "search", "split", "sub"}),
    "string": _ALL,
    "struct": frozenset({"calcsize", "pack", "pack_into", "unpack", "unpack_from"}),
    "textwrap": frozenset({"dedent", "fill", "indent"}),
    "types": frozenset({"SimpleNamespace"}),
    "typing": _ALL,
    "zlib": frozenset({"adler32", "crc32"}),
}
"""Modules, and which of their names are understood."""
_LOGS = frozenset({"critical", "debug", "error", "exception", "info", "success", "trace", "warning"})
"""What a logger may be asked for: nothing of it comes back."""
_ODD = frozenset(
    {"__build_class__", "__builtins__", "__import__", "__loader__", "__spec__", "breakpoint", "compile", "delattr"}
    | {"dir", "eval", "exec", "globals", "input", "locals", "memoryview", "open", "setattr", "vars"}
)
"""Built-in names that come to what no name of the text says."""
_METHODS = frozenset(
    f"__{name}__"
    for name in [
        "init",
        "new",
        "post_init",
        "repr",
        "str",
        "format",
        "bool",
        "len",
        "eq",
        "ne",
        "lt",
        "le",
        "gt",
        "ge",
        "hash",
        "call",
        "iter",
        "next",
        "reversed",
        "contains",
        "getitem",
        "setitem",
        "delitem",
        "missing",
        "enter",
        "exit",
        "aenter",
        "aexit",
        "aiter",
        "anext",
        "int",
        "float",
        "index",
        "neg",
        "pos",
        "abs",
        "invert",
        "add",
        "radd",
        "iadd",
        "sub",
        "rsub",
        "isub",
        "mul",
        "rmul",
        "imul",
        "floordiv",
        "rfloordiv",
        "ifloordiv",
        "truediv",
        "rtruediv",
        "mod",
        "rmod",
        "pow",
        "divmod",
        "and",
        "rand",
        "iand",
        "or",
        "ror",
        "ior",
        "xor",
        "rxor",
        "ixor",
        "lshift",
        "rlshift",
        "ilshift",
        "rshift",
        "rrshift",
        "irshift",
        "slots",
        "doc",
        "match_args",
    ]
)
"""Special names that a class may define: Python calls them, and they look at what their text looks at."""
_TOLD = frozenset({"__class__", "__doc__", "__module__", "__name__", "__qualname__"})
"""Special attributes that may be read."""
_FRAMES = re.compile(
    r"(gi|cr|ag)_(frame|code|running|await|yieldfrom|suspended|origin)|tb_(frame|next|lasti|lineno)|co_\w+"
    r"|f_(back|builtins|code|globals|lasti|lineno|locals|trace)|cell_contents|default_factory|mro|ctypes"
)
"""Attributes that show what another function keeps for itself."""
_HIDDEN = re.compile(rf"\b(__\w+__|{_FRAMES.pattern})\b")
_DECLARED = frozenset({"__main__", "__file__", "__name__", "__all__"})
_STEPS = (ast.Await, ast.Yield, ast.YieldFrom, ast.AsyncFor, ast.AsyncWith)
_COMPREHENSIONS = (ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)
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
        self._built_in = owners.unbound() & _ODD
        self._twofold = owners.twofold()
        self._seen = {name for shared, _ in owners.decide().values() for name in shared}
        self._texts = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
        """Docstrings are no texts that anybody works with."""

    def odd(self) -> Odd:
        """What is not understood, from the top to the bottom."""
        nodes = sorted(ast.walk(self._tree), key=lambda node: getattr(node, "lineno", 0))
        late = {id(node) for one in nodes if isinstance(one, _FUNCTIONS) for node in ast.walk(one)}
        for node in nodes:
            if isinstance(node, ast.Import | ast.ImportFrom):
                yield from self._imported(node, id(node) in late)
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
            if alias.name == "*" or (known is not _ALL and alias.name not in known):
                yield node, f"from {name} import {alias.name}"
            if alias.name == "logger":
                self._loggers.add(alias.asname or alias.name)

    def _name(self, node: ast.Name, used: set[int]) -> Odd:
        """A name: of a module it is known only what its attributes are."""
        name = node.id
        if name in self._loggers or name in self._modules:
            if id(node) not in used or not isinstance(node.ctx, ast.Load):
                yield node, name
        elif name in self._built_in | self._twofold or (_is_special(name) and name not in _TOLD | _METHODS | _DECLARED):
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
            case ast.Constant(value=str() as text) if id(node) not in self._texts:
                found = _HIDDEN.search(text)
                if found is not None and found[0] not in _DECLARED:
                    yield node, found[0]
            case ast.MatchClass():
                yield from ((node, name) for name in node.kwd_attrs if _is_special(name) or _FRAMES.fullmatch(name))
            case ast.ExceptHandler(name=str() as name) if name in self._seen:
                yield node, f"except … as {name}"
            case ast.TryStar():
                yield node, "except*"
            case ast.Lambda() if _has(node, (ast.Yield, ast.YieldFrom)):
                yield node, "yield in a lambda"
            case ast.FunctionDef() | ast.AsyncFunctionDef():
                if _is_special(node.name) and node.name not in _METHODS:
                    yield node, node.name
                yield from self._generator(node)
            case ast.ListComp() | ast.SetComp() | ast.DictComp() | ast.GeneratorExp():
                inner = [one for one in ast.walk(node) if isinstance(one, ast.Lambda)]
                if inner and (isinstance(node, ast.GeneratorExp) or _has(node, _STEPS)):
                    yield inner[0], "lambda"

    def _attribute(self, node: ast.Attribute) -> Odd:
        name, base = node.attr, node.value
        if isinstance(base, ast.Name) and base.id in self._loggers:
            if name not in _LOGS:
                yield node, f"{base.id}.{name}"
        elif isinstance(base, ast.Name) and base.id in self._modules:
            module = self._modules[base.id]
            known = MODULES.get(module, frozenset())
            inner = f"{module}.{name}"
            if inner in MODULES:
                yield from () if inner == "collections.abc" else ((node, inner),)
            elif not isinstance(node.ctx, ast.Load) or (known is not _ALL and name not in known):
                yield node, inner
        elif _FRAMES.fullmatch(name) or (_is_special(name) and not _may_ask(node)) or name in self._registers:
            yield node, name

    def _call(self, node: ast.Call) -> Odd:
        """A call: what it is asked for must stand in the text."""
        yield from ((one.value, "unsafe_hash") for one in node.keywords if one.arg == "unsafe_hash")
        match node.func, node.args:
            case ast.Name(id="getattr" | "hasattr" as name), given:
                if len(given) < 2 or not isinstance(given[1], ast.Constant):
                    yield node, name
            case ast.Name(id="type"), given if len(given) != 1:
                yield node, "type"

    def _class(self, node: ast.ClassDef) -> Odd:
        for base in node.bases:
            yield from ((one, "type") for one in ast.walk(base) if isinstance(one, ast.Name) and one.id == "type")
        yield from ((one.value, f"{one.arg or '**'} of class {node.name}") for one in node.keywords)

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


def _own(node: ast.AST) -> Iterator[ast.AST]:
    """What stands in a function, but not in functions within it."""
    for one in ast.iter_child_nodes(node):
        yield one
        if not isinstance(one, _FUNCTIONS):
            yield from _own(one)


def _has(node: ast.AST, kinds: tuple[type[ast.AST], ...]) -> bool:
    return any(isinstance(one, kinds) for one in ast.walk(node))


def _is_special(name: str) -> bool:
    return name.startswith("__") and name.endswith("__")


def _may_ask(node: ast.Attribute) -> bool:
    """Whether a special attribute is one that tells a name, or a method of the class above."""
    if not isinstance(node.ctx, ast.Load):
        return False
    is_super = (
        isinstance(node.value, ast.Call) and isinstance(node.value.func, ast.Name) and node.value.func.id == "super"
    )
    return node.attr in _TOLD or (is_super and node.attr in _METHODS)
