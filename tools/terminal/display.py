"""Which display of progress fits stderr."""

from __future__ import annotations

import sys
from importlib import import_module

from .progress import Describe, PlainProgress, Progress, sentence


def progress(describe: Describe = sentence) -> Progress:
    """The progress display that fits stderr; rich is loaded only where a terminal shows it."""
    if not sys.stderr.isatty():
        return PlainProgress(describe)
    made: Progress = import_module("tools.terminal.progress_rich").RichProgress(describe)
    return made
