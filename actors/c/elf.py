"""The one door to pyelftools, which only C needs: `pip install 'stopmarker[c]'`."""

from __future__ import annotations

from io import BytesIO
from pathlib import Path
from typing import Any

from .errors import CompileError

try:
    from elftools.elf.elffile import ELFFile
except ImportError:
    ELFFile = None  # type: ignore[assignment,misc]


def require() -> None:
    """CompileError without pyelftools."""
    if ELFFile is None:
        raise CompileError("look into C: pyelftools is not installed; `pip install 'stopmarker[c]'` brings it")


def opened(path: Path) -> Any:
    """An object or an image, to look into; CompileError without pyelftools."""
    require()
    return ELFFile(BytesIO(path.read_bytes()))
