"""C files as a scenario uses them: `c_module(...)`, then `load(world)`, then threads and calls."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from actors.runtime.runs.running import Phase, entered
from actors.runtime.world import SC, World

from .announcing import images
from .code import Code as Code
from .compiler import image_of
from .errors import CompileError
from .image import Image, control


class CModule:
    """C files that are compiled when a world first needs them."""

    def __init__(self, files: Sequence[Path], **options: Any) -> None:
        self.files = tuple(files)
        self._options = options
        self._path: str | None = None

    def load(self, world: World) -> Code:
        """The code for one world: its heap empty, its statics as its constructors leave them, or as they were linked.

        CompileError if there is no code, or if it is a kernel tree's, whose barriers are not known, and memory is not
        sequentially consistent; CFault if a constructor does what it must not.
        """
        if world.memory_model != SC and self._options.get("tree"):
            raise CompileError(
                f"C over a kernel tree runs on sequentially consistent memory, not on {world.memory_model}"
            )
        image = self._image()
        image.enter()
        control().weak = world.memory_model != SC
        code = Code(world, image)
        for constructor in image.constructors:
            code.begin_with(constructor)
        return code

    def _image(self) -> Image:
        if self._path is None:
            with entered(Phase.OUTSIDE):  # a compiler looks at clocks, and nothing of it comes back
                path = image_of(self.files, **self._options)
            self._path = str(path)
            if self._path not in images:
                images[self._path] = Image(path)
        return images[self._path]


def file_of(file: Path, name: str, tree: Path | None) -> Path:
    """The file, or that of the tree of this name."""
    return tree / name if tree is not None and not file.exists() and (tree / name).exists() else file


def c_module(
    *files: str,
    include: Sequence[str] = (),
    defines: Mapping[str, str | int] | None = None,
    flags: Sequence[str] = (),
    compiler: str | None = None,
    tree: str | None = None,
) -> CModule:
    """C files beside the Python file that calls this, to be compiled when a world first needs them.

    `include` are folders of headers, `flags` options of the compiler instead of `-O1`. `tree` is a kernel's source
    tree, or an installed package of its headers: the files include what is there, and a file that is not here is its.
    """
    folder = Path(sys._getframe(1).f_code.co_filename).resolve().parent
    tree_at = folder / tree if tree is not None else None
    return CModule(
        [file_of(folder / file, file, tree_at) for file in files],
        tree=tree_at,
        include=[folder / each for each in include],
        defines=defines,
        flags=flags,
        compiler=compiler,
    )
