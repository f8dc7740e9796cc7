"""The files that a scenario of one's own is made of: its own, and the modules beside it that it imports."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path


def sources(file: Path) -> Iterator[tuple[str, bytes]]:
    """Names and texts of a scenario's file and, one through the other, of what it imports from its own folder.

    What is imported by other means than a statement is not known. OSError if the file cannot be read.
    """
    folder, waiting, known = file.parent, [file], {file}
    while waiting:
        path = waiting.pop()
        text = path.read_bytes()
        yield path.relative_to(folder).as_posix(), text
        for name in _imported(text):
            found = [one for one in _files(folder, name) if one not in known]
            known.update(found)
            waiting += found


def _imported(text: bytes) -> list[str]:
    try:
        tree = ast.parse(text)
    except (SyntaxError, ValueError):
        return []
    names: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names.update(alias.name.partition(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            names.update([node.module.partition(".")[0]] if node.module else [alias.name for alias in node.names])
    return sorted(names)


def _files(folder: Path, name: str) -> list[Path]:
    """The module of that name, or all modules of that package."""
    return [path for path in (folder / f"{name}.py", *sorted((folder / name).rglob("*.py"))) if path.is_file()]
