"""Which accesses of a compiler's assembly are marked: volatile, atomic or of inline assembly; all others are plain.

Assembly does not say so. But gcc writes, if asked (`-dP`), before each instruction what it was made of, where a place
in memory that is volatile has `/v`. Here that becomes a statement, `.marked 1` or `.marked 0`, wherever it changes.
"""

from __future__ import annotations

from collections.abc import Iterator

MARKED = ".marked 1"
PLAIN = ".marked 0"
_INSTRUCTION = ("#(insn", "#(jump_insn", "#(call_insn", "#(debug_insn", "#(code_label", "#(note")
_VOLATILE = "(mem/v"
_BARRIER = "(mem/v:BLK (scratch"
"""Of no instruction at all."""


def marked(assembly: str) -> str:
    """The assembly without these comments, with statements in their place."""
    return "\n".join(_marked(assembly.split("\n"))) + "\n"


def _marked(lines: list[str]) -> Iterator[str]:
    is_marked, said, is_inline = False, False, False
    for line in lines:
        if line.startswith(_INSTRUCTION):
            is_marked = False
        if line.startswith("#"):
            is_inline = line.startswith("#APP") or (is_inline and not line.startswith("#NO_APP"))
            is_marked |= _VOLATILE in line.replace(_BARRIER, "")
            continue
        if (is_marked or is_inline) != said:
            said = not said
            yield MARKED if said else PLAIN
        yield line
