"""The statements of a GNU assembly text (AT&T syntax, x86-64): without comments, a prefix with its instruction.

Compilers copy inline assembly as it stands, so all that the assembler understands may come here. What this module
does not understand it refuses: what were left out here would be left out of the program.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from .operands import UnknownInstruction, split_operands

_TOKEN = re.compile(
    r"""(?P<string>"(?:[^"\\]|\\.)*")|(?P<comment>/\*.*?\*/|\#[^\n]*)|(?P<odd>"|'|/\*)|(?P<end>[;\n])|[^"'\#/;\n]+|/""",
    re.DOTALL,
)
_LABEL = re.compile(r"([.\w$]+)\s*:(?!:)\s*")
_ASSIGNMENT = re.compile(r"[.\w$]+\s*==?")
_PREFIXES = r"lock|rep|repz|repe|repnz|repne|notrack|bnd"
_LONE_PREFIX = re.compile(rf"(?:{_PREFIXES})$")
_INSTRUCTION = re.compile(rf"(?:({_PREFIXES})\s+)?([a-z][a-z0-9]*)(?:\s+(.*))?$", re.DOTALL)
_ODD = {'"': "a string that does not end", "'": "a character's number", "/*": "a comment that does not end"}


@dataclass(frozen=True, slots=True)
class Instruction:
    """An instruction: its prefix, or nothing, its mnemonic and its operands, without white space."""

    prefix: str
    mnemonic: str
    operands: tuple[str, ...]


def statements(text: str) -> Iterator[str]:
    """The labels, directives and instructions of a text, one each; a label ends in a colon.

    UnknownInstruction for what cannot be told apart.
    """
    prefix = ""
    for whole in _separated(text):
        part = whole
        while match := _LABEL.match(part):
            _refuse_lone(prefix)
            yield f"{match[1]}:"
            part = part[match.end() :]
        if not part:
            continue
        if is_directive(part):
            _refuse_lone(prefix)
        elif _LONE_PREFIX.match(part):
            _refuse_lone(prefix)
            prefix = part
            continue
        yield f"{prefix} {part}" if prefix else part
        prefix = ""
    _refuse_lone(prefix)


def is_directive(statement: str) -> bool:
    """Whether a statement says something to the assembler only."""
    return statement.startswith(".") or bool(_ASSIGNMENT.match(statement))


def parsed(statement: str) -> Instruction | None:
    """The instruction of a statement, None if it is none; UnknownInstruction if it is not understood."""
    if is_directive(statement) or statement.endswith(":"):
        return None
    match = _INSTRUCTION.match(statement)
    if match is None or '"' in statement or "{" in statement:
        raise UnknownInstruction(f"`{statement}` is not understood")
    return Instruction(match[1] or "", match[2], tuple(split_operands(re.sub(r"\s+", "", match[3] or ""))))


def _separated(text: str) -> Iterator[str]:
    """What lies between semicolons and ends of lines, comments being white space."""
    part = ""
    for token in _TOKEN.finditer(text):
        if token["odd"]:
            raise UnknownInstruction(f"{_ODD[token['odd']]} is not supported")
        if token["end"]:
            yield part.strip()
            part = ""
        else:
            part += " " if token["comment"] else token[0]
    yield part.strip()


def _refuse_lone(prefix: str) -> None:
    if prefix:
        raise UnknownInstruction(f"{prefix} stands apart from its instruction")
