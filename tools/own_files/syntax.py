"""Questions about the statements of a user's text, before calls are put into it."""

from __future__ import annotations

import ast
from collections.abc import Iterable

_PLAIN = (
    *(ast.Name, ast.Attribute, ast.Subscript, ast.Constant, ast.expr_context),
    *(ast.UnaryOp, ast.unaryop, ast.BinOp, ast.operator, ast.Slice, ast.Tuple),
)


def has_steps(parts: Iterable[ast.AST]) -> bool:
    """Whether others may act while these parts of a text go on."""
    steps = (ast.Await, ast.Yield, ast.YieldFrom, ast.AsyncFor, ast.AsyncWith)
    return any(isinstance(node, steps) for part in parts for node in ast.walk(part))


def packages_of(tree: ast.Module) -> set[str]:
    """The packages that a text imports, or imports from."""
    names = [node.module or "" for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)]
    names += [alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names]
    return {name.partition(".")[0] for name in names}


def is_made_of(node: ast.AST, kinds: tuple[type[ast.AST], ...]) -> bool:
    """Whether nothing but parts of these kinds stands in an expression."""
    return all(isinstance(part, kinds) for part in ast.walk(node))


def awaits_first(statement: ast.stmt) -> bool:
    """Whether a statement is one thing that is awaited, and nothing that was come to before is needed after it."""
    value = getattr(statement, "value", None)
    if not isinstance(value, ast.Await | ast.Yield | ast.YieldFrom):
        return False
    inner = [node for node in ast.walk(value) if isinstance(node, ast.Await | ast.Yield | ast.YieldFrom)]
    plain = isinstance(statement, ast.Expr | ast.Return) or (
        isinstance(statement, ast.Assign) and all(isinstance(target, ast.Name) for target in statement.targets)
    )
    return plain and len(inner) == 1


def constants(pattern: ast.pattern) -> list[str]:
    """The names whose attributes a pattern compares with."""
    values = [one.value for one in ast.walk(pattern) if isinstance(one, ast.MatchValue)]
    return [name.id for value in values for name in ast.walk(value) if isinstance(name, ast.Name)]


def is_plain(target: ast.expr) -> bool:
    """Whether to look at it once more does nothing else: no call stands in it."""
    return is_made_of(target, _PLAIN)


def set_by(statement: ast.stmt) -> list[str]:
    """The names that a statement sets, but for those within its body."""
    match statement:
        case ast.Assign():
            targets: list[ast.AST] = list(statement.targets)
        case ast.AugAssign() | ast.AnnAssign() | ast.For() | ast.AsyncFor():
            targets = [statement.target]
        case ast.With() | ast.AsyncWith():
            targets = [item.optional_vars for item in statement.items if item.optional_vars is not None]
        case ast.Delete():
            targets = list(statement.targets)
        case ast.FunctionDef() | ast.AsyncFunctionDef() | ast.ClassDef():
            return [statement.name]
        case ast.Import() | ast.ImportFrom():
            return [alias.asname or alias.name.partition(".")[0] for alias in statement.names]
        case _:
            return []
    named = [node for target in targets for node in ast.walk(target) if isinstance(node, ast.Name)]
    return [node.id for node in named if not isinstance(node.ctx, ast.Load)]


def captured(pattern: ast.pattern) -> list[str]:
    """The names that a pattern sets."""
    found = [one.rest if isinstance(one, ast.MatchMapping) else getattr(one, "name", None) for one in ast.walk(pattern)]
    return [name for name in found if name is not None]


def stands_first(statement: ast.stmt) -> bool:
    """Whether nothing may be put before a statement of a module."""
    if isinstance(statement, ast.ImportFrom):
        return statement.module == "__future__"
    return isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant)
