"""What files use and nobody defines gets a stub, which says so when it is called, read or written.

So a large file links at once, and only what a race reaches has to be given.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from .elf import opened
from .errors import CompileError
from .places import lines_of, place_among

_CALLS = (2, 4)
"""R_X86_64_PC32 and R_X86_64_PLT32, behind the byte of a `call`."""
_CALL = 0xE8
_LOADED, _CODE = 2, 4
"""Of a section's flags: it is in memory; it is code."""
_HELPER = re.compile(
    r"__(?:[a-z]+(?:[qhsdt]i|[hbsdxt]f|[hsdxt]c)[234]?|(?:atomic|sync)_[a-z_]+(?:_\d+)?|emutls_\w+|tls_get_addr"
    r"|stack_chk_fail|clear_cache|enable_execute_stack)$"
)
"""What a compiler calls by itself for what the processor has no instruction for, or none that it may use."""
_STUB = """	.globl	c_stub
c_stub:
	pushq	%rbp
	movq	%rsp, %rbp
	andq	$-16, %rsp
	pushq	%r9
	pushq	%r8
	pushq	%rcx
	pushq	%rdx
	pushq	%rsi
	pushq	%rdi
	movl	%eax, %edi
	movq	8(%rbp), %rsi
	movq	%rsp, %rdx
	call	c_missing
	leave
	ret
	.globl	c_users
c_users:
"""
"""Hands the arguments of a function that nobody defines to the runtime; behind it come the user's files."""
_PLACE = 256
"""Bytes of a stub that is not only called: as it has a name and a size, an access to it can be told."""


def stubs(users: Sequence[Path], ours: Sequence[Path], *, tells_marks: bool) -> str:
    """Assembly that defines what nobody does; CompileError for what a compiler needs by itself.

    It also says whether it is known of each access whether it is marked. It is to lie between the runtime and the
    user's files.
    """
    uses = [_Uses(file) for file in users]
    defined = {name for each in uses for name in each.defined}
    defined |= {name for file in ours for name in _symbols(opened(file), is_defined=True)}
    marks = ["\t.globl\tc_tells_marks", "\t.set\tc_tells_marks, 1"] if tells_marks else []
    lines, places = [*marks, "\t.text"], list[str]()
    helpers = dict[str, list[str]]()
    found = sorted({name for each in uses for name in each.undefined} - defined)
    for number, name in enumerate(found):
        if _HELPER.match(name):
            helpers[name] = sorted({place for each in uses for place in each.places(name)})
            continue
        stub = [f"{name}:", f"\tmovl\t$.Lname{number}, %eax", "\tjmp\tc_stub"]
        stub += [f".Lname{number}:", f'\t.string\t"{name}"']
        if not any(name in each.otherwise for each in uses):
            lines += [f"\t.globl\t{name}", *stub]
        else:
            places += [f"\t.globl\t{name}", f"\t.balign\t{_PLACE}", *stub]
            places += [f"\t.type\t{name}, @object", f"\t.size\t{name}, {_PLACE}"]
    if helpers:
        raise CompileError(
            f"link: the compiler needs {_told(helpers)}. Floating point, division of 128 bits, atomics of 16 bytes "
            "and the like are not supported"
        )
    whole = [*lines, f"\t.balign\t{_PLACE}", "\t.globl\tc_places", "c_places:", *places, f"\t.balign\t{_PLACE}", _STUB]
    return "\n".join(whole) + "\n"


def _told(uses: dict[str, list[str]]) -> str:
    return "; ".join(f"{name}, used at {', '.join(places)}" for name, places in uses.items())


def _symbols(elf: Any, *, is_defined: bool) -> Iterator[str]:
    """The global symbols of an object that it defines, or that it does not."""
    for each in elf.get_section_by_name(".symtab").iter_symbols():
        if each.name and each["st_info"]["bind"] != "STB_LOCAL" and (each["st_shndx"] != "SHN_UNDEF") == is_defined:
            yield each.name


class _Uses:
    """What an object defines, and how it uses what it does not."""

    def __init__(self, file: Path) -> None:
        self._elf = opened(file)
        self.defined = set(_symbols(self._elf, is_defined=True))
        self.undefined = set(_symbols(self._elf, is_defined=False))
        self._at: dict[str, list[int | None]] = {}
        """Where in code, or that it is in a table."""
        self.otherwise = set[str]()
        """What it does more with than call it."""
        names = [each.name for each in self._elf.get_section_by_name(".symtab").iter_symbols()]
        for section in self._elf.iter_sections():
            if section["sh_type"] == "SHT_RELA" and self._elf.get_section(section["sh_info"])["sh_flags"] & _LOADED:
                self._look_at(section, names)

    def _look_at(self, section: Any, names: Sequence[str]) -> None:
        target = self._elf.get_section(section["sh_info"])
        is_code, data = bool(target["sh_flags"] & _CODE), target.data()
        for entry in section.iter_relocations():
            name = names[entry["r_info_sym"]]
            if name not in self.undefined:
                continue
            at = entry["r_offset"]
            self._at.setdefault(name, []).append(at if is_code else None)
            if not (is_code and entry["r_info_type"] in _CALLS and at > 0 and data[at - 1] == _CALL):
                self.otherwise.add(name)

    def places(self, name: str) -> set[str]:
        """The lines that use a symbol."""
        starts, lines = lines_of(self._elf) if name in self._at else ([], [])
        return {"a table" if at is None else place_among(starts, lines, at) for at in self._at.get(name, ())}
