"""Where in the user's C an instruction is, and which object an address belongs to."""

from __future__ import annotations

import re
from bisect import bisect_right
from functools import cached_property
from pathlib import Path
from typing import Any

from .elf import opened
from .inlining import Inlined, inlined, within

_HEADER = re.compile(r"\.h:\d+$")
_ADDRESS = 3
"""DW_OP_addr."""


class Places:
    """The lines, objects and functions of one image, read from its debug information when they are asked for."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._known: dict[int, str] = {}

    def line(self, pc: int) -> str:
        """`file.c:12` of the instruction before the return address `pc`; empty where nothing is known.

        Of code that a header brought, the line that uses it.
        """
        found = self._known.get(pc)
        if found is None:
            found = self._known[pc] = self._outside_headers(pc - 1)
        return found

    def _outside_headers(self, address: int) -> str:
        place = place_among(*self._lines, address)
        if not _HEADER.search(place):
            return place
        users = [each for each in self._inlined if each.start <= address < each.end and not each.file.endswith(".h")]
        return f"{users[-1].file}:{users[-1].line}" if users else place

    def at(self, pc: int) -> str:
        """` at file.c:12`, or nothing."""
        line = self.line(pc)
        return f" at {line}" if line else ""

    def name(self, address: int) -> str:
        """`object` or `object+8` of an address in the statics; the address itself elsewhere."""
        starts, objects = self._objects
        place = bisect_right(starts, address) - 1
        if place >= 0:
            start, size, name = objects[place]
            if address < start + max(size, 1):
                return f"{name}{self._member(start, address - start)}"
        return hex(address)

    def _member(self, start: int, offset: int) -> str:
        """`.member[3]` of what is there in a variable, or how many bytes it is from its beginning."""
        kind = self._types.get(start)
        found = "" if kind is None else member(kind, offset)
        return found or (f"+{offset}" if offset else "")

    def size(self, name: str) -> int:
        """Bytes of a variable; 0 if there is none of that name."""
        return next((size for _, size, known in self._objects[1] if known == name), 0)

    def result(self, name: str) -> tuple[int, bool] | None:
        """Bytes of what a function returns, and whether it has a sign; None if it returns nothing, or is not known."""
        return self._results.get(name)

    @cached_property
    def _objects(self) -> tuple[list[int], list[tuple[int, int, str]]]:
        found = sorted(
            (int(each["st_value"]), int(each["st_size"]), each.name)
            for each in self._elf.get_section_by_name(".symtab").iter_symbols()
            if each["st_info"]["type"] == "STT_OBJECT"
        )
        return [start for start, _, _ in found], found

    @cached_property
    def _lines(self) -> tuple[list[int], list[str]]:
        return lines_of(self._elf)

    @cached_property
    def _inlined(self) -> list[Inlined]:
        return sorted(inlined(self._elf), key=lambda each: each.depth)

    @cached_property
    def _results(self) -> dict[str, tuple[int, bool] | None]:
        found: dict[str, tuple[int, bool] | None] = {}
        if self._elf.has_dwarf_info():
            for unit in self._elf.get_dwarf_info().iter_CUs():
                for entry in unit.get_top_DIE().iter_children():
                    if entry.tag == "DW_TAG_subprogram" and "DW_AT_name" in entry.attributes:
                        found[entry.attributes["DW_AT_name"].value.decode()] = _scalar(entry)
        return found

    @cached_property
    def _types(self) -> dict[int, Any]:
        """Of the variables, by where they are, the debug entries of their types."""
        found: dict[int, Any] = {}
        for unit in self._elf.get_dwarf_info().iter_CUs() if self._elf.has_dwarf_info() else ():
            for entry in within(unit.get_top_DIE()):
                place = entry.attributes.get("DW_AT_location")
                where = place.value if place is not None and place.form == "DW_FORM_exprloc" else []
                if entry.tag == "DW_TAG_variable" and where[:1] == [_ADDRESS] and len(where) == 9:
                    found[int.from_bytes(bytes(where[1:]), "little")] = type_of(entry)
        return found

    @cached_property
    def _elf(self) -> Any:
        return opened(self._path)


def _scalar(entry: Any) -> tuple[int, bool] | None:
    """Size and sign of the type of a debug entry."""
    kind = type_of(entry)
    if kind is None:
        return None
    if kind.tag == "DW_TAG_pointer_type":
        return 8, False
    signs = kind.attributes.get("DW_AT_encoding")  # of 5 and 6, DW_ATE_signed and DW_ATE_signed_char, it has one
    return _bytes(kind), signs is not None and signs.value in (5, 6)


def type_of(entry: Any) -> Any:
    """The debug entry of a type, without names and qualifiers for it; None if there is none."""
    while "DW_AT_type" in entry.attributes:
        entry = entry.get_DIE_from_attribute("DW_AT_type")
        if entry.tag not in ("DW_TAG_typedef", "DW_TAG_const_type", "DW_TAG_volatile_type", "DW_TAG_atomic_type"):
            return entry
    return None


def member(kind: Any, offset: int) -> str:
    """Which member of a type lies at an offset, as C writes it; empty if it is the whole, or is not known."""
    if kind.tag == "DW_TAG_array_type":
        inner = type_of(kind)
        size = _bytes(inner) if inner is not None else 0
        return f"[{offset // size}]{member(inner, offset % size)}" if size else ""
    if kind.tag != "DW_TAG_structure_type":
        return ""
    for part in kind.iter_children():
        start = part.attributes.get("DW_AT_data_member_location")
        inner = type_of(part) if part.tag == "DW_TAG_member" and start is not None else None
        if inner is not None and 0 <= offset - start.value < _bytes(inner):
            name = part.attributes.get("DW_AT_name")
            return f"{f'.{name.value.decode()}' if name else ''}{member(inner, offset - start.value)}"
    return ""


def _bytes(kind: Any) -> int:
    """The size of a type; 0 if it is not known."""
    size = kind.attributes.get("DW_AT_byte_size")
    if size is not None:
        return int(size.value)
    if kind.tag != "DW_TAG_array_type":
        return 0
    whole = _bytes(inner) if (inner := type_of(kind)) is not None else 0
    for part in kind.iter_children():
        bound, count = part.attributes.get("DW_AT_upper_bound"), part.attributes.get("DW_AT_count")
        whole *= count.value if count is not None else bound.value + 1 if bound is not None else 0
    return whole


def lines_of(elf: Any) -> tuple[list[int], list[str]]:
    """Where in an object the code of a line begins, in order, and the lines, such as `file.c:12`."""
    rows: dict[int, str] = {}
    if elf.has_dwarf_info():
        info = elf.get_dwarf_info()
        for unit in info.iter_CUs():
            program = info.line_program_for_CU(unit)
            for entry in program.get_entries() if program else ():
                state = entry.state
                if state is not None and not (state.end_sequence and state.address in rows):
                    rows[state.address] = "" if state.end_sequence else f"{_file(program, state.file)}:{state.line}"
    starts = sorted(rows)
    return starts, [rows[start] for start in starts]


def place_among(starts: list[int], places: list[str], address: int) -> str:
    """The line among those of `lines_of` whose code an address is in; empty if there is none."""
    place = bisect_right(starts, address) - 1
    return places[place] if place >= 0 else ""


def _file(program: Any, number: int) -> str:
    version = program["version"]
    entry = program["file_entry"][number if version >= 5 else number - 1]
    return Path(entry.name.decode()).name
