"""A user's text, compiled so that what it looks at between two steps can be seen (`actors.runtime.primitives.looks`).

Each name, attribute and element that is used, and each result of a call, is handed through `see`; what is given to a
call or compared, through `deep`, since code that is not a user's notes nothing. A variable is noted by itself if
somebody else than the function that owns it sets it, or sees it while that function goes on. Lines and columns stay.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable
from typing import Any

from actors.runtime.primitives.looks import (
    Scope,
    again,
    attribute,
    awaited,
    deep,
    delegated,
    each,
    last,
    looked_at,
    see,
    stored,
    used,
    variable,
    wrote,
)
from actors.runtime.primitives.managers import managed, managed_async

from .calls import call_of, scope_of, through, variable_of, wrote_of
from .syntax import awaits_first, captured, constants, has_steps, is_plain, packages_of, set_by, stands_first
from .variables import FunctionNames, VariableOwners

NAMES: dict[str, Any] = {
    "getattr": attribute,
    "__attribute__": attribute,
    "__again__": again,
    "__awaited__": awaited,
    "__deep__": deep,
    "__delegated__": delegated,
    "__each__": each,
    "__last__": last,
    "__looked_at__": looked_at,
    "__managed__": managed,
    "__managed_async__": managed_async,
    "__see__": see,
    "__stored__": stored,
    "__used__": used,
    "__variable__": variable,
    "__wrote__": wrote,
    "__scope__": Scope,
}
"""What the compiled text calls, to stand among the built-in names of its module."""
_ASKS = (ast.Eq, ast.NotEq, ast.Lt, ast.LtE, ast.Gt, ast.GtE, ast.In, ast.NotIn)


def visible(text: str, file: str) -> ast.Module:
    """The tree of a text, with what it looks at handed through; SyntaxError as from `compile`."""
    tree = ast.parse(text, file)
    owners = VariableOwners()
    owners.visit(tree)
    _Visible(owners.decide(), "numpy" in packages_of(tree)).visit(tree)
    return ast.fix_missing_locations(tree)


class _Visible(ast.NodeTransformer):
    """Hands what is looked at through the functions that note it."""

    def __init__(self, decided: dict[int, tuple[set[str], dict[str, FunctionNames]]], deeply: bool) -> None:
        self._decided = decided
        self._uses = decided[0][1]
        self._is_alone = False
        """Whether a statement comes to nothing before what it awaits."""
        self._deeply = deeply
        """Whether operators may look at all that their operands hold, as those of numpy do."""
        self._class = ""
        """The class around, after which Python names what begins with two underscores."""

    def visit_Module(self, node: ast.Module) -> ast.Module:
        """Its own variables that functions set need a scope as well, behind what must stand first."""
        node.body = self._statements(node.body)
        if self._decided[0][0]:
            first = 0
            while first < len(node.body) and stands_first(node.body[first]):
                first += 1
            node.body.insert(first, scope_of(None, node.body[0]))
        return node

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.FunctionDef:
        """A function."""
        self._function(node)
        return node

    def visit_AsyncFunctionDef(self, node: ast.AsyncFunctionDef) -> ast.AsyncFunctionDef:
        """An asynchronous function is treated as any other."""
        self._function(node)
        return node

    def _function(self, node: ast.FunctionDef | ast.AsyncFunctionDef) -> None:
        node.decorator_list = [self._given(one) for one in node.decorator_list]
        self._defaults(node.args)
        before, self._uses = self._uses, self._decided[id(node)][1]
        shared = self._decided[id(node)][0]
        first = int(ast.get_docstring(node, clean=False) is not None)
        body = self._statements(node.body)
        if shared:
            body.insert(first, scope_of(node, node.body[0]))
        node.body, self._uses = body, before

    def visit_Lambda(self, node: ast.Lambda) -> ast.Lambda:
        """A function of one expression."""
        self._defaults(node.args)
        before, self._uses = self._uses, self._decided[id(node)][1]
        node.body, self._uses = self.visit(node.body), before
        return node

    def visit_ClassDef(self, node: ast.ClassDef) -> ast.ClassDef:
        """What it is made from is looked at; what its body sets belongs to it."""
        node.decorator_list = [self._given(one) for one in node.decorator_list]
        node.bases = [self._given(one) for one in node.bases]
        before, self._uses, self._class = (self._uses, self._class), self._decided[id(node)][1], node.name
        node.body = self._statements(node.body)
        self._uses, self._class = before
        return node

    def visit_AnnAssign(self, node: ast.AnnAssign) -> ast.AnnAssign:
        """Annotations stay."""
        node.target = self.visit(node.target)
        node.value = self.visit(node.value) if node.value is not None else None
        return node

    def visit_Match(self, node: ast.Match) -> ast.Match:
        """Patterns stay; they may look at all that the subject holds."""
        subject = through("__deep__", self.visit(node.subject))
        roots = sorted({root for case in node.cases for root in constants(case.pattern)})
        looked_at = [self._given(ast.copy_location(ast.Name(root, ast.Load()), subject)) for root in roots]
        both = ast.copy_location(ast.Tuple([*looked_at, subject], ast.Load()), subject)
        node.subject = call_of("__last__", subject, both)
        for case in node.cases:
            self._is_alone = False
            case.guard = self.visit(case.guard) if case.guard is not None else None
            case.body = [*self._wrote(captured(case.pattern), case.body[0]), *self._statements(case.body)]
        return node

    def visit_For(self, node: ast.For) -> ast.For:
        """What a loop with steps in it goes through is looked at each time."""
        node.iter = self._iterated(node.iter, node.target, has_steps(node.body))
        node.target = self.visit(node.target)
        node.body, node.orelse = self._statements(node.body), self._statements(node.orelse)
        return node

    def visit_comprehension(self, node: ast.comprehension) -> ast.comprehension:
        """The same; who goes through a generator expression may do so at any time."""
        node.iter = self._iterated(node.iter, node.target, not node.is_async)
        node.target = self.visit(node.target)
        node.ifs = [self.visit(one) for one in node.ifs]
        return node

    def visit_ExceptHandler(self, node: ast.ExceptHandler) -> ast.ExceptHandler:
        """It sets a name, and takes it away again."""
        self._is_alone = False
        node.type = self._given(node.type) if node.type is not None else None
        named = [node.name] if node.name else []
        node.body = [*self._wrote(named, node.body[0]), *self._statements(node.body)]
        return node

    def visit_YieldFrom(self, node: ast.YieldFrom) -> ast.expr:
        """What it goes through is looked at each time."""
        node.value = through("__delegated__", self.visit(node.value))
        return self._suspended(node)

    def _managed(self, node: ast.With | ast.AsyncWith) -> None:
        """What a manager does at the end of its block it does in the step before."""
        function = "__managed__" if isinstance(node, ast.With) else "__managed_async__"
        for item in node.items:
            item.context_expr = through(function, self.visit(item.context_expr))
            item.optional_vars = self.visit(item.optional_vars) if item.optional_vars is not None else None
        node.body = self._statements(node.body)

    def visit_With(self, node: ast.With) -> ast.With:
        """A block with an end."""
        self._managed(node)
        return node

    def visit_AsyncWith(self, node: ast.AsyncWith) -> ast.AsyncWith:
        """An asynchronous block is treated as any other."""
        self._managed(node)
        return node

    def _iterated(self, node: ast.expr, target: ast.expr, has_steps: bool) -> ast.expr:
        changed = self._given(node) if isinstance(target, ast.Tuple | ast.List) else self.visit(node)
        return through("__each__", changed) if has_steps else changed

    def visit_Assign(self, node: ast.Assign) -> ast.Assign:
        """What is taken apart is looked at in all its parts."""
        apart = self._deeply or any(isinstance(target, ast.Tuple | ast.List) for target in node.targets)
        node.value = self._given(node.value) if apart else self.visit(node.value)
        node.targets = [self.visit(target) for target in node.targets]
        return node

    def visit_Expr(self, node: ast.Expr) -> ast.Expr:
        """What is thrown away is not looked at."""
        node.value = self._bare(node.value)
        return node

    def visit_Await(self, node: ast.Await) -> ast.expr:
        """What is awaited is a step or more; what it comes to is looked at."""
        if isinstance(node.value, ast.Call):
            node.value = self._bare(node.value)
        else:
            node.value = through("__awaited__", self.visit(node.value))
        return self._suspended(node)

    def visit_Yield(self, node: ast.Yield) -> ast.expr:
        """Who goes on with a generator may do so after other steps."""
        node.value = self.visit(node.value) if node.value is not None else None
        return self._suspended(node)

    def _suspended(self, node: ast.Await | ast.Yield | ast.YieldFrom) -> ast.expr:
        """What the statement has looked at already it may work on when it goes on: that is then looked at again."""
        if self._is_alone:
            return through("__see__", node)
        return call_of("__again__", node, call_of("__looked_at__", node), node)

    def visit_Name(self, node: ast.Name) -> ast.expr:
        """A name."""
        if not isinstance(node.ctx, ast.Load):
            return node
        owner = self._uses.get(node.id)
        return through("__see__", node) if owner is None else variable_of(owner, node)

    def visit_Attribute(self, node: ast.Attribute) -> ast.expr:
        """An attribute that is used, set or taken away."""
        node.value = self.visit(node.value)
        name = ast.Constant(self._full(node.attr))
        if isinstance(node.ctx, ast.Load):
            return call_of("__attribute__", node, node.value, name)
        node.value = call_of("__stored__", node, node.value, name)
        return node

    def _full(self, name: str) -> str:
        """The name of an attribute as Python calls it."""
        is_private = name.startswith("__") and not name.endswith("__") and self._class.strip("_")
        return f"_{self._class.lstrip('_')}{name}" if is_private else name

    def visit_Subscript(self, node: ast.Subscript) -> ast.expr:
        """An element."""
        node.value = self.visit(node.value)
        node.slice = self._given(node.slice) if self._deeply else self.visit(node.slice)
        return through("__see__", node) if isinstance(node.ctx, ast.Load) else node

    def visit_Call(self, node: ast.Call) -> ast.expr:
        """A call, which may look at all that it is given."""
        return through("__see__", self._call(node))

    def visit_Compare(self, node: ast.Compare) -> ast.Compare:
        """Both sides, which may be compared by what they hold."""
        asks = any(isinstance(operator, _ASKS) for operator in node.ops)
        node.left = self._given(node.left) if asks else self.visit(node.left)
        node.comparators = [self._given(one) if asks else self.visit(one) for one in node.comparators]
        return node

    def visit_BinOp(self, node: ast.BinOp) -> ast.BinOp:
        """Both sides; what is put into a text by what it holds."""
        deeply = self._deeply
        node.left = self._given(node.left) if deeply else self.visit(node.left)
        node.right = self._given(node.right) if deeply or isinstance(node.op, ast.Mod) else self.visit(node.right)
        return node

    def visit_AugAssign(self, node: ast.AugAssign) -> ast.AugAssign:
        """The same."""
        node.target = self.visit(node.target)
        deeply = self._deeply or isinstance(node.op, ast.Mod)
        node.value = self._given(node.value) if deeply else self.visit(node.value)
        return node

    def visit_FormattedValue(self, node: ast.FormattedValue) -> ast.FormattedValue:
        """What is put into a text."""
        node.value = self._given(node.value)
        node.format_spec = self.visit(node.format_spec) if node.format_spec is not None else None
        return node

    def visit_NamedExpr(self, node: ast.NamedExpr) -> ast.expr:
        """A variable that is set amid an expression."""
        node.value = self.visit(node.value)
        owner = self._uses.get(node.target.id)
        if owner is None:
            return node
        both = ast.Tuple([node, wrote_of(owner, node.target.id).value], ast.Load())
        return ast.copy_location(ast.Subscript(both, ast.Constant(0), ast.Load()), node)

    def _call(self, node: ast.Call) -> ast.Call:
        node.func = self.visit(node.func)
        node.args = [self._given(one) for one in node.args]
        for keyword in node.keywords:
            keyword.value = self._given(keyword.value)
        return node

    def _bare(self, node: ast.expr) -> ast.expr:
        """An expression whose own value is not noted."""
        if isinstance(node, ast.Call):
            return self._call(node)
        if isinstance(node, ast.Name):
            return node
        changed: ast.expr = self.visit(node)
        return changed

    def _given(self, node: ast.expr) -> ast.expr:
        """What is given to code that notes nothing."""
        if isinstance(node, ast.Starred):
            node.value = self._given(node.value)
            return node
        if isinstance(node, ast.Constant | ast.Lambda | ast.JoinedStr | ast.Compare):
            unchanged: ast.expr = self.visit(node)
            return unchanged
        return through("__deep__", self.visit(node))

    def _defaults(self, given: ast.arguments) -> None:
        given.defaults = [self.visit(one) for one in given.defaults]
        given.kw_defaults = [self.visit(one) if one is not None else None for one in given.kw_defaults]

    def _statements(self, body: Iterable[ast.stmt]) -> list[ast.stmt]:
        """Statements, each with what has to be noted of the variables that it sets."""
        found: list[ast.stmt] = []
        for statement in body:
            names = set_by(statement)
            if isinstance(statement, ast.AugAssign) and isinstance(statement.target, ast.Name):
                target = ast.copy_location(ast.Name(statement.target.id, ast.Load()), statement.target)
                found.append(ast.copy_location(ast.Expr(self.visit_Name(target)), statement))
            elif isinstance(statement, ast.AugAssign) and is_plain(statement.target):
                # What stands there may be changed in place, so it is looked at before.
                looked_at = ast.parse(ast.unparse(statement.target), mode="eval").body
                for node in ast.walk(looked_at):
                    ast.copy_location(node, statement.target)
                found.append(ast.copy_location(ast.Expr(self.visit(looked_at)), statement))
            self._is_alone = awaits_first(statement)
            if isinstance(statement, ast.AsyncFor):
                found += self._async_for(statement)
                continue
            found.append(self.visit(statement))
            notes = self._wrote(names, statement)
            if isinstance(statement, ast.For | ast.AsyncFor | ast.With | ast.AsyncWith):
                statement.body[:0] = notes
            else:
                found += notes
        return found

    def _wrote(self, names: Iterable[str], where: ast.AST) -> list[ast.stmt]:
        """What has to be noted once these names are set."""
        return [ast.copy_location(wrote_of(self._uses[name], name), where) for name in names if name in self._uses]

    def _async_for(self, node: ast.AsyncFor) -> list[ast.stmt]:
        """What it goes through has a name, so that it is looked at in each round."""
        name = f"__through_{node.lineno}_{node.col_offset}__"
        first = ast.Assign([ast.Name(name, ast.Store())], self.visit(node.iter))
        looks = [ast.Expr(through("__see__", ast.copy_location(ast.Name(name, ast.Load()), node))) for _ in range(2)]
        notes = self._wrote(set_by(node), node)
        node.iter = ast.Name(name, ast.Load())
        node.target = self.visit(node.target)
        node.body, node.orelse = [looks[0], *notes, *self._statements(node.body)], self._statements(node.orelse)
        made: list[ast.stmt] = [first, node, looks[1]]
        for statement in made:
            ast.copy_location(statement, node)
            ast.fix_missing_locations(statement)
        return made

    def generic_visit(self, node: ast.AST) -> ast.AST:
        """Lists of statements by `_statements`, all else one by one."""
        for field, value in ast.iter_fields(node):
            if isinstance(value, list) and value and isinstance(value[0], ast.stmt):
                value[:] = self._statements(value)
            elif isinstance(value, list):
                value[:] = [self.visit(one) if isinstance(one, ast.AST) else one for one in value]
            elif isinstance(value, ast.AST):
                setattr(node, field, self.visit(value))
        return node
