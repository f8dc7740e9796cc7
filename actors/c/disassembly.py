"""The code of an object as a disassembler (`objdump -dlr --no-show-raw-insn`) writes it."""

from __future__ import annotations

import re
from dataclasses import dataclass

_SECTION = re.compile(r"Disassembly of section (.*):$")
_SOURCE = re.compile(r"(\S.*):(\d+)(?: \(discriminator \d+\))?$")
_RELOCATION = re.compile(r"\s+([0-9a-f]+): R_X86_64_(\w+)\s+(\S+?)([+-]0x[0-9a-f]+)?$")
_LINE = re.compile(r"\s+([0-9a-f]+):\s(.*)$")
_AIM = re.compile(r"(?:# |\b(?:call|j[a-z]+) )(?:0x)?([0-9a-f]+)(?: <|$)")
_NO_OPERATION = re.compile(r"(?:(?:data16|cs) )*(?:nop|xchg %ax,%ax)")
_NO_ACCESS = re.compile(r"lea |prefetch")
_OPERAND = re.compile(r"(?:%\ws:)?(?:-?0x[0-9a-f]+)?\([^)]*\)")
_ABSOLUTE = re.compile(r"(?:^|[ ,*])((?:%\ws:)?0x[0-9a-f]+)(?:,|$)")


@dataclass(slots=True)
class Disassembled:
    """An instruction of a section."""

    address: int
    text: str
    """Without what names a place in code, and with one space after each word."""
    aim: int | None
    """The place in its section that it names, such as where it jumps to."""
    relocations: tuple[tuple[str, int], ...]
    """What it names otherwise: symbols, or sections, and how many bytes behind."""
    source: str
    """`file.c:12`, if it is known."""

    def __str__(self) -> str:
        names = ", ".join(name for name, _ in self.relocations)
        return f"{self.source or hex(self.address)}: `{self.text}`{f' ({names})' if names else ''}"

    @property
    def is_no_operation(self) -> bool:
        """Whether it does nothing, such as what fills a gap."""
        return bool(_NO_OPERATION.match(self.text))

    @property
    def place(self) -> str | None:
        """The place in memory that it touches; None if there is none, besides the stack's own."""
        if self.is_no_operation or _NO_ACCESS.match(self.text):
            return None
        if match := _OPERAND.search(self.text):
            return match[0]
        match = _ABSOLUTE.search(self.text)
        return match[1] if match else None


def code_of(listing: str) -> dict[str, list[Disassembled]]:
    """The instructions of a listing, by section."""
    code: dict[str, list[Disassembled]] = {}
    found = list[Disassembled]()
    source = ""
    waiting: list[tuple[int, str, str, int]] = []
    for text in listing.splitlines():
        if match := _RELOCATION.match(text):
            waiting.append((int(match[1], 16), match[2], match[3], int(match[4] or "0", 16)))
        elif match := _LINE.match(text):
            _resolve(found, waiting, int(match[1], 16))
            found.append(_line(int(match[1], 16), match[2], source))
        elif match := _SECTION.match(text):
            _resolve(found, waiting, None)
            found, source = code.setdefault(match[1], []), ""
        elif match := _SOURCE.match(text):
            source = f"{match[1].rpartition('/')[2]}:{match[2]}"
    _resolve(found, waiting, None)
    return code


def _line(address: int, text: str, source: str) -> Disassembled:
    plain = re.sub(r"\s+", " ", text).strip()
    aim = _AIM.search(plain)
    if aim is not None:
        plain = re.sub(r"\b(call|j[a-z]+) (?:0x)?[0-9a-f]+( <.*)?$", r"\1", plain.partition(" #")[0])
        plain = re.sub(r"(-?0x[0-9a-f]+)?\(%rip\)", "(%rip)", plain)
    return Disassembled(address, plain.partition(" <")[0].strip(), int(aim[1], 16) if aim else None, (), source)


def _resolve(found: list[Disassembled], waiting: list[tuple[int, str, str, int]], end: int | None) -> None:
    """Give the last instruction, which ends there, its relocations; those that count from its end are resolved."""
    if waiting:
        relocations = []
        for at, kind, name, behind in waiting:
            is_relative = kind.startswith(("PC", "PLT", "GOTPC", "REX_GOTPC"))
            relocations.append((name, behind + (at + 4 if end is None else end) - at if is_relative else behind))
            if is_relative:
                found[-1].aim = None
        found[-1].relocations = tuple(relocations)
        waiting.clear()
