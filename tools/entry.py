"""Where the console command begins: Ctrl-C is quiet from here on, also while the rest is imported.

Nobody imports this module but the command, so who uses the library keeps Python's own Ctrl-C.
"""

from __future__ import annotations

# `signal` itself takes milliseconds to import, in which Ctrl-C would show a traceback.
import _signal  # type: ignore[import-not-found]  # Python's own, of which no stub tells
import os
from importlib import import_module

_INTERRUPTED = 130


def _end(*_: object) -> None:
    """There is nothing to keep yet, or nothing any more."""
    os._exit(_INTERRUPTED)


if _signal.getsignal(_signal.SIGINT) is _signal.default_int_handler:
    _signal.signal(_signal.SIGINT, _end)


def main() -> None:
    """The console command."""
    import_module("tools.cli").main()
