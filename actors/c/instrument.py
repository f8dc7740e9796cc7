"""Puts a call before every access to memory in a compiler's assembly, so that it is a scheduling point.

The call gets the address and what is done there (`access_read4`, …), keeps all registers and flags, and returns when
the access may be made. The access itself is the compiler's own instruction, behind it. Each instruction that touches
memory other than by `push`, `pop`, `call` and `ret` of its own stack has one. Further calls say that a function whose
frame others may come to begins and ends, that the address of its frame is taken, that a jump goes back, and that the
stack pointer may be elsewhere.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from .assembly import Instruction, parsed, statements
from .marks import MARKED, PLAIN
from .operands import Access, UnknownInstruction, is_memory, is_string, memory_use

_FUNCTION = re.compile(r"\.type\s+([.\w$]+),\s*[@%]function")
_LINE = re.compile(r"\.loc\s+(\d+)\s+(\d+)")
_FILE = re.compile(r'\.file\s+(\d+)\s+(?:"([^"]*)"\s+)?"([^"]*)"')
_SAVED = 16
"""Bytes that the flags and %rax take on the stack while the address is computed."""
_JUMP = re.compile(r"j[a-z]+$")
_PROLOGUE = (Instruction("", "pushq", ("%rbp",)), Instruction("", "movq", ("%rsp", "%rbp")))


class UninstrumentedLine(ValueError):
    """A line that cannot be instrumented: its place in the source, and why."""


def instrument(assembly: str, source: str) -> str:
    """The assembly with a call before each access; UninstrumentedLine for what nobody knows how to announce.

    Which accesses are marked is said by the statements of `marks`.
    """
    lines = list(_placed(assembly, source))
    function, out, mark = _Function(()), list[str](), ""
    for number, (place, line, instruction) in enumerate(lines):
        if match := _FUNCTION.match(line):
            function = _Function(_body(lines, number, match[1]))
        if instruction is None:
            if line in (MARKED, PLAIN):
                mark = "marked_" if line == MARKED else ""
            else:
                out.append(function.passed(line))
            continue
        try:
            out += function.announced(line, instruction, mark)
        except UnknownInstruction as problem:
            raise UninstrumentedLine(f"{place}: {problem}") from None
    return "\n".join(out) + "\n"


Placed = tuple[str, str, Instruction | None]


def _placed(assembly: str, source: str) -> Iterator[Placed]:
    """The statements, each with its place in the source, and with the instruction that it is."""
    files: dict[str, str] = {}
    place = source
    try:
        for line in statements(assembly):
            if match := _FILE.match(line):
                files[match[1]] = match[3].rpartition("/")[2]
            elif match := _LINE.match(line):
                place = f"{files.get(match[1], source)}:{match[2]}"
            yield place, line, parsed(line)
    except UnknownInstruction as problem:
        raise UninstrumentedLine(f"{place}: {problem}") from None


def _body(lines: Sequence[Placed], start: int, name: str) -> list[Instruction]:
    """The instructions of a function."""
    body = list[Instruction]()
    for _, line, instruction in lines[start:]:
        if re.match(rf"\.size\s+{re.escape(name)}\s*,", line):
            break
        if instruction is not None:
            body.append(instruction)
    return body


class _Function:
    """One function: whether its frame's address is taken, and what has come of it so far."""

    def __init__(self, body: Sequence[Instruction]) -> None:
        self._prologue = 2 if tuple(body[:2]) == _PROLOGUE else 0
        """Instructions before the frame is one."""
        self._count = 0
        self._labels = set[str]()
        self._loads_stack = False
        """Whether an instruction took the stack pointer from memory, since the last label."""
        self._frame = ("%rsp", "%rbp") if self._prologue else ("%rsp",)
        self._is_known = any(self._exposes(number, each) for number, each in enumerate(body))

    def _exposes(self, number: int, instruction: Instruction) -> bool:
        """Whether an instruction takes the address of something in the frame."""
        mnemonic, operands = instruction.mnemonic, instruction.operands
        if number < self._prologue:
            return False
        if mnemonic in ("push", "pushq", "pop", "popq", "leave", "ret") and operands != ("%rsp",):
            return False
        if not operands or operands[-1] == "%rsp":
            return False
        sources = operands[:-1]
        if mnemonic.startswith("lea"):
            return any(re.search(rf"{register}\b", sources[0]) for register in self._frame)
        if operands[-1] in self._frame and mnemonic.startswith(("pop", "mov")):
            return any(operand in self._frame for operand in sources)
        return any(operand in self._frame for operand in operands)

    def passed(self, line: str) -> str:
        """A line that is no instruction."""
        if not line.endswith(":"):
            return f"\t{line}"
        self._labels.add(line[:-1])
        self._loads_stack = False
        return line

    def announced(self, line: str, instruction: Instruction, mark: str) -> Iterator[str]:
        """An instruction, with the calls before it; `mark` is "marked_" or nothing."""
        prefix, mnemonic, operands = instruction.prefix, instruction.mnemonic, instruction.operands
        if self._is_known:
            if not self._count:
                yield from _kept("call\tframe_enter")
            if self._exposes(self._count, instruction):
                yield from _kept("call\tframe_expose")
            if raised := _raised(mnemonic, operands):
                yield from _kept(raised, "call\tframe_shrink")
            if mnemonic in ("ret", "retq"):
                yield from _kept("call\tframe_end")
        self._count += 1
        if _JUMP.match(mnemonic):
            yield from self._jump(mnemonic, operands)
        self._loads_stack |= mnemonic.startswith("mov") and operands[-1:] == ("%rsp",) and is_memory(operands[0])
        if is_string(mnemonic, operands):
            yield from _kept(_string(prefix, mnemonic))
            return
        use = memory_use("lock" if prefix == "lock" else "", mnemonic, operands)
        if use is not None:
            if ":" in use.operand:
                raise UnknownInstruction(f"{mnemonic} {use.operand}: a segment is not supported")
            far = mnemonic.startswith("movabs")  # an address of 64 bits, which no other instruction can hold
            moved = _SAVED + 8 * mnemonic.startswith("pop")  # its address counts from where the stack is behind it
            place = f"movabsq\t${use.operand}, %rax" if far else f"leaq\t{_shifted(use.operand, moved)}, %rax"
            how = f"{mark}{use.access.value}" if use.access is not Access.ATOMIC else "atomic"
            if how == "atomic" and mnemonic.startswith("cmpxchg"):
                how = "compare"
            yield from _kept(place, f"call\taccess_{how}{use.size}")
        yield f"\t{line}"
        if _moves_stack(mnemonic, operands):
            yield from _kept("call\tstack_moved")

    def _jump(self, mnemonic: str, operands: Sequence[str]) -> Iterator[str]:
        """A jump back is counted; one that leaves the function is refused: the compiler was told not to write any."""
        target = operands[0] if operands else ""
        if target.startswith("*") and self._loads_stack:
            raise UnknownInstruction("longjmp leaves the function")
        if target.startswith("*") or target in self._labels or re.fullmatch(r"\d+b", target):
            yield from _kept("call\tblock_back")
        elif not re.fullmatch(r"\.L\w+|\d+f", target):
            raise UnknownInstruction(f"{mnemonic} {target} leaves the function")


