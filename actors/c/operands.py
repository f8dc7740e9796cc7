"""What an x86-64 instruction does with memory, read from a line of GNU assembly (AT&T syntax).

A compiler's assembly is the last text in which every access stands, in its order and with its size; so this is where
accesses are announced. What is not known here is refused, never passed over.
"""

from __future__ import annotations

import enum
import re
from collections.abc import Sequence
from dataclasses import dataclass


class Access(enum.Enum):
    """How an instruction uses its memory operand."""

    READ = "read"
    WRITE = "write"
    MODIFY = "modify"
    """Read, then written: another CPU may come between."""
    ATOMIC = "atomic"
    """Read and written with the bus locked: nobody comes between."""


@dataclass(frozen=True, slots=True)
class MemoryUse:
    """One access: how, of how many bytes, and the operand as it stands in the text."""

    access: Access
    size: int
    operand: str


class UnknownInstruction(ValueError):
    """An instruction with a memory operand of which this module does not know what it does."""


_SUFFIX = {"b": 1, "w": 2, "l": 4, "q": 8}
_BYTE = {"al", "bl", "cl", "dl", "ah", "bh", "ch", "dh", "sil", "dil", "bpl", "spl"}
_CONDITION = r"(?:n?[abcegloszp]e?|n?[abgl]e?|p[eo]|nz|nc|no|np|ns)"
_READ_LAST = r"cmp|test|bt"
_MODIFIES = r"add|sub|and|or|xor|adc|sbb|inc|dec|neg|not|shl|shr|sar|sal|rol|ror|rcl|rcr|bts|btr|btc|shld|shrd"
_READS = r"imul|mul|idiv|div|bsf|bsr|tzcnt|lzcnt|popcnt|push"
_WIDENS = re.compile(r"mov[sz]([bwl])[wlq]$|movs([l])q$")
_BRANCH = re.compile(r"call|jmp|j[a-z]+$")
_NO_ACCESS = re.compile(r"(lea[lqw]?|nop[wlq]?|prefetch\w+|ud2)$")
_STRING = re.compile(r"(movs|stos|lods|cmps|scas)[bwlq]$")


_PREFIXED = re.compile(r"(?:lock |(?:notrack |bnd )(?=call|jmp)|repz (?=ret))?(\w+)(?: (.*))?$")
_KNOWN = re.compile(
    rf"(?:(?:mov|movabs|xchg|xadd|cmpxchg|cmpxchg8b|bswap|push|pop|lea|{_READ_LAST}|{_READS}|{_MODIFIES})[bwlq]?"
    rf"|mov[sz][bwl][wlq]|movslq|movz[bw]|(?:set|cmov|j){_CONDITION}[wlq]?|c[bl]t[wdlq]|cwt[ld]|cqto|call|jmp|ret|leave"
    r"|andn|bextr|bls(?:i|msk|r)|bzhi|mulx|pdep|pext|rorx|sarx|shlx|shrx|adcx|adox"
    r"|nop|endbr64|pause|[lms]fence|prefetch\w+|clc|stc|cmc|cld|ud2)$"
)
"""What compilers write for C without vectors and floating point. Each touches no memory but what it names, changes
no state but general registers and flags, and does the same in every run."""
_GENERAL = re.compile(r"%(?:[re]?(?:[abcd]x|[sd]i|[sb]p)|[abcd][lh]|(?:[sd]i|[sb]p)l|r(?:[89]|1[0-5])[bwd]?|rip)\b")


def is_determined(text: str) -> bool:
    """Whether an instruction, as a disassembler writes it, touches what it names only, and does the same each time."""
    match = _PREFIXED.match(text)
    return bool(match and _KNOWN.match(match[1]) and "%" not in _GENERAL.sub("", match[2] or ""))


def split_operands(text: str) -> list[str]:
    """The operands of an instruction, at the commas outside of parentheses."""
    parts, depth, part = [], 0, ""
    for character in text:
        depth += (character == "(") - (character == ")")
        if character == "," and not depth:
            parts.append(part.strip())
            part = ""
        else:
            part += character
    return [*parts, part.strip()] if part.strip() else parts


def is_memory(operand: str) -> bool:
    """Whether an operand of other than a branch is a place in memory."""
    return not operand.startswith(("$", "%")) or bool(re.match(r"%[c-g]s:", operand))


