"""A kernel's source tree, or an installed package of its headers: how a compiler comes to its own headers.

All under `linux/` is the tree's. What an architecture has to say (`asm/*.h`) and what a build makes (a configuration,
the version) stand in the folder `tree` here; what they leave out is the tree's own `asm-generic`.
"""

from __future__ import annotations

import re
from contextlib import suppress
from pathlib import Path

from .errors import CompileError

LAYER = Path(__file__).resolve().parent / "tree"
WALKED = (LAYER / "kernel_waiting.c",)
"""What is compiled as if it were the user's: each of its accesses is a step."""
PLAIN = (LAYER / "primitives.c", LAYER / "memory.c")
"""Primitives that announce what they do."""
_DIALECT = (
    "-nostdinc",
    "-fms-extensions",
    "-fshort-wchar",
    "-funsigned-char",
    "-fno-delete-null-pointer-checks",
    "-Wno-pointer-sign",
    "-Wno-attributes",
    "-D__KERNEL__",
    "-D__DISABLE_EXPORTS",
)
"""How a kernel is compiled; nobody links its modules."""
_FIRST = ("linux/compiler-version.h", "linux/kconfig.h", "linux/compiler_types.h")
"""What a kernel's build includes before all else, where there is such a file."""


def options(tree: Path, generic: Path) -> list[str]:
    """What a compiler is told so that files of a kernel tree find its headers; CompileError if it is none.

    `generic` is a folder that this may fill with links.
    """
    include = tree / "include"
    if not (include / "linux" / "kernel.h").is_file():
        raise CompileError(f"read kernel tree {tree}: there is no include/linux/kernel.h in it")
    version, level = _version(tree)
    _link(generic / "kernel" / "asm", include / "asm-generic")
    _link(generic / "user" / "asm", include / "uapi" / "asm-generic")
    folders = (
        LAYER / "include",
        LAYER / "include" / "generated" / "uapi",
        generic / "kernel",
        include,
        include / "uapi",
        generic / "user",
        tree,
    )
    return [
        *_DIALECT,
        f"-DC_TREE_VERSION={version}",
        f"-DC_TREE_PATCHLEVEL={level}",
        *(part for folder in folders for part in ("-I", str(folder))),
        *(part for name in _FIRST if (include / name).is_file() for part in ("-include", str(include / name))),
    ]


def of_file(file: Path) -> list[str]:
    """What a kernel's build says of each file by itself."""
    return [f'-DKBUILD_{what}="{file.stem}"' for what in ("MODNAME", "BASENAME", "MODFILE")]


def _version(tree: Path) -> tuple[int, int]:
    """The first two numbers of the kernel's version, as its Makefile says them."""
    makefile = tree / "Makefile"
    text = makefile.read_text(encoding="utf-8") if makefile.is_file() else ""
    numbers = [re.search(rf"^{name} = (\d+)$", text, re.MULTILINE) for name in ("VERSION", "PATCHLEVEL")]
    if not all(numbers):
        raise CompileError(f"read kernel tree {tree}: its Makefile says no VERSION and PATCHLEVEL")
    return tuple(int(number[1]) for number in numbers if number)  # type: ignore[return-value]


def _link(place: Path, target: Path) -> None:
    """Have a link there; another process may be faster."""
    place.parent.mkdir(parents=True, exist_ok=True)
    with suppress(FileExistsError):
        place.symlink_to(target)
