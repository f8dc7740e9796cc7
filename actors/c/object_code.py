"""Looks through assembled code for accesses to memory that nothing announces: there must be none.

The calls are put into assembly text; here what came of it is read back from a disassembler, which knows nothing of
how. An access of the stack's own (`push`, `call`, …) is nobody else's; every other one has its call right before it,
with the same address.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

_LINE = re.compile(r"\s+([0-9a-f]+):\s+(.*?)\s*$")
_RELOCATION = re.compile(r"\s+[0-9a-f]+:\s+R_X86_64_\w+\s+(\S+)")
_HARMLESS = re.compile(r"(lea|nop|cs nop|data16|xchg +%ax,%ax|prefetch)")
_OPERAND = re.compile(r"(?:%\ws:)?(?:-?0x[0-9a-f]+)?\([^)]*\)")
_ABSOLUTE = re.compile(r"(?:^|[ ,*])(?:%\ws:)?(0x[0-9a-f]+)(?:,|$)")
_BRANCH = re.compile(r"(bnd |notrack )?(call|jmp|j[a-z]+)\s+(?![\s*])")


def unannounced(listing: str) -> str | None:
    """The first instruction of a disassembly (`objdump -dr`) whose access nothing announces; None if there is none."""
    before: list[tuple[str, str]] = []
    for address, instruction, symbol in _instructions(listing):
        place = _place(instruction)
        if place is not None and not _is_announced(before, place):
            return f"{address}: {instruction} {symbol}".rstrip()
        before = [*before[-3:], (instruction, symbol)]
    return None


def _instructions(listing: str) -> Iterator[tuple[str, str, str]]:
    """Address, text and relocation of each instruction."""
    waiting: tuple[str, str] | None = None
    symbol = ""
    for line in listing.splitlines():
        if match := _RELOCATION.match(line):
            symbol = symbol or match[1]
        elif match := _LINE.match(line):
            if waiting:
                yield *waiting, symbol
            waiting, symbol = (match[1], match[2].partition("#")[0].partition("<")[0].strip()), ""
    if waiting:
        yield *waiting, symbol


def _place(instruction: str) -> str | None:
    """The place in memory that an instruction touches, as the disassembler writes it; None if it touches none."""
    if _HARMLESS.match(instruction) or _BRANCH.match(instruction):
        return None
    match = _OPERAND.search(instruction) or _ABSOLUTE.search(instruction)
    return match[0].strip(" ,*") if match else None


def _is_announced(before: list[tuple[str, str]], place: str) -> bool:
    """Whether the four instructions before an access compute its address, call, and put back what that took."""
    if len(before) < 4:
        return False
    (lea, _), (call, target), (pop, _), (popf, _) = before
    if not (
        call.startswith("call") and target.startswith("access_") and pop == "pop    %rax" and popf.startswith("popf")
    ):
        return False
    if "(%rsp" in place:
        return "(%rsp" in lea
    return place.split("(")[-1] in lea or "(" not in place
