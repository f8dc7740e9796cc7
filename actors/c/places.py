"""Where in the user's C an instruction is, and which object an address belongs to."""

from __future__ import annotations

from bisect import bisect_right
from functools import cached_property
from pathlib import Path
from typing import Any

from .elf import opened


class Places:
    """The lines, objects and functions of one image, read from its debug information when they are asked for."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def line(self, pc: int) -> str:
        """`file.c:12` of the instruction before the return address `pc`; empty where nothing is known."""
        return place_among(*self._lines, pc - 1)

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
                return name if address == start else f"{name}+{address - start}"
        return hex(address)

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
    def _results(self) -> dict[str, tuple[int, bool] | None]:
        found: dict[str, tuple[int, bool] | None] = {}
        if self._elf.has_dwarf_info():
            for unit in self._elf.get_dwarf_info().iter_CUs():
                for entry in unit.iter_DIEs():
                    if entry.tag == "DW_TAG_subprogram" and "DW_AT_name" in entry.attributes:
                        found[entry.attributes["DW_AT_name"].value.decode()] = _scalar(entry)
        return found

    @cached_property
    def _elf(self) -> Any:
        return opened(self._path)


def _scalar(entry: Any) -> tuple[int, bool] | None:
    """Size and sign of the type of a debug entry."""
    while "DW_AT_type" in entry.attributes:
        entry = entry.get_DIE_from_attribute("DW_AT_type")
        if entry.tag == "DW_TAG_base_type":
            signed = entry.attributes["DW_AT_encoding"].value in (5, 6)  # DW_ATE_signed, DW_ATE_signed_char
            return entry.attributes["DW_AT_byte_size"].value, signed
        if entry.tag == "DW_TAG_pointer_type":
            return 8, False
        if entry.tag == "DW_TAG_enumeration_type" and "DW_AT_type" not in entry.attributes:
            return entry.attributes["DW_AT_byte_size"].value, False
    return None


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
