"""Whose code a trace may run: a trace, token or checkpoint can name any file, and to replay it is to run that file.

So a scenario file is run for them only if this user has run this very content before (by its name, on a command line),
or says so now. What was run is remembered as a list of digests in the user's state folder.
"""

from __future__ import annotations

import hashlib
import os
from contextlib import suppress
from pathlib import Path

from ..terminal.exits import Refusal
from .own_file import Sources, sources_of

_SEPARATOR = "::"
_run: dict[str, str] = {}
"""Digests of the scenario files that this process has loaded, by their paths."""


def is_file(scenario: str) -> bool:
    """Whether a scenario's name means a file of the user's, not a shipped scenario."""
    return _SEPARATOR in scenario or scenario.endswith((".py", ".c"))


def digest(sources: Sources) -> str:
    """The digest of a scenario file and of the modules beside it, wherever their folder is."""
    whole = hashlib.sha256()
    folder = next(iter(sources)).parent
    for path in sorted(sources):
        text = sources[path].encode("utf-8", "replace")
        whole.update(f"{Path(os.path.relpath(path, folder)).as_posix()} {len(text)}\n".encode() + text)
    return whole.hexdigest()


def remember(path: str, sources: Sources) -> None:
    """This user runs this content, which this process calls `path`; where nothing can be kept, nothing is."""
    known, new = _known(), digest(sources)
    _run[path] = new
    if new not in known:
        with suppress(OSError, RuntimeError):
            _store().parent.mkdir(parents=True, exist_ok=True)
            with _store().open("a", encoding="ascii") as file:
                file.write(f"{new}\n")


def source_of(scenario: str) -> str:
    """The digest of what this process runs for a scenario file; "" for a shipped one, which belongs to a version."""
    return _run.get(scenario.partition(_SEPARATOR)[0], "")


def check(scenario: str, trusted: bool, what: str) -> None:
    """Refusal if `what` (a trace, a token, …) would run a scenario file that this user has not run before."""
    if not trusted and is_file(scenario):
        path = scenario.partition(_SEPARATOR)[0]
        if digest(sources_of(path)) not in _known():
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
