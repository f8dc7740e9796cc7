"""A file that a user wrote: executed once, together with the modules beside it that it imports.

A module beside the file (`my_helpers.py`, or a package) is found before an installed one of that name, for this file
and its siblings only; the standard library and our own packages are never hidden by one. Neither `sys.path` nor another
file's modules of the same names are touched, and no byte code is read or left behind.
"""

from __future__ import annotations

import ast
import builtins
import linecache
import re
import sys
import zlib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from functools import lru_cache
from importlib.util import find_spec
from pathlib import Path
from types import ModuleType
from typing import Any

from actors.runtime.primitives.snapshots import USERS
from actors.runtime.runs.running import Phase, UndeterminedCall, entered

from ..terminal.exits import Refusal
from .guards import MARK, OWN, guarded_datetime, install, own_names
from .module_state import ModuleState
from .regular import read_regular
from .understood import not_understood
from .visible import visible

MOST_BYTES = 1 << 20
"""The largest source file that is read."""
Sources = dict[Path, str]
"""The texts of a user's file and of its siblings."""
_NEVER = sys.stdlib_module_names | OWN
"""What no sibling hides."""
_loaded: dict[tuple[str, Path], OwnFile] = {}


class OwnFile:
    """A user's file and its siblings as modules; `state` puts them back to what they were when they were loaded."""

    def __init__(self, path: str, sources: Sources) -> None:
        file = Path(path)
        self.sources = sources
        self.state = ModuleState()
        self._folder = file.parent
        self._names = own_names(self._import)
        self._prefix = f"{USERS}{file.stem}_{zlib.crc32(str(file.resolve()).encode()):08x}"
        self.module = ModuleType(self._prefix)
        self._modules = {file.stem: self.module}
        self.not_understood = self._not_understood()
        """What of its texts nobody knows what it looks at; empty if all is known."""
        try:
            self._execute(self.module, file, package="")
        except (Exception, SystemExit) as error:
            raise Refusal(f"load {path}: {one_line(error, path)}{where(error)}") from error

    @property
    def modules(self) -> tuple[ModuleType, ...]:
        """The file's module and those beside it that were imported so far."""
        return tuple(self._modules.values())

    def _not_understood(self) -> str:
        tops = {path.stem for path in self.sources} | {path.parent.name for path in self.sources}
        for path, text in self.sources.items():
            if path.suffix == ".py":
                with suppress(SyntaxError, ValueError):  # told when it is executed
                    found = not_understood(ast.parse(text), tops)
                    if found is not None:
                        return f"{found} of {path.name}"
        return ""

    def _execute(self, module: ModuleType, file: Path, package: str) -> None:
        """Run a file as this module; compiled here, so that no stale byte code is ever used or left behind."""
        vars(module).update(__file__=str(file), __builtins__=self._names, __package__=package)
        sys.modules[module.__name__] = module  # dataclasses look their module up
        linecache.checkcache(str(file))
        text = self.sources.get(file)
        tree = visible(file.read_text(encoding="utf-8") if text is None else text, str(file))
        code = compile(tree, str(file), "exec")
        with entered(Phase.LOADING):
            exec(code, vars(module))
        self.state.add(module, code)

    def _import(
        self,
        name: str,
        namespace: Mapping[str, Any] | None = None,
        local: Mapping[str, Any] | None = None,
        wanted: Sequence[str] = (),
        level: int = 0,
    ) -> Any:
        """What `import` does in a user's module."""
        if level:
            name = _absolute(name, str((namespace or {}).get("__package__") or ""), level)
        elif not self._is_sibling(name.partition(".")[0]):
            if name == "datetime":
                return guarded_datetime()
            return builtins.__import__(name, namespace, local, wanted, level)
        module = self._module(name)
        for item in getattr(module, "__all__", ()) if "*" in (wanted or ()) else wanted or ():
            if not hasattr(module, item) and find(self._folder, f"{name}.{item}") is not None:
                self._module(f"{name}.{item}")
        return module if wanted else self._module(name.partition(".")[0])

    def _is_sibling(self, top: str) -> bool:
        return top in self._modules or find(self._folder, top) is not None

    def _module(self, name: str) -> ModuleType:
        """The sibling of that dotted name, executed when it is first asked for."""
        above, _, last = name.rpartition(".")
        holder = self._module(above) if above else None
        module = self._modules.get(name)
        if module is None:
            file = find(self._folder, name)
            if file is None:
                raise ModuleNotFoundError(f"No module named {name!r}", name=name)
            module = self._modules[name] = ModuleType(f"{self._prefix}.{name}")
            try:
                self._run(module, name, file)
            except BaseException:
                del self._modules[name]
                raise
        if holder is not None:
            setattr(holder, last, module)
        return module

    def _run(self, module: ModuleType, name: str, file: Path) -> None:
        if file.name == "__init__.py":
            module.__path__ = [str(file.parent)]
            self._execute(module, file, name)
        elif file.is_dir():  # a package without a file of its own
            module.__path__ = [str(file)]
            vars(module).update(__package__=name)
        else:
            self._execute(module, file, name.rpartition(".")[0])


