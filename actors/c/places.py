"""Where in the user's C an instruction is, and which object an address belongs to."""

from __future__ import annotations

from bisect import bisect_right
from functools import cached_property
from pathlib import Path
from typing import Any


class Places:
    """The lines and objects of one image, read from its debug information when they are asked for."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def line(self, pc: int) -> str:
        """`file.c:12` of the instruction before the return address `pc`; the address itself where nothing is known."""
        starts, places = self._lines
        place = bisect_right(starts, pc - 1) - 1
        return places[place] if place >= 0 and places[place] else hex(pc)

    def name(self, address: int) -> str:
        """`object` or `object+8` of an address in the statics; the address itself elsewhere."""
        starts, objects = self._objects
        place = bisect_right(starts, address) - 1
        if place >= 0:
            start, size, name = objects[place]
            if address < start + max(size, 1):
                return name if address == start else f"{name}+{address - start}"
        return hex(address)

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
        rows: dict[int, str] = {}
        if self._elf.has_dwarf_info():
            info = self._elf.get_dwarf_info()
            for unit in info.iter_CUs():
                program = info.line_program_for_CU(unit)
                for entry in program.get_entries() if program else ():
                    state = entry.state
                    if state is not None:
                        rows[state.address] = "" if state.end_sequence else f"{_file(program, state.file)}:{state.line}"
        starts = sorted(rows)
        return starts, [rows[start] for start in starts]

    @cached_property
    def _elf(self) -> Any:
        from io import BytesIO

        from elftools.elf.elffile import ELFFile

        return ELFFile(BytesIO(self._path.read_bytes()))


def _file(program: Any, number: int) -> str:
    version = program["version"]
    entry = program["file_entry"][number if version >= 5 else number - 1]
    return Path(entry.name.decode()).name
