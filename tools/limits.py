"""How much memory this process and its workers may hold: a model that allocates without bound ends, not the machine."""

from __future__ import annotations

import re
import resource
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from .exits import Refusal

NONE = "none"
_UNITS = {"K": 10, "M": 20, "G": 30, "T": 40}


def parse_memory(text: str) -> int | None:
    """The bytes of `512M`, `4G`; None for `none`; Refusal for anything else."""
    if text == NONE:
        return None
    match = re.fullmatch(r"(\d{1,6})([KMGT])", text.strip())
    size = int(match[1]) << _UNITS[match[2]] if match else 0
    if not size:
        raise Refusal(f"memory {text!r}: expected a number above 0 with a unit, such as 512M or 4G, or {NONE}")
    return size


@contextmanager
def memory_limit(size: int | None) -> Iterator[None]:
    """Inside the block this process, and what it starts, may hold `size` bytes of data each; then a MemoryError.

    A lower limit that somebody set before stays; where a system has no such limit there is none.
    """
    before = resource.getrlimit(resource.RLIMIT_DATA)
    limits = [limit for limit in (size, *before) if limit not in (None, resource.RLIM_INFINITY)]
    if size is not None and limits:
        with suppress(ValueError, OSError):
            resource.setrlimit(resource.RLIMIT_DATA, (min(limits), before[1]))
    try:
        yield
    finally:
        with suppress(ValueError, OSError):
            resource.setrlimit(resource.RLIMIT_DATA, before)
