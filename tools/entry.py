"""Where the console command begins: Ctrl-C is quiet from here on, also while the rest is imported.

Nobody imports this module but the command, so who uses the library keeps Python's own Ctrl-C.
"""

from __future__ import annotations

import os
import signal
from importlib import import_module
from types import FrameType

_INTERRUPTED = 130


def _end(signal_number: int, frame: FrameType | None) -> None:
    """There is nothing to keep yet, or nothing any more."""
    os._exit(_INTERRUPTED)


if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
    signal.signal(signal.SIGINT, _end)


def main() -> None:
    """The console command."""
    import_module("tools.cli").main()