def load(path: str) -> OwnFile:
    """The user's file `path`, executed again only if it or a module beside it was changed; Refusal if it cannot be."""
    install()
    texts = sources_of(path)
    key = (path, Path(path).resolve())
    known = _loaded.get(key)
    if known is None or known.sources != texts:
        known = _loaded[key] = OwnFile(path, texts)
    return known


def loaded(path: str) -> OwnFile:
    """The user's file `path` as it was loaded last, whatever became of it since; loaded now if it never was."""
    return _loaded.get((path, Path(path).resolve())) or load(path)


def sources_of(path: str) -> Sources:
    """The texts of a user's file and of all modules beside it that it can import; Refusal if the file is no text."""
    file = Path(path)
    found: Sources = {}
    if file.suffix == ".c":
        for one in map(Path, path.split(",")):
            found[one] = _text_of(one)
            for included in _included(found[one]):
                _add_c(found, one.parent / included)
        return found
    try:
        found[file] = read_regular(file, MOST_BYTES).decode("utf-8")
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or one_line(error, path)
        raise Refusal(f"read {path}: {reason}") from None
    waiting = [(file, "")]
    while waiting:
        origin, package = waiting.pop()
        for name in _c_files(found[origin]):
            _add_c(found, origin.parent / name)
        for name in _imported(found[origin], package):
            for part in _prefixes(name):
                sibling = find(file.parent, part) if part.partition(".")[0] not in _NEVER else None
                if sibling is not None and sibling.is_file() and sibling not in found:
                    found[sibling] = _text_of(sibling)
                    waiting.append((sibling, part if sibling.name == "__init__.py" else part.rpartition(".")[0]))
    return found


def _c_files(text: str) -> Iterator[str]:
    """The files of C that a text may mean."""
    return (match[1] for match in re.finditer(r"""["']([^"'\n]+\.c)["']""", text))


def _add_c(found: Sources, file: Path) -> None:
    """A file of C, and those beside it that it includes."""
    if not file.is_file() or file in found:
        return
    found[file] = _text_of(file)
    for included in _included(found[file]):
        _add_c(found, file.parent / included)


def _included(text: str) -> list[str]:
    """The files beside it that a file of C includes."""
    return re.findall(r'^\s*#\s*include\s*"([^"]+)"', text, re.MULTILINE)


def _text_of(sibling: Path) -> str:
    """The text of a module beside the file; what is no text fails when it is imported, if it ever is."""
    try:
        return read_regular(sibling, MOST_BYTES).decode("utf-8", "replace")
    except (OSError, ValueError) as error:
        raise Refusal(f"read {sibling}: {getattr(error, 'strerror', None) or error}") from None


def find(folder: Path, name: str) -> Path | None:
    """The file of a sibling module, or the folder of a package without a file of its own."""
    if name.partition(".")[0] in _NEVER or not all(part.isidentifier() for part in name.split(".")):
        return None
    place = folder.joinpath(*name.split("."))
    for file in (place / "__init__.py", place.with_name(f"{place.name}.py")):
        if file.is_file():
            return file
    if place.is_dir() and any(place.glob("*.py")) and find_spec(name.partition(".")[0]) is None:
        return place
    return None


def one_line(error: BaseException, path: str = "") -> str:
    """What an exception says, without line breaks; of a syntax error the line, and the file if it is not `path`."""
    if isinstance(error, SyntaxError):
        other = "" if error.filename in (path, str(Path(path)), None) else f"{Path(error.filename).name}, "
        return f"SyntaxError: {error.msg} ({other}line {error.lineno})"
    text = " ".join(str(error).split())
    return f"{type(error).__name__}: {text}" if text else type(error).__name__


def where(error: BaseException) -> str:
    """The innermost line of a user's file that an exception passed through; of any file if it passed through none."""
    places = [(MARK in trace.tb_frame.f_builtins, trace) for trace in _traces(error)]
    chosen = [trace for users, trace in places if users] or [trace for _, trace in places]
    if not chosen or isinstance(error, SyntaxError | UndeterminedCall):  # they say it themselves
        return ""
    return f" ({Path(chosen[-1].tb_frame.f_code.co_filename).name}, line {chosen[-1].tb_lineno})"


def _traces(error: BaseException) -> Iterator[Any]:
    trace = error.__traceback__
    while trace is not None:
        yield trace
        trace = trace.tb_next


def _absolute(name: str, package: str, level: int) -> str:
    parts = package.split(".") if package else []
    if not parts:
        raise ImportError("attempted relative import with no known parent package")
    if level > len(parts):
        raise ImportError("attempted relative import beyond top-level package")
    base = ".".join(parts[: len(parts) - level + 1])
    return f"{base}.{name}" if name else base


@lru_cache(64)
def _imported(text: str, package: str) -> tuple[str, ...]:
    """The dotted names that a text imports, and what it imports from them, which may be modules too."""
    try:
        tree = ast.parse(text)
    except (SyntaxError, ValueError):
        return ()
    found: list[str] = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            with suppress(ImportError):
                name = _absolute(node.module or "", package, node.level) if node.level else node.module or ""
                found += [f"{name}.{alias.name}" for alias in node.names]
    return tuple(found)


def _prefixes(name: str) -> list[str]:
    parts = name.split(".")
    return [".".join(parts[: length + 1]) for length in range(len(parts))]
