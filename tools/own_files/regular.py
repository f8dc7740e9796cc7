"""Reading files that strangers may have named or made: regular ones, up to a size."""

from __future__ import annotations

import errno
import os
from pathlib import Path
from stat import S_ISREG


def read_regular(path: Path, most: int) -> bytes:
    """The bytes of a regular file; OSError for a device, a FIFO and the like, and for more than `most` bytes."""
    # A FIFO would keep us waiting, were it opened to be waited for.
    with os.fdopen(os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC), "rb") as file:
        if not S_ISREG(os.fstat(file.fileno()).st_mode):
            raise OSError(errno.EINVAL, "it is no regular file")
        data = file.read(most + 1)
    if len(data) > most:
        raise OSError(errno.EFBIG, f"it has more than {most:,} bytes, the most that is read")
    return data