def memory_use(prefix: str, mnemonic: str, operands: Sequence[str]) -> MemoryUse | None:
    """The access of an instruction that is no string instruction; None if it has none besides its own stack.

    `prefix` is "lock" or nothing.
    """
    if _NO_ACCESS.match(mnemonic):
        return None
    if _BRANCH.match(mnemonic):
        indirect = operands[0].removeprefix("*") if operands and operands[0].startswith("*") else "%"
        return MemoryUse(Access.READ, 8, indirect) if is_memory(indirect) else None
    places = [place for place, operand in enumerate(operands) if is_memory(operand)]
    if not places:
        return None
    if len(places) > 1:
        raise UnknownInstruction(f"{mnemonic} {', '.join(operands)}: two places in memory")
    place = places[0]
    if re.fullmatch(r"bt[src]?[wlq]?", mnemonic) and operands[0].startswith("%"):
        raise UnknownInstruction(f"{mnemonic} {', '.join(operands)}: the bit's number says which word it touches")
    size, access = _size(mnemonic, operands, place), _access(prefix, mnemonic, place == len(operands) - 1)
    if size > 8:
        raise UnknownInstruction(f"{mnemonic} {', '.join(operands)}: it touches {size} bytes at once")
    return MemoryUse(access, size, operands[place])


def is_string(mnemonic: str, operands: Sequence[str]) -> bool:
    """Whether it is one of those that work on (%rsi) and (%rdi), such as `rep movsq`."""
    return bool(_STRING.match(mnemonic)) and (not operands or any("(%r" in each for each in operands))


def _access(prefix: str, mnemonic: str, is_last: bool) -> Access:
    base = mnemonic
    if re.fullmatch(r"xchg[bwlq]?", base):
        return Access.ATOMIC
    if re.fullmatch(r"(cmpxchg(8b|16b)?|xadd)[bwlq]?", base):
        return Access.ATOMIC if prefix == "lock" else Access.MODIFY
    if re.fullmatch(rf"({_READ_LAST}|{_READS})[bwlq]?", base) or re.fullmatch(rf"cmov{_CONDITION}[wlq]?", base):
        return Access.READ
    if re.fullmatch(rf"({_MODIFIES})[bwlq]?", base):
        if not is_last:
            return Access.READ
        return Access.ATOMIC if prefix == "lock" else Access.MODIFY
    if re.fullmatch(rf"set{_CONDITION}", base) or base in ("popq", "pop"):
        return Access.WRITE
    if re.fullmatch(r"mov(abs)?[bwlq]?", base):
        return Access.WRITE if is_last else Access.READ
    if _WIDENS.match(base):
        return Access.READ
    raise UnknownInstruction(f"{mnemonic}: it is not known what it does with memory")


def _size(mnemonic: str, operands: Sequence[str], place: int) -> int:
    widens = _WIDENS.match(mnemonic)
    if widens:
        return _SUFFIX[widens.group(1) or widens.group(2)]
    sized = re.fullmatch(rf"(?:{_READ_LAST}|{_READS}|{_MODIFIES}|mov|movabs|xchg|xadd|cmpxchg|pop)([bwlq])", mnemonic)
    if sized:
        return _SUFFIX[sized.group(1)]
    if mnemonic.startswith("set"):
        return 1
    if mnemonic == "cmpxchg16b":
        return 16
    if mnemonic == "cmpxchg8b":
        return 8
    registers = [operand for number, operand in enumerate(operands) if number != place and operand.startswith("%")]
    if registers:
        return _register_size(registers[-1][1:])
    if mnemonic[-1] in _SUFFIX:
        return _SUFFIX[mnemonic[-1]]
    raise UnknownInstruction(f"{mnemonic} {', '.join(operands)}: its size is not known")


def _register_size(name: str) -> int:
    if name in _BYTE or re.fullmatch(r"r\d+b", name):
        return 1
    if re.fullmatch(r"r\d+w|[a-d]x|[sd]i|[sb]p", name):
        return 2
    if re.fullmatch(r"r\d+d|e\w\w", name):
        return 4
    if re.fullmatch(r"r\d+|r\w\w", name):
        return 8
    raise UnknownInstruction(f"register %{name}: only general registers are known")
