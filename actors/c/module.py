"""C files as a scenario uses them: `c_module(...)`, then `load(world)`, then threads and calls."""

from __future__ import annotations

import sys
from collections.abc import Callable, Coroutine, Generator, Mapping, Sequence
from pathlib import Path
from typing import Any

from actors.runtime.step import Resource, Step, operation
from actors.runtime.world import Cpu, World

from .compiler import CompileError, image_of
from .image import STACK, STACKS, THREADS, Image
from .places import Places

_READ, _WRITE, _ATOMIC, _CALL, _DONE = range(5)
_VERBS = ("load", "store", "rmw")
_PAGE = 4096
_WORD = 8
_images: dict[Path, Image] = {}


class CModule:
    """C files that are compiled when a world first needs them."""

    def __init__(self, files: Sequence[Path], **options: Any) -> None:
        self._files = files
        self._options = options

    def load(self, world: World) -> Code:
        """The code for one world: its statics as they were linked."""
        path = image_of(self._files, **self._options)
        image = _images.get(path)
        if image is None:
            image = _images[path] = Image(path)
        image.enter()
        return Code(world, image)


class Code:
    """The code of one world; its functions can be called, or be actors."""

    def __init__(self, world: World, image: Image) -> None:
        self._world = world
        self._image = image
        self._places = Places(image.path)
        self._threads = 0
        self._begin = image.function("c_begin", 4)
        self._resume = image.function("c_resume", 1)

    def call(self, name: str, *arguments: int) -> int:
        """Call a function now, as no step: before the race begins, or from a property."""
        result: int = self._image.function(name, len(arguments))(*arguments)
        return result

    def thread(self, name: str, *arguments: int) -> Callable[[Cpu], Coroutine[Any, Any, None]]:
        """An actor's main function that is the C function `name`."""
        number = self._threads
        self._threads += 1
        if number >= THREADS:
            raise CompileError(f"thread {name}: a world has at most {THREADS} threads of C")
        function, low = self._image.address(name), STACKS + number * STACK + _PAGE
        padded = [*arguments, 0, 0, 0, 0, 0, 0][:6]

        async def main(cpu: Cpu) -> None:
            self._begin(number, function, low, STACKS + (number + 1) * STACK)
            await self._run(number)

        del padded
        return main

    @operation
    def _run(self, number: int) -> Generator[Step, int, None]:
        resume, stop, known = self._resume, self._image.stop, self._world.session.known
        while (kind := resume(number)) != _DONE:
            key = ("c", kind, stop.address, stop.size, stop.pc)
            yield known.get(key) or self._world.session.remember(key, self._step(kind, stop.address, stop.size, stop.pc))

    def _step(self, kind: int, address: int, size: int, pc: int) -> Step:
        words: tuple[Resource, ...] = tuple(
            [("c", word) for word in range(address // _WORD, (address + size - 1) // _WORD + 1)]
        )
        mask = self._world.session.footprint(words)
        what = f"{_VERBS[kind]} {self._places.name(address)} at {self._places.line(pc)}"
        return Step(what, mask if kind == _READ else 0, 0 if kind == _READ else mask)


def c_module(
    *files: str,
    include: Sequence[str] = (),
    defines: Mapping[str, str | int] | None = None,
    flags: Sequence[str] = (),
    compiler: str | None = None,
) -> CModule:
    """C files beside the Python file that calls this, to be compiled when a world first needs them.

    `include` are folders of headers, `flags` options of the compiler instead of `-O1`.
    """
    folder = Path(sys._getframe(1).f_code.co_filename).resolve().parent
    return CModule(
        [folder / file for file in files],
        include=[folder / each for each in include],
        defines=defines,
        flags=flags,
        compiler=compiler,
    )
