"""Compares assembled code with what the compiler wrote: nothing may be missing, unknown or unannounced.

The calls are put into assembly text; here what came of it is read back from a disassembler, which knows nothing of
how. The same text is assembled without the calls too. Both must be the same instructions in the same order, and jump
to the same of them; each must be known to touch no memory but what it names, and to do the same in every run; and one
that touches memory, other than the stack's own (`push`, `call`, …), has its call right before it, with the same
address.
"""

from __future__ import annotations

import re
from collections.abc import Container, Sequence
from itertools import zip_longest

from .disassembly import Disassembled, code_of
from .operands import is_determined

_SAVED = 16
"""Bytes that the flags and %rax take on the stack while an address is computed."""
_STRING = re.compile(r"(?:(rep) )?(?:movs([bwlq])|stos %(al|ax|eax|rax)),? ?%")
_LETTER = {"al": "b", "ax": "w", "eax": "l", "rax": "q"}
Group = list[Disassembled]
"""Lines that do nothing, calls that announce an instruction, and last that instruction."""
Starts = dict[tuple[str, int], int]
"""Where a group may be entered, by section and address: its number."""


class HiddenInstruction(ValueError):
    """An instruction that is lost, not known or not announced: its line, itself, and which of these."""


def look_through(plain: str, announced: str) -> None:
    """HiddenInstruction unless the second disassembly is the first with each access announced."""
    before = {section: _groups(lines, has_calls=False) for section, lines in code_of(plain).items()}
    after = {section: _groups(lines, has_calls=True) for section, lines in code_of(announced).items()}
    starts, starts_after = _starts(before), _starts(after)
    for section in {**before, **after}:
        for known, group in zip_longest(before.get(section, []), after.get(section, [])):
            if known is None:
                raise HiddenInstruction(f"{group[-1]}: the compiler wrote no such instruction")
            line = known[-1]
            string = _string_call(line)
            if not string and not is_determined(line.text):
                raise HiddenInstruction(f"{line} is not supported: it may do more than it says")
            wanted = ("call", (string, 0)) if string else _meaning(section, line, starts, before)
            if group is None or _meaning(section, group[-1], starts_after, after) != wanted:
                raise HiddenInstruction(f"{line} is lost")
            if not _is_announced(group):
                raise HiddenInstruction(f"{line}: nothing announces its access")


def _groups(lines: Sequence[Disassembled], *, has_calls: bool) -> list[Group]:
    """Each instruction, behind what does nothing and the calls that announce it: they stand within saved flags.

    The call that takes the place of a string instruction stands there too.
    """
    groups, group, is_call = list[Group](), Group(), False
    for line in lines:
        group.append(line)
        if has_calls and line.text == "pushf":
            is_call = True
        elif is_call and line.text == "popf":
            is_call = False
            if _names(group[-3:][0]).startswith("string_"):
                groups.append(group[:-2])
                group = []
        elif not is_call and not line.is_no_operation:
            groups.append(group)
            group = []
    return [*groups, group] if group and not group[-1].is_no_operation else groups


def _names(line: Disassembled) -> str:
    """What an instruction names first, such as the function that it calls."""
    return line.relocations[0][0] if line.relocations else ""


def _starts(code: dict[str, list[Group]]) -> Starts:
    starts: Starts = {}
    for section, groups in code.items():
        for number, group in enumerate(groups):
            for line in group:
                starts[section, line.address] = number
                if not line.is_no_operation:
                    break
    return starts


def _meaning(section: str, line: Disassembled, starts: Starts, sections: Container[str]) -> tuple[object, ...]:
    """What an instruction does, whatever the addresses of code are; code that it names must be a group's start."""
    named = [*line.relocations, *(((section, line.aim),) if line.aim is not None else ())]
    meant = []
    for name, behind in named:
        if name in sections and (name, behind) not in starts:
            raise HiddenInstruction(f"{line} goes to the middle of an instruction")
        meant.append((name, starts.get((name, behind), behind)))
    return line.text, *meant


def _string_call(line: Disassembled) -> str:
    """The function that takes the place of a string instruction; empty for any other."""
    match = _STRING.match(line.text)
    if match is None:
        return ""
    kind = f"movs{match[2]}" if match[2] else f"stos{_LETTER[match[3]]}"
    return f"string_{match[1] or 'once'}_{kind}"


def _is_announced(group: Group) -> bool:
    """Whether the lines before an instruction compute the address of its access, call, and put all back."""
    line = group[-1]
    if line.place is None:
        return True
    if len(group) < 7:
        return False
    flags, register, address, call, register_again, flags_again = group[-7:-1]
    frame = [each.text for each in (flags, register, call, register_again, flags_again)]
    if frame != ["pushf", "push %rax", "call", "pop %rax", "popf"] or not _names(call).startswith("access_"):
        return False
    if address.relocations != line.relocations[: len(address.relocations)] or address.aim != line.aim:
        return False
    return address.text in (f"lea {_shifted(line)},%rax", f"movabs ${line.place},%rax")


def _shifted(line: Disassembled) -> str:
    """The place of an instruction as it is while the flags and %rax are on the stack."""
    match = re.fullmatch(r"(-?0x[0-9a-f]+)?\(%rsp(.*)", line.place or "")
    if match is None:
        return line.place or ""
    moved = 8 if line.text.startswith("pop") else 0
    offset = int(match[1] or "0", 16) + _SAVED + moved
    return f"{hex(offset) if offset else ''}(%rsp{match[2]}"
