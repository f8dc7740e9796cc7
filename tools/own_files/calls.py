"""The calls that are put into a user's text to note what it looks at (`tools.own_files.visible`)."""

from __future__ import annotations

import ast
from typing import Any

from .variables import FunctionNames


def through(function: str, node: ast.expr) -> ast.expr:
    """An expression, handed through a function."""
    name = ast.copy_location(ast.Name(function, ast.Load()), node)
    return ast.copy_location(ast.Call(name, [node], []), node)


def call_of(function: str, where: ast.AST, *given: ast.expr) -> ast.expr:
    """A call of a function in the place of `where`."""
    made = ast.Call(ast.Name(function, ast.Load()), list(given), [])
    return ast.fix_missing_locations(ast.copy_location(made, where))


def _label(owner: FunctionNames) -> str:
    return f"__scope_of_{_number(owner)}__"


def _number(owner: FunctionNames) -> str:
    node = owner.node
    return "module" if node is None else f"{node.lineno}_{node.col_offset}"


def scope_of(node: Any, where: ast.AST) -> ast.Assign:
    """Make the scope of an activation."""
    owner = FunctionNames(node, None)
    given: list[ast.expr] = [ast.Constant(owner.name)]
    if node is None:
        given.append(ast.Call(ast.Name("globals", ast.Load()), [], []))
    made = ast.Call(ast.Name("__scope__", ast.Load()), given, [])
    statement = ast.Assign([ast.Name(_label(owner), ast.Store())], made)
    return ast.fix_missing_locations(ast.copy_location(statement, where))


def variable_of(owner: FunctionNames, node: ast.Name) -> ast.expr:
    """A variable, noted as used."""
    scope = call_of("__used__", node, ast.Name(_label(owner), ast.Load()), ast.Constant(node.id))
    return call_of("__variable__", node, scope, node)


def wrote_of(owner: FunctionNames, name: str) -> ast.Expr:
    """Note a variable as set."""
    given: list[ast.expr] = [ast.Name(_label(owner), ast.Load()), ast.Constant(name)]
    return ast.Expr(ast.Call(ast.Name("__wrote__", ast.Load()), given, []))
