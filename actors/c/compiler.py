"""From C files to an image: compiled to assembly, instrumented, assembled, linked at a fixed address; once a content.

The result is kept in the user's cache folder under a digest of sources, headers, flags, compiler and of what makes it.
"""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from platform import machine, system
from typing import NamedTuple

from . import kernel_tree, missing
from .elf import require
from .errors import CompileError
from .instrument import UninstrumentedLine, instrument
from .marks import MARKED, marked
from .object_code import HiddenInstruction, look_through
from .startup import refuse_endings

IMAGE = 0x2000_0000
"""Where every image begins: below all that a Python program has, and within reach of 32-bit addresses."""
_HERE = Path(__file__).resolve().parent
_COMPILERS = ("cc", "gcc", "clang")
_FREESTANDING = (
    "-std=gnu11",
    "-g",
    "-ffreestanding",
    "-fno-builtin",
    "-fno-strict-aliasing",
    "-fno-pic",
    "-fno-pie",
    "-fno-stack-protector",
    "-fno-asynchronous-unwind-tables",
    "-fcf-protection=none",
    "-mgeneral-regs-only",
    "-mno-red-zone",
    "-fno-optimize-sibling-calls",
    "-fno-jump-tables",
    "-fno-common",
)
"""No library, no vector registers (a copy of 16 bytes would be one access), nothing below the stack pointer; a jump out
of a function would end its frame unseen, and each global has a place of its own."""
_KIND = {
    "gcc": ("-fno-reorder-blocks-and-partition", "-fno-ipa-icf", "-dP"),
    "clang": ("-Wno-unused-command-line-argument",),
}
_PLAIN = ("-c", "-O2", *(each for each in _FREESTANDING if each != "-g"))
"""How the runtime is compiled, which announces what it does by itself."""
_OURS = tuple(
    f"{name}.c"
    for name in ("runtime", "memory", "faults", "locks", "primitives", "works", "readers", "interrupts", "names")
)
_MOST_TEXT = 1 << 20
"""Bytes of code, so that its place is part of a step's key."""
_SECONDS = 120.0
_ENGLISH = {**os.environ, "LC_ALL": "C"}
"""So that what a compiler says is the same everywhere."""


@dataclass(frozen=True, slots=True)
class Compiler:
    """A C compiler: its path, its kind, and its version in its own words."""

    path: str
    kind: str
    version: str


def find_compiler(asked: str | None = None) -> Compiler:
    """The compiler named `asked`, else the first of cc, gcc and clang that is installed; CompileError otherwise."""
    if (system(), machine()) != ("Linux", "x86_64"):
        raise CompileError(f"run C as actors on {system()} {machine()}: Linux on x86_64 is the only platform so far")
    for name in (asked,) if asked else _COMPILERS:
        path = shutil.which(name)
        if path is not None:
            return _identified(path)
    tried = asked or ", ".join(_COMPILERS)
    raise CompileError(f"find a C compiler: none of {tried} is installed; C scenarios need one, all others do not")


def why_not() -> str:
    """Why C cannot be run here, in a line; empty if it can."""
    try:
        find_compiler()
        require()
    except CompileError as problem:
        return str(problem)
    return ""


@cache
def _identified(path: str) -> Compiler:
    version = _output([path, "--version"], f"run {path}").split("\n")[0]
    return Compiler(path, "clang" if "clang" in version else "gcc", version)


def image_of(
    files: Sequence[Path],
    *,
    include: Sequence[Path] = (),
    defines: Mapping[str, str | int] | None = None,
    flags: Sequence[str] = (),
    compiler: str | None = None,
    tree: Path | None = None,
) -> Path:
    """The image of some C files, made now or kept from before; CompileError with one line otherwise.

    With `tree`, a kernel's source tree or an installed package of its headers, they include what that kernel has.
    """
    chosen = find_compiler(compiler)
    headers = ["-I", str(_HERE / "include")] if tree is None else _tree_options(tree.resolve())
    options = [
        *_FREESTANDING,
        *_KIND[chosen.kind],
        *(flags or ("-O1",)),
        *(f"-D{name}={value}" for name, value in (defines or {}).items()),
        *(part for folder in include for part in ("-I", str(folder))),
        *headers,
    ]
    parts = [_Part(file, [*options, *(kernel_tree.of_file(file) if tree else ())]) for file in files]
    if tree is None:
        return _kept(chosen, parts, [])
    parts += [_Part(file, [*options, *kernel_tree.of_file(file)]) for file in kernel_tree.WALKED]
    # A kernel's headers are many, and stay as they are while a process runs.
    known = repr((chosen, parts, [(file.stat().st_mtime_ns, file.stat().st_size) for file in files if file.exists()]))
    if known not in _made:
        _made[known] = _kept(chosen, parts, headers)
    return _made[known]


def _kept(chosen: Compiler, parts: Sequence[_Part], headers: Sequence[str]) -> Path:
    """The image of these files, made now if it is not there."""
    texts = [_preprocessed(chosen, part) for part in parts]
    told = [word for part in parts for word in part.options]
    image = _cache_folder() / f"{_key(chosen.version, *told, *texts, *_makers())}.image"
    if not image.exists():
        image.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=image.parent) as folder:
            _make(chosen, parts, headers, Path(folder)).replace(image)
    return image


