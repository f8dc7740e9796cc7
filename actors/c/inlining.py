"""Who a piece of code was inlined into: kernel headers are full of functions that leave no call behind."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

_INLINED = "DW_TAG_inlined_subroutine"
_CODE = (_INLINED, "DW_TAG_subprogram", "DW_TAG_lexical_block")


class Inlined(NamedTuple):
    """A function that stands within another one: its code, and the line that calls it."""

    start: int
    end: int
    depth: int
    file: str
    line: int


def inlined(elf: Any) -> list[Inlined]:
    """All of an image, as its debug information has them; those within others are the deeper ones."""
    found = list[Inlined]()
    if elf.has_dwarf_info():
        info = elf.get_dwarf_info()
        for unit in info.iter_CUs():
            program = info.line_program_for_CU(unit)
            if program is not None:
                found += _within(info, unit, program, unit.get_top_DIE(), 0)
    return found


def within(entry: Any) -> Iterator[Any]:
    """The debug entries below one, without what types are made of: most are of those."""
    for child in entry.iter_children():
        yield child
        if child.tag in _CODE:
            yield from within(child)


def _within(info: Any, unit: Any, program: Any, entry: Any, depth: int) -> Iterator[Inlined]:
    for child in entry.iter_children():
        if child.tag == _INLINED and "DW_AT_call_line" in child.attributes:
            name = _file(program, child.attributes["DW_AT_call_file"].value)
            line = child.attributes["DW_AT_call_line"].value
            for start, end in _ranges(info, unit, child):
                yield Inlined(start, end, depth, name, line)
        if child.tag in _CODE:
            yield from _within(info, unit, program, child, depth + 1)


def _ranges(info: Any, unit: Any, entry: Any) -> Iterator[tuple[int, int]]:
    """Where its code is."""
    attributes = entry.attributes
    if "DW_AT_low_pc" in attributes:
        start = attributes["DW_AT_low_pc"].value
        high = attributes["DW_AT_high_pc"]
        yield start, high.value if high.form == "DW_FORM_addr" else start + high.value
        return
    if "DW_AT_ranges" not in attributes:
        return
    base = unit.get_top_DIE().attributes.get("DW_AT_low_pc")
    behind = base.value if base is not None else 0
    for each in info.range_lists().get_range_list_at_offset(attributes["DW_AT_ranges"].value, unit):
        if hasattr(each, "base_address"):
            behind = each.base_address
        else:
            is_absolute = getattr(each, "is_absolute", False)
            yield each.begin_offset + (0 if is_absolute else behind), each.end_offset + (0 if is_absolute else behind)


def _file(program: Any, number: int) -> str:
    entry = program["file_entry"][number if program["version"] >= 5 else number - 1]
    return str(entry.name.decode().rpartition("/")[2])
