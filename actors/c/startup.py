"""What a program runs before its first function and after its last: constructors are run, all else is refused."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from .elf import opened
from .errors import CompileError

_ENDS = re.compile(r"\.(fini_array|dtors|fini|init)(\.\d+)?$")
_IN_ORDER = (".preinit_array", ".init_array", ".ctors")
_INDIRECT = "STT_LOOS"
"""STT_GNU_IFUNC: a symbol that a loader asks a function for."""


def refuse_endings(file: Path, source: str) -> None:
    """CompileError for an object with functions that nobody here would call: destructors, resolvers of symbols."""
    elf = opened(file)
    symbols = elf.get_section_by_name(".symtab")
    for each in symbols.iter_symbols():
        if each["st_info"]["type"] == _INDIRECT:
            raise CompileError(f"link {source}: {each.name} is chosen when a program is loaded (ifunc); not supported")
    for section in elf.iter_sections():
        if _ENDS.match(section.name) and section["sh_size"] and section["sh_flags"] & 2:
            names = ", ".join(_named(elf, symbols, section)) or "what is there"
            raise CompileError(
                f"link {source}: nobody calls {names} (section {section.name}); a race has no end of the program, so "
                "destructors are not supported"
            )


def constructors(elf: Any) -> list[int]:
    """Where the functions begin that are to be called before any other, in order."""
    found = list[int]()
    for name in _IN_ORDER:
        section = elf.get_section_by_name(name)
        data = section.data() if section is not None else b""
        found += [int.from_bytes(data[at : at + 8], "little") for at in range(0, len(data), 8)]
    return found


def _named(elf: Any, symbols: Any, section: Any) -> Iterator[str]:
    """The functions that a table names."""
    table = elf.get_section_by_name(f".rela{section.name}")
    for entry in table.iter_relocations() if table is not None else ():
        symbol = symbols.get_symbol(entry["r_info_sym"])
        if symbol["st_info"]["type"] != "STT_SECTION":
            yield symbol.name
            continue
        for each in symbols.iter_symbols():
            place = each["st_shndx"], each["st_value"]
            if each["st_info"]["type"] == "STT_FUNC" and place == (symbol["st_shndx"], entry["r_addend"]):
                yield each.name