_made: dict[str, Path] = {}
"""The images over a kernel tree that this process has asked for, by all that was said."""


class _Part(NamedTuple):
    """A file and what the compiler is told about it."""

    file: Path
    options: list[str]


def _tree_options(tree: Path) -> list[str]:
    generic = _cache_folder() / f"{_key(str(tree))}.tree"
    return kernel_tree.options(tree, generic)


def _makers() -> Iterator[str]:
    """What an image depends on besides the user's files: this package."""
    for file in sorted(_HERE.rglob("*")):
        if file.suffix in (".py", ".c", ".h"):
            yield file.read_text(encoding="utf-8")


def _cache_folder() -> Path:
    given = os.environ.get("XDG_CACHE_HOME")
    return (Path(given) if given else Path.home() / ".cache") / "stopmarker"


def _preprocessed(compiler: Compiler, part: _Part) -> str:
    return _output([compiler.path, "-E", *part.options, str(part.file)], f"preprocess {part.file.name}")


def _make(compiler: Compiler, parts: Sequence[_Part], headers: Sequence[str], folder: Path) -> Path:
    """Compile, instrument, assemble and link in `folder`; the image there."""
    users = [_object(compiler, *part, folder / str(number)) for number, part in enumerate(parts)]
    ours = _kernel(compiler)
    for source in kernel_tree.PLAIN if headers else ():
        ours.append(_ours(compiler, source, folder / f"{source.stem}.ours.o", [*headers, *kernel_tree.of_file(source)]))
    stubs = folder / "missing.s"
    stubs.write_text(missing.stubs(users, ours, tells_marks=compiler.kind == "gcc"), encoding="utf-8")
    _output([compiler.path, "-c", str(stubs), "-o", f"{stubs}.o"], "assemble stubs")
    image, objects = folder / "image", [*map(str, ours), f"{stubs}.o", *map(str, users)]
    place = [f"-Ttext-segment={IMAGE:#x}", "-z", "noexecstack", "-z", "separate-code", "-e", "c_resume"]
    _output(["ld", "-static", "-no-pie", "--no-warn-rwx-segments", *place, *objects, "-o", str(image)], "link")
    return image


def _kernel(compiler: Compiler) -> list[Path]:
    """The objects of the runtime, made once."""
    sources = [_HERE / "kernel" / name for name in _OURS]
    home = _cache_folder() / f"{_key(compiler.version, *_PLAIN, *_makers())}.kernel"
    if not home.exists():
        home.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=home.parent) as folder:
            made = Path(folder) / "made"
            made.mkdir()
            for source in sources:
                _ours(compiler, source, made / f"{source.stem}.o")
            with suppress(OSError):  # another process was faster
                made.rename(home)
    return [home / f"{source.stem}.o" for source in sources]


def _ours(compiler: Compiler, source: Path, made: Path, headers: Sequence[str] = ()) -> Path:
    """An object of the runtime; what the user's files define takes the place of what it does."""
    _output([compiler.path, *_PLAIN, *headers, str(source), "-o", str(made)], f"compile {source.name}")
    _output(["objcopy", "--weaken", str(made)], f"weaken {source.name}")
    return made


def _key(*parts: str) -> str:
    whole = hashlib.sha256()
    for part in parts:
        whole.update(f"{len(part)}\n{part}".encode())
    return whole.hexdigest()[:32]


def _object(compiler: Compiler, file: Path, options: Sequence[str], made: Path) -> Path:
    """One of the user's files as an instrumented object."""
    assembly, announced = made.with_suffix(".plain.s"), made.with_suffix(".s")
    plain, found = made.with_suffix(".plain.o"), made.with_suffix(".o")
    _output([compiler.path, "-S", *options, str(file), "-o", str(assembly)], f"compile {file.name}")
    try:
        written = assembly.read_text(encoding="utf-8")
        marks = marked(written) if compiler.kind == "gcc" else f"{MARKED}\n{written}"
        announced.write_text(instrument(marks, file.name), encoding="utf-8")
    except UninstrumentedLine as problem:
        raise CompileError(f"instrument {problem}") from None
    for text, code in ((assembly, plain), (announced, found)):
        _output([compiler.path, "-c", str(text), "-o", str(code)], f"assemble {file.name}")
    listings = [
        _output(["objdump", "-dlr", "--no-show-raw-insn", str(each)], f"look through {file.name}")
        for each in (plain, found)
    ]
    try:
        look_through(*listings)
    except HiddenInstruction as problem:
        raise CompileError(f"look through the code of {problem}") from None
    refuse_endings(found, file.name)
    return found


def _output(words: Sequence[str], what: str) -> str:
    """What a tool prints; CompileError with its first error otherwise."""
    try:
        done = subprocess.run(words, capture_output=True, text=True, timeout=_SECONDS, check=False, env=_ENGLISH)
    except (OSError, subprocess.TimeoutExpired) as error:
        raise CompileError(f"{what}: {error}") from None
    if done.returncode:
        raise CompileError(f"{what}: {_first_error(done.stderr) or f'exit code {done.returncode}'}")
    return done.stdout


def _first_error(text: str) -> str:
    lines = [line.strip() for line in text.splitlines()]
    errors = [line for line in lines if re.search(r"\berror:|undefined reference", line, re.IGNORECASE)]
    return (errors or [line for line in lines if line] or [""])[0]
