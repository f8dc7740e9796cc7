"""Puts a call before every access to memory in a compiler's assembly, so that it is a scheduling point.

The call gets the address and what is done there (`access_read4`, …), keeps all registers and flags, and returns when
the access may be made. The access itself is the compiler's own instruction, behind it. Each instruction that touches
memory other than by `push`, `pop`, `call` and `ret` of its own stack has one. Further calls say that a function whose
frame others may come to begins and ends, that the address of its frame is taken, and that a jump goes back.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from .operands import UnknownInstruction, is_string, memory_use, split_operands

_INSTRUCTION = re.compile(
    r"(?:(lock|rep|repz|repe|repnz|repne|notrack|bnd)(?:\s*;\s*|\s+))?([a-z][a-z0-9]*)(?:\s+(.*))?$"
)
_LABEL = re.compile(r"([.\w$]+):\s*(.*)$")
_FUNCTION = re.compile(r"\.type\s+([.\w$]+),\s*[@%]function")
_LINE = re.compile(r"\.loc\s+(\d+)\s+(\d+)")
_FILE = re.compile(r'\.file\s+(\d+)\s+(?:"([^"]*)"\s+)?"([^"]*)"')
_SAVED = 16
"""Bytes that the flags and %rax take on the stack while the address is computed."""
_JUMP = re.compile(r"j[a-z]+$")
_ODD = re.compile(
    r"(loop(n?[ez])?|jr?cxz|iretq?|sysretq?|lret[qwl]?|enter|xlatb?|pushf\w*|popf\w*|std|in[bwl]?|out[bwl]?)$"
)
"""What no compiler writes and nobody here has thought about."""


class UninstrumentedLine(ValueError):
    """A line that cannot be instrumented: its place in the source, and why."""


def instrument(assembly: str, source: str) -> str:
    """The assembly with a call before each access; UninstrumentedLine for what nobody knows how to announce."""
    files: dict[str, str] = {}
    place, out = source, list[str]()
    lines = list(_lines(assembly))
    function = _Function(())
    for number, line in enumerate(lines):
        if match := _FILE.match(line):
            files[match[1]] = match[3].rpartition("/")[2]
        elif match := _LINE.match(line):
            place = f"{files.get(match[1], source)}:{match[2]}"
        elif match := _FUNCTION.match(line):
            function = _Function(_body(lines, number, match[1]))
        try:
            out += function.announced(line)
        except UnknownInstruction as problem:
            raise UninstrumentedLine(f"{place}: {problem}") from None
    return "\n".join(out) + "\n"


def _lines(assembly: str) -> Iterator[str]:
    """One statement each, without white space and comments; a label stands by itself."""
    for whole in assembly.splitlines():
        line = whole.strip()
        if line.startswith(("#", "/")) or not line:
            continue
        if '"' in line:
            yield line
            continue
        for part in _statements(line.partition("#")[0]):
            while match := _LABEL.match(part):
                yield f"{match[1]}:"
                part = match[2]
            if part:
                yield part


def _statements(line: str) -> list[str]:
    """What `;` separates, but for a prefix and its instruction."""
    return [part.strip() for part in re.split(r"(?<!\block)(?<!\brep)(?<!\brep[ze])(?<!\brepn[ze])\s*;", line)]


def _body(lines: Sequence[str], start: int, name: str) -> Sequence[str]:
    """The lines of a function."""
    end = start
    while end < len(lines) and not re.match(rf"\.size\s+{re.escape(name)},", lines[end]):
        end += 1
    return lines[start:end]


def _parsed(line: str) -> tuple[str, str, list[str]] | None:
    """Prefix, mnemonic and operands of an instruction; None for a label or a directive."""
    if line.startswith(".") or line.endswith(":"):
        return None
    match = _INSTRUCTION.match(line)
    if match is None:
        raise UnknownInstruction(f"`{line}` is not understood")
    return match[1] or "", match[2], split_operands(match[3] or "")


class _Function:
    """One function: whether its frame's address is taken, and what has come of it so far."""

    def __init__(self, body: Sequence[str]) -> None:
        instructions = [line for line in body if not line.startswith(".") and not line.endswith(":")]
        self._prologue = 0
        """Instructions before the frame is one."""
        if [re.sub(r"\s+", " ", line) for line in instructions[:2]] == ["pushq %rbp", "movq %rsp, %rbp"]:
            self._prologue = 2
        self._count = 0
        self._labels = set[str]()
        self._frame = ("%rsp", "%rbp") if self._prologue else ("%rsp",)
        self._is_known = any(
            self._exposes(number, line) for number, line in enumerate(instructions) if _INSTRUCTION.match(line)
        )

    def _exposes(self, number: int, line: str) -> bool:
        """Whether an instruction takes the address of something in the frame."""
        if number < self._prologue:
            return False
        parsed = _parsed(line)
        if parsed is None:
            return False
        _, mnemonic, operands = parsed
        if mnemonic in ("push", "pushq", "pop", "popq", "leave", "ret") and operands != ["%rsp"]:
            return False
        if not operands or operands[-1] == "%rsp":
            return False
        sources = operands[:-1]
        if mnemonic.startswith("lea"):
            return any(re.search(rf"{register}\b", sources[0]) for register in self._frame)
        if operands[-1] in self._frame and mnemonic.startswith(("pop", "mov")):
            return any(operand in self._frame for operand in sources)
        return any(operand in self._frame for operand in operands)

    def announced(self, line: str) -> Iterator[str]:
        """A line, with the calls before it."""
        parsed = _parsed(line)
        if parsed is None:
            if line.endswith(":"):
                self._labels.add(line[:-1])
            yield line if line.endswith(":") else f"\t{line}"
            return
        prefix, mnemonic, operands = parsed
        if _ODD.match(mnemonic):
            raise UnknownInstruction(f"{mnemonic} is not supported")
        if self._is_known:
            if not self._count:
                yield from _kept("call\tframe_enter")
            if self._exposes(self._count, line):
                yield from _kept("call\tframe_expose")
            if mnemonic in ("ret", "retq"):
                yield from _kept("call\tframe_end")
        self._count += 1
        if _JUMP.match(mnemonic):
            yield from self._jump(mnemonic, operands)
        if is_string(mnemonic, operands):
            yield _string(prefix, mnemonic)
            return
        use = memory_use("lock" if prefix == "lock" else "", mnemonic, operands)
        if use is not None:
            if ":" in use.operand:
                raise UnknownInstruction(f"{mnemonic} {use.operand}: a segment is not supported")
            if mnemonic.startswith(("push", "pop")) and "%rsp" in use.operand:
                raise UnknownInstruction(f"{mnemonic} {use.operand}: the stack pointer moves within it")
            far = mnemonic.startswith("movabs")  # an address of 64 bits, which no other instruction can hold
            place = f"movabsq\t${use.operand}, %rax" if far else f"leaq\t{_shifted(use.operand, _SAVED)}, %rax"
            yield from _kept(place, f"call\taccess_{use.access.value}{use.size}")
        yield f"\t{line}"

    def _jump(self, mnemonic: str, operands: Sequence[str]) -> Iterator[str]:
        """A jump back is counted; one that leaves the function is refused: the compiler was told not to write any."""
        target = operands[0] if operands else ""
        if target.startswith("*") or target in self._labels or re.fullmatch(r"\d+b", target):
            yield from _kept("call\tblock_back")
        elif not re.fullmatch(r"\.L\w+|\d+f", target):
            raise UnknownInstruction(f"{mnemonic} {target} leaves the function")


def _kept(*instructions: str) -> Iterator[str]:
    """Instructions after which %rax and the flags are as before."""
    yield "\tpushfq"
    yield "\tpushq\t%rax"
    yield from (f"\t{each}" for each in instructions)
    yield "\tpopq\t%rax"
    yield "\tpopfq"


def _shifted(operand: str, by: int) -> str:
    """An operand as it is when the stack pointer is `by` bytes lower."""
    match = re.fullmatch(r"([^()]*)\(%rsp(,.*)?\)", operand)
    return f"{match[1] + '+' if match[1] else ''}{by}(%rsp{match[2] or ''})" if match else operand


def _string(prefix: str, mnemonic: str) -> str:
    """A string instruction becomes a call that does the same, element by element."""
    if prefix not in ("", "rep") or not mnemonic.startswith(("movs", "stos")):
        raise UnknownInstruction(f"{prefix} {mnemonic} is not supported".strip())
    return f"\tcall\tstring_{prefix or 'once'}_{mnemonic}"
