"""Names of Python that are known: what they look at, and what they change (`tools.own_files.understood`)."""

from __future__ import annotations

import collections.abc
import heapq
import math
import re
import string
import typing

ALL = frozenset({"*"})
MODULES: dict[str, frozenset[str]] = {
    "__future__": ALL,
    "abc": frozenset({"ABC", "abstractmethod"}),
    "bisect": frozenset({"bisect", "bisect_left", "bisect_right", "insort", "insort_left", "insort_right"}),
    "collections": frozenset({"Counter", "OrderedDict", "defaultdict", "deque", "namedtuple"}),
    "collections.abc": frozenset(collections.abc.__all__),
    "contextlib": frozenset({"asynccontextmanager", "contextmanager", "nullcontext", "suppress"}),
    "copy": frozenset({"copy", "deepcopy"}),
    "dataclasses": frozenset(
        {"FrozenInstanceError", "InitVar", "KW_ONLY", "asdict", "astuple", "dataclass", "field", "fields", "replace"}
    ),
    "enum": frozenset({"Enum", "Flag", "IntEnum", "IntFlag", "StrEnum", "auto", "unique"}),
    "fractions": frozenset({"Fraction"}),
    "functools": frozenset({"cmp_to_key", "partial", "reduce", "total_ordering", "wraps"}),
    "heapq": frozenset(heapq.__all__),
    "itertools": frozenset(
        {"accumulate", "chain", "combinations", "combinations_with_replacement", "compress", "count", "cycle"}
        | {"dropwhile", "filterfalse", "islice", "pairwise", "permutations", "product", "repeat", "starmap"}
        | {"takewhile", "zip_longest"}
    ),
    "json": frozenset({"dumps", "loads"}),
    "loguru": frozenset({"logger"}),
    "math": frozenset(name for name in dir(math) if not name.startswith("_")),
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
    "string": frozenset(string.__all__),
    "struct": frozenset({"calcsize", "pack", "pack_into", "unpack", "unpack_from"}),
    "tests.comparison.generator": frozenset({"program_of"}),
    "tests.comparison.machine": frozenset({"Machine"}),
    "tests.comparison.program": frozenset({"Program"}),
    "textwrap": frozenset({"dedent", "fill", "indent"}),
    "types": frozenset({"SimpleNamespace"}),
    "typing": frozenset(typing.__all__) - {"clear_overloads", "get_overloads", "get_type_hints", "overload"},
    "zlib": frozenset({"adler32", "crc32"}),
}
"""Modules, and which of their names are understood; the random programs of our tests declare all that they share."""
LOGS = frozenset({"critical", "debug", "error", "exception", "info", "success", "trace", "warning"})
"""What a logger may be asked for: nothing of it comes back."""
ODD = frozenset(
    {"__build_class__", "__builtins__", "__import__", "__loader__", "__spec__", "breakpoint", "compile", "delattr"}
    | {"dir", "eval", "exec", "globals", "input", "locals", "memoryview", "open", "setattr", "slice", "vars"}
)
"""Built-in names that come to what no name of the text says."""
METHODS = frozenset(
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
TOLD = frozenset({"__class__", "__doc__", "__module__", "__name__", "__qualname__"})
"""Special attributes that may be read."""
FRAMES = re.compile(
    r"(gi|cr|ag)_(frame|code|running|await|yieldfrom|suspended|origin)|tb_(frame|next|lasti|lineno)|co_\w+"
    r"|f_(back|builtins|code|globals|lasti|lineno|locals|trace)|cell_contents|default_factory|mro|ctypes|keywords"
    r"|_value2member_map_|_member_map_|_member_names_"
)
"""Attributes that show what another function keeps for itself."""
HIDDEN = re.compile(rf"\b(__\w+__|{FRAMES.pattern})\b")
DECLARED = frozenset({"__main__", "__file__", "__name__", "__all__"})
TEXTS = frozenset({"__doc__", "__match_args__", "__slots__"})
FACTORIES = frozenset(
    {
        "Counter",
        "OrderedDict",
        "bool",
        "bytes",
        "deque",
        "dict",
        "float",
        "frozenset",
        "int",
        "list",
        "set",
        "str",
        "tuple",
    }
)
"""Classes that make something empty."""
THROUGH = frozenset(
    {"all", "any", "dict", "extend", "frozenset", "join", "list", "max", "min", "next", "set", "sorted", "sum", "tuple"}
    | {"update"}
)
NOT_BASES = frozenset({"partial", "property", "classmethod", "staticmethod"})
"""Classes of Python's that work on what they were given."""
ENUMS = frozenset({"Enum", "Flag", "IntEnum", "IntFlag", "StrEnum"})
