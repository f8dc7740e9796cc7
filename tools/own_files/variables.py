"""Which variables of a user's text somebody else than the function that owns them may set, or see while it goes on."""

from __future__ import annotations

import ast

Function = ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda


class FunctionNames:
    """The names of one function or class, or of the module (`node` is None)."""

    def __init__(self, node: Function | ast.ClassDef | None, outer: FunctionNames | None) -> None:
        self.node = node
        self.outer = outer
        self.parameters: set[str] = set()
        self.stored: set[str] = set()
        self.loaded: set[str] = set()
        self.elsewhere: set[str] = set()
        """Declared nonlocal."""
        self.globals: set[str] = set()
        self.is_suspended = isinstance(node, ast.AsyncFunctionDef)
        """Whether others may act while it goes on."""

    @property
    def name(self) -> str:
        """What messages call it."""
        return getattr(self.node, "name", "a lambda") if self.node is not None else "a global"

    @property
    def number(self) -> int:
        """What tells the function apart: the identity of its node, 0 for the module."""
        return id(self.node) if self.node is not None else 0

    def owner(self, name: str) -> FunctionNames:
        """Whose variable `name` is, seen from here; what a class sets, its functions do not see."""
        scope: FunctionNames = self
        if name in self.globals:
            while scope.outer is not None:
                scope = scope.outer
            return scope
        if name in self.elsewhere and self.outer is not None:
            scope = self.outer
        while scope.outer is not None and (
            name not in scope.parameters | scope.stored
            or name in scope.elsewhere | scope.globals
            or (isinstance(scope.node, ast.ClassDef) and scope is not self)
        ):
            scope = scope.outer
        return scope


class VariableOwners(ast.NodeVisitor):
    """Collects the names of all functions."""

    def __init__(self) -> None:
        self.module = FunctionNames(None, None)
        self.scopes: dict[int, FunctionNames] = {}
        self._scope = self.module

    def decide(self) -> dict[int, tuple[set[str], dict[str, FunctionNames]]]:
        """Of each function, by its number, which of its variables others can see, and of all names used in it that are
        such variables the owner."""
        shared: dict[int, set[str]] = {scope.number: set() for scope in self._every()}
        for scope in self._every():
            for name in sorted(scope.stored | scope.loaded):
                owner = scope.owner(name)
                if owner is not scope and _is_seen(name, owner, scope):
                    shared[owner.number].add(name)
        found = {}
        for scope in self._every():
            uses = {name: scope.owner(name) for name in scope.stored | scope.loaded}
            seen = {name: owner for name, owner in uses.items() if name in shared[owner.number]}
            found[scope.number] = shared[scope.number], seen
        return found

    def unbound(self) -> set[str]:
        """Names that somewhere stand for what Python itself gives."""
        used = {(name, scope.owner(name)) for scope in self._every() for name in scope.loaded}
        return {name for name, owner in used if name not in owner.parameters | owner.stored}

    def twofold(self) -> set[str]:
        """Names that the body of a class uses, and sets, though they stand for something outside of it as well."""
        found = set()
        for scope in self._every():
            if isinstance(scope.node, ast.ClassDef) and scope.outer is not None:
                both = scope.loaded & scope.stored
                found |= {name for name in both if name in (owner := scope.outer.owner(name)).stored | owner.parameters}
        return found

    def _every(self) -> list[FunctionNames]:
        return [self.module, *self.scopes.values()]

    def visit_Name(self, node: ast.Name) -> None:
        """A name that is used or set."""
        (self._scope.loaded if isinstance(node.ctx, ast.Load) else self._scope.stored).add(node.id)

    def visit_Nonlocal(self, node: ast.Nonlocal) -> None:
        """FunctionNames of a function around this one."""
        self._scope.elsewhere.update(node.names)

    def visit_Global(self, node: ast.Global) -> None:
        """These names are the module's."""
        self._scope.globals.update(node.names)

    def visit_FunctionDef(self, node: ast.FunctionDef) -> None:
        """A function is a name here, and has names of its own."""
        self._function(node)

    def visit_AsyncFunctionDef(self, node: ast.AsyncFunctionDef) -> None:
        """An asynchronous function has names as any other."""
        self._function(node)

    def visit_Lambda(self, node: ast.Lambda) -> None:
        """A lambda has names as a function has."""
        self._function(node)

    def visit_Yield(self, node: ast.Yield) -> None:
        """A generator goes on later."""
        self._scope.is_suspended = True
        self.generic_visit(node)

    def visit_YieldFrom(self, node: ast.YieldFrom) -> None:
        """`yield from` makes a generator, too."""
        self._scope.is_suspended = True
        self.generic_visit(node)

    def visit_ClassDef(self, node: ast.ClassDef) -> None:
        """A class is a name here, and has names of its own."""
        outer = self._scope
        outer.stored.add(node.name)
        for part in (*node.decorator_list, *node.bases, *node.keywords):
            self.visit(part)
        self._scope = self.scopes[id(node)] = FunctionNames(node, outer)
        for statement in node.body:
            self.visit(statement)
        self._scope = outer

    def visit_alias(self, node: ast.alias) -> None:
        """What is imported is a name."""
        self._scope.stored.add(node.asname or node.name.partition(".")[0])

    def visit_MatchMapping(self, node: ast.MatchMapping) -> None:
        """It may set a name."""
        if node.rest:
            self._scope.stored.add(node.rest)
        self.generic_visit(node)

    def visit_comprehension(self, node: ast.comprehension) -> None:
        """What it goes through; its targets are no variables of the function."""
        for part in (node.iter, *node.ifs):
            self.visit(part)

    def visit_MatchAs(self, node: ast.MatchAs) -> None:
        """It sets a name."""
        if node.name:
            self._scope.stored.add(node.name)
        self.generic_visit(node)

    def visit_MatchStar(self, node: ast.MatchStar) -> None:
        """A starred pattern sets a name, too."""
        if node.name:
            self._scope.stored.add(node.name)

    def visit_ExceptHandler(self, node: ast.ExceptHandler) -> None:
        """It sets a name."""
        if node.name:
            self._scope.stored.add(node.name)
        self.generic_visit(node)

    def _function(self, node: Function) -> None:
        outer = self._scope
        if not isinstance(node, ast.Lambda):
            outer.stored.add(node.name)
            for one in node.decorator_list:
                self.visit(one)
        given = node.args
        for default in [*given.defaults, *given.kw_defaults]:
            if default is not None:
                self.visit(default)
        self._scope = self.scopes[id(node)] = FunctionNames(node, outer)
        every = [*given.posonlyargs, *given.args, *given.kwonlyargs, given.vararg, given.kwarg]
        self._scope.parameters = {one.arg for one in every if one is not None}
        for statement in node.body if isinstance(node.body, list) else [node.body]:
            self.visit(statement)
        self._scope = outer


def _is_seen(name: str, owner: FunctionNames, scope: FunctionNames) -> bool:
    """Whether a variable of `owner` that `scope` uses may be another one at another time."""
    if isinstance(owner.node, ast.Lambda):
        return False
    if name in scope.stored:
        return True
    return owner.is_suspended and name in owner.stored
