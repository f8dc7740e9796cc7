"""Lines of ftrace, trace-cmd and perf (logs §4): the events `iommu`, `intel_iommu`, those about page requests, and
kprobes on what the kernel has no event for."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

from hw.bus import PAGE_SHIFT

from .heading import LogLine
from .invalidations import tell_descriptor
from .log_record import LogRecord, Understood, begin, function_name, hexadecimal, null_page

_EVENT = re.compile(r"^(?:(?P<system>\w{1,32}):)?(?P<name>\w{1,64}):\s+(?P<rest>.*)$")
_HEX = r"0x([0-9a-f]{1,16})"
_NUMBER = r"(\d{1,20})"
_MAP = re.compile(rf"IOMMU: (?:dev=\S+ )?iova={_HEX}(?: - {_HEX})? paddr={_HEX} size={_NUMBER}$")
_UNMAP = re.compile(rf"IOMMU: (?:dev=\S+ )?iova={_HEX}(?: - {_HEX})? size={_NUMBER} unmapped_size={_NUMBER}$")
_FAULT = re.compile(rf"IOMMU:\s?(\S+) (\S+) iova={_HEX} flags={_HEX}$")
_DEVICE = re.compile(r"IOMMU: (?:groupID=(-?\d{1,20}) )?device=(\S+)$")
_SUBMIT = re.compile(rf"(\S{{1,20}}) (\S{{1,32}}): {_HEX} {_HEX} {_HEX} {_HEX}$")
_REQUEST = re.compile(
    rf"(?P<unit>[^/\s]+)/(?P<device>\S+) seq# (?P<seq>\d{{1,20}}): rid={_HEX} addr={_HEX} "
    rf"(?P<flags>[r-][w-][x-][p-][l-]) pasid={_HEX} index={_HEX}(?: private=(?P<private>\S+))?$"
)
_TAG = re.compile(r"([^/\s]+)/(\S+) type (\w+) did (\d{1,20}) pasid (\d{1,20}) ref (\d{1,20})$")
_FLUSH = re.compile(
    rf"(\S+) (\S+?)\[{_NUMBER}\] type (\w+) did {_NUMBER} \[{_HEX}-{_HEX}\] addr {_HEX} pages {_HEX} mask {_HEX}$"
)
_PAIRS = re.compile(r"IOMMU:\s?(\S+)((?: \w+=\S+)+)$")
_PROBE = re.compile(
    r"\((?P<function>\w{1,64})\+0x[0-9a-f]+(?:/0x[0-9a-f]+)?(?: <- (?P<caller>[^)]{1,80}))?\)(?P<rest>.*)$"
)
_PROBED = re.compile(
    r"(?:__)?mmu_notifier_|arm_smmu_|iommu_sva_|iopf_|iommu_(?:page_response|report_device_fault|attach|detach)|intel_|"
    r"qi_|prq_|dmar_|mmput|exit_mm"
)
_RESPONSES = {"0": "SUCCESS", "1": "INVALID", "2": "FAILURE"}
"""As the generic fault code counts them, which is not the code on the wire."""
Teller = Callable[[LogRecord, str], bool]


class TraceLines:
    """Takes the lines of traces in their order; what they say goes to `found`."""

    def __init__(self, found: list[LogRecord]) -> None:
        self._found = found
        self._sequence: dict[str, int] = {}
        """The newest number of a page request of each unit."""

    def take(self, line: LogLine) -> Understood:
        """Make what can be made of a line."""
        match = _EVENT.match(line.text)
        if not match:
            return Understood.OTHER
        system, name, rest = match["system"] or "", match["name"], match["rest"].strip()
        teller = _EVENTS.get(name)
        if teller is None:
            return self._probe(line, system, name, rest)
        if system not in ("", _SYSTEMS[name]) or not (system or _looks_like(name, rest)):
            return Understood.OTHER
        record = begin(f"trace-{name.replace('_', '-')}", "", line)
        if not teller(record, rest):
            return Understood.UNKNOWN
        if line.cpu is not None:
            record.fields |= {"task": line.task, "cpu": line.cpu}
        self._count(record)
        self._found.append(record)
        return Understood.RECORD

    def close(self) -> None:
        """The log has ended; no record of a trace waits for a line."""

    def _count(self, record: LogRecord) -> None:
        """The kernel numbers page requests, so a trace shows which are missing."""
        number = record.fields.get("seq")
        if not isinstance(number, int):
            return
        before = self._sequence.get(record.unit)
        self._sequence[record.unit] = number
        if before is not None and number > before + 1:
            record.lost = number - before - 1
            record.notes.append(f"seq# goes from {before} to {number}: {record.lost} page requests are missing here")

    def _probe(self, line: LogLine, system: str, name: str, rest: str) -> Understood:
        match = _PROBE.match(rest)
        if not match or not _PROBED.match(match["function"]):
            return Understood.UNKNOWN if system in ("iommu", "intel_iommu") else Understood.OTHER
        record = begin("trace-kprobe", "", line, f"{match['function']} {match['rest'].strip()}".strip())
        record.fields = {"function": match["function"], "event": name, "arguments": match["rest"].strip()}
        if match["caller"]:
            record.title = f"{match['function']} returned {match['rest'].strip()}".strip()
        if line.cpu is not None:
            record.fields |= {"task": line.task, "cpu": line.cpu}
        self._found.append(record)
        return Understood.RECORD


def _map(record: LogRecord, rest: str) -> bool:
    match = _MAP.match(rest)
    if not match:
        return False
    iova, paddr, size = int(match[1], 16), int(match[3], 16), int(match[4])
    record.fields = {"iova": hexadecimal(iova), "paddr": hexadecimal(paddr), "size": size}
    record.title = f"map {iova:#x} to {paddr:#x}, {size} bytes"
    _check_end(record, iova, match[2], size)
    return True


def _unmap(record: LogRecord, rest: str) -> bool:
    match = _UNMAP.match(rest)
    if not match:
        return False
    iova, size, done = int(match[1], 16), int(match[3]), int(match[4])
    record.fields = {"iova": hexadecimal(iova), "size": size, "unmapped_size": done}
    record.title = f"unmap {iova:#x}, {size} bytes"
    _check_end(record, iova, match[2], size)
    if done != size:
        record.notes.append(f"{done} bytes were unmapped where {size} were asked for")
    return True


def _check_end(record: LogRecord, iova: int, end: str | None, size: int) -> None:
    """Kernels of different times print the first address behind it, or none."""
    if end is not None and int(end, 16) != iova + size:
        record.notes.append(f"its end {int(end, 16):#x} and its size {size:#x} differ")


def _page_fault(record: LogRecord, rest: str) -> bool:
    match = _FAULT.match(rest)
    if not match:
        return False
    iova, flags = int(match[3], 16), int(match[4], 16)
    record.unit = match[2]
    record.fields = {"driver": match[1], "device": match[2], "iova": hexadecimal(iova), "flags": hexadecimal(flags)}
    record.title = f"fault of {match[2]}: {'write' if flags & 1 else 'read'} at {iova:#x}"
    if flags & ~1:
        record.notes.append(f"flags {flags & ~1:#x}: nothing that is known here stands there")
    if iova >> PAGE_SHIFT == 0:
        record.rules_out.append(null_page(hexadecimal(iova)))
    return True


def _device(record: LogRecord, rest: str) -> bool:
    match = _DEVICE.match(rest)
    if not match:
        return False
    record.unit = match[2]
    record.fields = {"device": match[2]} | ({"group": int(match[1])} if match[1] else {})
    record.title = f"{record.kind.removeprefix('trace-').replace('-', ' ')}: {match[2]}"
    return True


def _submit(record: LogRecord, rest: str) -> bool:
    match = _SUBMIT.match(rest)
    if not match:
        return False
    record.unit = match[2]
    q0, q1, q2, q3 = (int(match[number], 16) for number in (3, 4, 5, 6))
    record.fields = {"text": match[1]}
    tell_descriptor(record, (q0, q1, q2, q3), "submitted")
    return True


def _request(record: LogRecord, rest: str) -> bool:
    match = _REQUEST.match(rest)
    if not match:
        return False
    rid, frame, pasid, prgi = (int(match[number], 16) for number in (4, 5, 7, 8))
    flags = match["flags"]
    record.unit = match["unit"]
    record.fields = {
        "device": match["device"],
        "seq": int(match["seq"]),
        "RID": function_name(rid & 0xFFFF),
        "address": hexadecimal(frame << PAGE_SHIFT),
        "R": flags[0] == "r",
        "W": flags[1] == "w",
        "X": flags[2] == "x",
        "Priv": flags[3] == "p",
        "Last": flags[4] == "l",
        "PASID": hexadecimal(pasid),
        "PRGI": prgi,
    }
    if match["private"]:
        record.fields["private"] = match["private"]
    rights = flags[:3].replace("-", "").upper() or "nothing"
    last = ", Last" if flags[4] == "l" else ""
    record.title = (
        f"page request {match['seq']} of {match['device']}, PASID {pasid:#x}, group {prgi}{last}: "
        f"{rights} at {frame << PAGE_SHIFT:#x}"
    )
    if not match["device"].endswith(function_name(rid & 0xFFFF)):
        record.notes.append(f"its RID is {function_name(rid & 0xFFFF)}, which is not {match['device']}")
    if last and rights == "nothing":
        record.rules_out.append("not a request: it is a Stop Marker, which wants no answer (vtd-pcie §1.5)")
    return True


def _tag(record: LogRecord, rest: str) -> bool:
    match = _TAG.match(rest)
    if not match:
        return False
    record.unit = match[1]
    numbers = {name: int(match[place]) for name, place in (("DID", 4), ("PASID", 5), ("ref", 6))}
    record.fields = {"device": match[2], "type": match[3], **numbers}
    what = record.kind.removeprefix("trace-cache-tag-").replace("-", " ")
    record.title = f"cache tag {what}: {match[3]} of {match[2]}, DID {match[4]}, PASID {match[5]}, ref {match[6]}"
    return True


def _flush(record: LogRecord, rest: str) -> bool:
    match = _FLUSH.match(rest)
    if not match:
        return False
    first, last, address, pages, mask = (int(match[number], 16) for number in (6, 7, 8, 9, 10))
    record.unit = match[1]
    record.fields = {
        "device": match[2],
        "PASID": int(match[3]),
        "type": match[4],
        "DID": int(match[5]),
        "first": hexadecimal(first),
        "last": hexadecimal(last),
        "address": hexadecimal(address),
        "pages": pages,
        "mask": mask,
    }
    record.title = (
        f"flush {match[4]} of {match[2]}, DID {match[5]}, PASID {match[3]}: {pages:#x} pages from {address:#x}"
    )
    if pages != 1 << mask and mask < 52:
        record.notes.append(f"{pages} pages and a mask of {mask}, which is {1 << mask} pages, differ")
    if not address <= first <= last < address + (pages << PAGE_SHIFT):
        record.notes.append(f"it does not cover what it is for, {first:#x} to {last:#x}: what is left stays cached")
    return True


def _reported(record: LogRecord, rest: str) -> bool:
    match = _PAIRS.match(rest)
    if not match:
        return False
    record.unit = match[1]
    record.fields = {"device": match[1]} | dict(pair.split("=", 1) for pair in match[2].split())
    record.title = f"fault of {match[1]} handed to the fault code:{match[2]}"
    if record.kind == "trace-dev-page-response":
        code = str(record.fields.get("code", ""))
        record.title = f"answer to {match[1]}: {_RESPONSES.get(code, f'unknown code {code}')},{match[2]}"
    return True


def _looks_like(name: str, rest: str) -> bool:
    """Whether a bare `name: …` is an event all the same: `map:` and the like are words of others, too."""
    return rest.startswith("IOMMU:") if _SYSTEMS[name] == "iommu" else True


_EVENTS: Mapping[str, Teller] = {
    "map": _map,
    "unmap": _unmap,
    "io_page_fault": _page_fault,
    "attach_device_to_domain": _device,
    "detach_device_from_domain": _device,
    "add_device_to_group": _device,
    "remove_device_from_group": _device,
    "dev_fault": _reported,
    "dev_page_response": _reported,
    "qi_submit": _submit,
    "prq_report": _request,
    "cache_tag_assign": _tag,
    "cache_tag_unassign": _tag,
    "cache_tag_flush_all": _tag,
    "cache_tag_flush_range": _flush,
    "cache_tag_flush_range_np": _flush,
}
_SYSTEMS = {name: "intel_iommu" if name.startswith(("qi_", "prq_", "cache_tag")) else "iommu" for name in _EVENTS}
