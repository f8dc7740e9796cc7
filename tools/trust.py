"""Whose code a trace may run: a trace, token or checkpoint can name any file, and to replay it is to run that file.

So a scenario file is run for them only if this user has run this very content before (by its name, on a command line),
or says so now. What was run is remembered as a list of digests in the user's state folder.
"""

from __future__ import annotations

import ast
import hashlib
import os
from contextlib import suppress
from pathlib import Path

from .exits import Refusal
from .regular import read_regular

MOST_BYTES = 1 << 20
"""The largest source file that is read."""
_SEPARATOR = "::"


def is_file(scenario: str) -> bool:
    """Whether a scenario's name means a file of the user's, not a shipped scenario."""
    return _SEPARATOR in scenario or scenario.endswith(".py")


def read_source(path: str) -> str:
    """The text of a scenario file; Refusal for what is no regular file of at most MOST_BYTES bytes in UTF-8."""
    try:
        return read_regular(Path(path), MOST_BYTES).decode("utf-8")
    except (OSError, ValueError) as error:
        raise Refusal(f"read {path}: {getattr(error, 'strerror', None) or error}") from None


def digest(path: str) -> str:
    """The digest of a scenario file and of all that it imports from its own folder; Refusal if it cannot be read."""
    sources = _sources(Path(path))
    whole = hashlib.sha256()
    for name in sorted(sources):
        text = sources[name].encode()
        whole.update(f"{name} {len(text)}\n".encode() + text)
    return whole.hexdigest()


def remember(path: str) -> None:
    """This user runs this content; where nothing can be kept, nothing is."""
    known, new = _known(), digest(path)
    if new not in known:
        with suppress(OSError):
            _store().parent.mkdir(parents=True, exist_ok=True)
            with _store().open("a", encoding="ascii") as file:
                file.write(f"{new}\n")


def check(scenario: str, trusted: bool, what: str) -> None:
    """Refusal if `what` (a trace, a token, …) would run a scenario file that this user has not run before."""
    if not trusted and is_file(scenario):
        path = scenario.partition(_SEPARATOR)[0]
        if digest(path) not in _known():
            raise Refusal(
                f"{what} would run {path}, which you have not run before as it is now: look at it, then add --trust"
            )


def _store() -> Path:
    state = os.environ.get("XDG_STATE_HOME")
    return (Path(state) if state else Path.home() / ".local" / "state") / "stopmarker" / "scenarios"


def _known() -> set[str]:
    try:
        return set(_store().read_text(encoding="ascii").split())
    except (OSError, ValueError, RuntimeError):
        return set()


def _sources(path: Path) -> dict[str, str]:
    """The text of a file, and of what it imports from its own folder, by their places in it."""
    folder, found, left = path.parent, {path.name: read_source(str(path))}, [path.name]
    while left:
        for file in _imported(found[left.pop()], folder):
            name = file.relative_to(folder).as_posix()
            if name not in found:
                found[name] = read_source(str(file))
                left.append(name)
    return found


def _imported(text: str, folder: Path) -> list[Path]:
    """The files of `folder` that a source imports; of a package all of its files."""
    try:
        tree = ast.parse(text)
    except (SyntaxError, ValueError):
        return []
    names: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            names |= {(node.module or alias.name).partition(".")[0] for alias in node.names}
    modules = [file for name in sorted(names) if (file := folder / f"{name}.py").is_file()]
    return modules + [file for name in sorted(names) for file in sorted((folder / name).rglob("*.py"))]