def _moves_stack(mnemonic: str, operands: Sequence[str]) -> bool:
    """Whether the stack pointer may be anywhere afterwards: what is pushed there would be no access to anybody."""
    if mnemonic.startswith(("cmp", "test", "push")) or not operands or operands[0].startswith("$"):
        return False
    return operands[-1] == "%rsp" or (mnemonic.startswith("x") and "%rsp" in operands)


def _raised(mnemonic: str, operands: Sequence[str]) -> str:
    """What computes to %rax where the stack ends behind an instruction that may give some of it up; or nothing.

    Whoever knows a place there must hear of it before: below its pointer a stack is overwritten.
    """
    if mnemonic in ("leave", "leaveq"):
        return "leaq\t8(%rbp), %rax"
    if mnemonic in ("pop", "popq"):
        return f"leaq\t{_SAVED + 8}(%rsp), %rax"
    if not operands or operands[-1] != "%rsp":
        return ""
    if match := re.fullmatch(r"\$(\d+)", operands[0]):
        return f"leaq\t{int(match[1]) + _SAVED}(%rsp), %rax" if mnemonic in ("add", "addq") else ""
    if match := re.fullmatch(r"\$-(\d+)", operands[0]):
        return f"leaq\t{int(match[1]) + _SAVED}(%rsp), %rax" if mnemonic in ("sub", "subq") else ""
    if mnemonic in ("mov", "movq", "lea", "leaq"):
        return f"{mnemonic}\t{_shifted(operands[0], _SAVED)}, %rax"
    return ""


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
    return f"call\tstring_{prefix or 'once'}_{mnemonic}"
