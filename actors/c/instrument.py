"""Puts a call before every access to memory in a compiler's assembly, so that it is a scheduling point.

The call gets the address and what is done there (`access_read4`, …), keeps all registers and flags, and returns when the
access may be made. The access itself is the compiler's own instruction, behind it. Each instruction that touches memory
other than by `push`, `pop`, `call` and `ret` of its own stack has one; the object code is audited for that afterwards.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from .operands import Access, UnknownInstruction, is_string, memory_use, split_operands

_INSTRUCTION = re.compile(r"^\t(?:(lock|rep|repz|repe|repnz|repne|notrack)[ ;]\s*)?([a-z][a-z0-9]*)(?:\s+(.*))?$")
_LINE = re.compile(r"^\t\.loc\s+(\d+)\s+(\d+)")
_FILE = re.compile(r'^\t\.file\s+(\d+)\s+(?:"([^"]*)"\s+)?"([^"]*)"')
_SAVED = 16
"""Bytes that the flags and %rax take on the stack while the address is computed."""
_OWN = ("access_", "string_", "__tsan_", "block_")
"""Calls of the runtime's: they are not the user's accesses."""


class UninstrumentedLine(ValueError):
    """A line that cannot be instrumented: its place in the source, and why."""


def instrument(assembly: str, source: str) -> str:
    """The assembly with a call before each access; UninstrumentedLine for what nobody knows how to announce."""
    files: dict[str, str] = {}
    place = source
    out: list[str] = []
    for line in assembly.splitlines():
        if match := _FILE.match(line):
            files[match[1]] = match[3]
        elif match := _LINE.match(line):
            place = f"{files.get(match[1], source)}:{match[2]}"
        try:
            out += _announced(_without_comment(line))
        except UnknownInstruction as problem:
            raise UninstrumentedLine(f"{place}: {problem}") from None
    return "\n".join(out) + "\n"


def _without_comment(line: str) -> str:
    """A line without what follows a `#`, unless that is within a text."""
    return line if '"' in line or "#" not in line else line.partition("#")[0].rstrip()


def _announced(line: str) -> Iterator[str]:
    match = _INSTRUCTION.match(line)
    if match is None:
        if line.startswith("\t") and line.strip() and not line.startswith("\t."):
            raise UnknownInstruction(f"`{line.strip()}` is not understood")
        yield line
        return
    prefix, mnemonic, operands = match[1] or "", match[2], split_operands(match[3] or "")
    if is_string(mnemonic, operands):
        yield from _string(prefix, mnemonic)
        return
    use = memory_use(prefix, mnemonic, operands)
    if use is not None:
        if ":" in use.operand:
            raise UnknownInstruction(f"{mnemonic} {use.operand}: a segment is not supported")
        if mnemonic.startswith(("push", "pop")) and "%rsp" in use.operand:
            raise UnknownInstruction(f"{mnemonic} {use.operand}: the stack pointer moves within it")
        yield from _call(use.access, use.size, use.operand)
    yield line


def _call(access: Access, size: int, operand: str) -> Iterator[str]:
    yield "\tpushfq"
    yield "\tpushq\t%rax"
    yield f"\tleaq\t{_shifted(operand, _SAVED)}, %rax"
    yield f"\tcall\taccess_{access.value}{size}"
    yield "\tpopq\t%rax"
    yield "\tpopfq"


def _shifted(operand: str, by: int) -> str:
    """An operand as it is when the stack pointer is `by` bytes lower."""
    match = re.fullmatch(r"([^()]*)\(%rsp(,.*)?\)", operand)
    return f"{match[1] + '+' if match[1] else ''}{by}(%rsp{match[2] or ''})" if match else operand


def _string(prefix: str, mnemonic: str) -> Iterator[str]:
    """A string instruction becomes a call that does the same, element by element."""
    repeated = {"": "once", "rep": "rep", "repz": "repe", "repe": "repe", "repnz": "repne", "repne": "repne"}[prefix]
    yield f"\tcall\tstring_{repeated}_{mnemonic}"
