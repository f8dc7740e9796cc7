"""Reading files that strangers may have named or made: regular ones, up to a size; and stdin."""

from __future__ import annotations

import errno
import os
import select
from collections.abc import Callable
from pathlib import Path
from stat import S_ISREG

_STDIN = 0
_PATIENCE = 0.2
"""Seconds until somebody may say that nobody waits for stdin any more."""


def read_regular(path: Path, most: int) -> bytes:
    """The bytes of a regular file; OSError for a device, a FIFO and the like, and for more than `most` bytes."""
    # A FIFO would keep us waiting, were it opened to be waited for.
    with os.fdopen(os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC), "rb") as file:
        if not S_ISREG(os.fstat(file.fileno()).st_mode):
            raise OSError(errno.EINVAL, "it is no regular file")
        data = file.read(most + 1)
    if len(data) > most:
        raise OSError(errno.EFBIG, f"it has {_too_many(most)}")
    return data


def read_stdin(most: int, check: Callable[[], None]) -> bytes:
    """All that comes on stdin; OSError for more than `most` bytes. `check` is called at times, and may raise."""
    data = bytearray()
    while True:
        check()
        if not select.select([_STDIN], [], [], _PATIENCE)[0]:
            continue
        part = os.read(_STDIN, most + 1 - len(data))
        if not part:
            return bytes(data)
        data += part
        if len(data) > most:
            raise OSError(errno.EFBIG, f"it has {_too_many(most)}")


def _too_many(most: int) -> str:
    return f"more than {most:,} bytes, the most that is read"
