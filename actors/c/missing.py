"""What files use and nobody defines gets a stub, which says so when it is called, read or written.

So a large file links at once, and only what a race reaches has to be given.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from pathlib import Path

from .elf import opened
from .errors import CompileError
from .places import lines_of, place_among

_CALLS = (2, 4)
"""R_X86_64_PC32 and R_X86_64_PLT32, behind the byte of a `call`."""
_CALL = 0xE8
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
    defined = {name for file in (*users, *ours) for name in _symbols(file, is_defined=True)}
    marks = ["\t.globl\tc_tells_marks", "\t.set\tc_tells_marks, 1"] if tells_marks else []
    lines, places = [*marks, "\t.text"], list[str]()
    helpers = dict[str, list[str]]()
    found = sorted({name for file in users for name in _symbols(file, is_defined=False)} - defined)
    for number, name in enumerate(found):
        uses = [use for file in users for use in _uses(file, name)]
        if _HELPER.match(name):
            helpers[name] = sorted({place for _, place in uses})
            continue
        stub = [f"{name}:", f"\tmovl\t$.Lname{number}, %eax", "\tjmp\tc_stub"]
        stub += [f".Lname{number}:", f'\t.string\t"{name}"']
        if all(is_call for is_call, _ in uses):
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


def _symbols(file: Path, *, is_defined: bool) -> Iterator[str]:
    """The global symbols of an object that it defines, or that it does not."""
    for each in opened(file).get_section_by_name(".symtab").iter_symbols():
        if each.name and each["st_info"]["bind"] != "STB_LOCAL" and (each["st_shndx"] != "SHN_UNDEF") == is_defined:
            yield each.name


def _uses(file: Path, name: str) -> Iterator[tuple[bool, str]]:
    """Where an object uses a symbol: whether it is a call, and the line."""
    elf = opened(file)
    table = elf.get_section_by_name(".symtab")
    starts, places = lines_of(elf)
    for section in elf.iter_sections():
        if section["sh_type"] != "SHT_RELA":
            continue
        target = elf.get_section(section["sh_info"])
        if not target["sh_flags"] & 2:  # debug information
            continue
        is_code, data = bool(target["sh_flags"] & 4), target.data()
        for entry in section.iter_relocations():
            if table.get_symbol(entry["r_info_sym"]).name != name:
                continue
            at = entry["r_offset"]
            is_call = is_code and entry["r_info_type"] in _CALLS and at > 0 and data[at - 1] == _CALL
            yield is_call, place_among(starts, places, at) if is_code else "a table"
