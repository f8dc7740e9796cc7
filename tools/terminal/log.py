"""The log on stderr: warnings always, what happens when asked for; the trace is the record, this is not."""

from __future__ import annotations

import sys

from loguru import logger


def configure(verbose: bool) -> None:
    """Send warnings, or everything, to stderr."""
    logger.remove()
    logger.add(sys.stderr, level="DEBUG" if verbose else "WARNING", format="{level}: {message}", backtrace=False)
