"""Lines of the VT-d driver (logs §3): faults of three generations, table dumps, invalidation errors, page requests."""

from __future__ import annotations

import re
from collections.abc import Mapping

from hw.vtd import registers

from . import dmar_fault, dmar_tables
from .heading import LogLine
from .invalidations import page_request_words, tell_descriptor
from .log_record import LogRecord, Understood, Value, begin, function_name, hexadecimal

_DMAR = re.compile(r"(?:^|\s)DMAR(?:-IR)?:\s?(?P<text>.*)$")
_FAULT = re.compile(
    r"\[(?P<what>DMA Read|DMA Write|DMA|Page Request)"
    r"(?: (?:(?P<none>NO_PASID)|PASID (?:0x)?(?P<pasid>[0-9a-f]{1,8})))?\] "
    r"Request device \[(?:0x)?(?P<bus>[0-9a-f]{2}):(?:0x)?(?P<slot>[0-9a-f]{2})\.(?P<function>[0-7])\] "
    r"(?:PASID (?P<old>[0-9a-f]{1,8}) )?fault addr (?:0x)?(?P<address>[0-9a-f]{1,16})\b\s*(?P<rest>.*)$"
)
_INTERRUPT = re.compile(
    r"(?:\[INTR-REMAP\]|INTR-REMAP:) Request device \[(?:0x)?(?P<bus>[0-9a-f]{2}):(?:0x)?(?P<slot>[0-9a-f]{2})\."
    r"(?P<function>[0-7])\] fault index (?:0x)?(?P<index>[0-9a-f]{1,16})\b\s*(?P<rest>.*)$"
)
_REASON = re.compile(r"(?:INTR-REMAP:\s*)?\[fault reason (?:(0x[0-9a-f]{1,4})|(\d{1,3}))\]\s*(.*)$")
_STATUS = re.compile(r"DRHD: handling fault status reg ([0-9a-f]{1,8})$")
_INVALIDATION = re.compile(
    r"VT-d detected Invalidation (?:Queue|Time-out|Completion) Error: (Reason|SID) ([0-9a-f]{1,8})$"
)
_CLEARED = re.compile(r"Invalidation (?:Queue|Time-out|Completion) Error \((IQE|ITE|ICE)\) cleared$")
_DESCRIPTOR = re.compile(r"QI (HEAD|PRIOR): (.{1,60}?) qw0 = 0x([0-9a-f]{1,16}), qw1 = 0x([0-9a-f]{1,16})$")
_INVALID = re.compile(r"VT-d detected invalid descriptor: low=([0-9a-f]{1,16}), high=([0-9a-f]{1,16})$")
_REQUEST = re.compile(
    r"(?:IOMMU: )?(?:(?P<unit>dmar\d+): )?(?P<what>Invalid page request|Page request for invalid PASID \d+|"
    r"Page request without PASID|Page request for PASID \d+ from wrong device|Address is not canonical|"
    r"(?:Unexpected )?[Pp]age request in Privilege Mode|Execution request not supported)"
    r"(?:: (?P<low>[0-9a-f]{8,16}) (?P<high>[0-9a-f]{8,16}))?$"
)
_PRQ_OVERFLOW = re.compile(r"(?:IOMMU: )?(\S+): PRQ overflow (detected|cleared)$")
_BOOT = re.compile(
    r"Host address width|DRHD base|RMRR base|ATSR|SATC|RHSA|ANDD|dmar\d+: (?:reg_base|Using|Enabling|Failed)|"
    r"IOMMU enabled|No |Intel\(R\)|Setting |Enabled IRQ|IOMMU batching|x2apic|Queued invalidation|Disable|Hardware|"
    r"Scalable mode|IOMMU feature|IOAPIC|HPET|Use |Ignoring|Translation was enabled|IOMMU: (?:Setting|enabled)|Prepare|"
    r"Identity|Cannot|Copied|Passthrough|Force|Intel-IOMMU|BIOS|\[Firmware|Device pass"
)
_STATUS_BITS = (
    ("PFO", registers.PFO),
    ("PPF", registers.PPF),
    ("IQE", registers.IQE),
    ("ICE", registers.ICE),
    ("ITE", registers.ITE),
)
_ERRORS = {
    "Queue": ("IQE", "the unit stopped at a descriptor that it cannot execute"),
    "Time-out": ("ITE", "a device did not answer an ATC invalidation in time"),
    "Completion": ("ICE", "an Invalidate Completion came that nobody waited for"),
}


class DmarLines:
    """Takes the lines of all DMAR units in their order; what they say goes to `found`."""

    def __init__(self, found: list[LogRecord]) -> None:
        self._found = found
        self._fault: LogRecord | None = None
        """The newest fault, which a dump may follow."""
        self._reasonless: LogRecord | None = None
        """A fault whose reason stands on the next line."""
        self._dump: LogRecord | None = None
        self._dumped: LogRecord | None = None
        """The fault that the open dump follows."""

    def take(self, line: LogLine) -> Understood:
        """Make what can be made of a line."""
        match = _DMAR.search(line.text)
        text = match["text"].strip() if match else line.text
        if not match and not _REQUEST.match(text):
            return Understood.OTHER
        takers = (
            *(self._dma_fault, self._reason, self._begin_dump, self._go_on_dumping),
            *(self._status, self._queue, self._request, self._other),
        )
        if any(take(line, text) for take in takers):
            return Understood.RECORD
        return Understood.BOOT if _BOOT.match(text) else Understood.UNKNOWN

    def close(self) -> None:
        """The log has ended."""
        self._finish_dump()
        if self._reasonless is not None:
            self._reasonless.notes.append("the line with its reason is missing")
            self._reasonless = None

    def _add(self, kind: str, unit: str, line: LogLine, title: str) -> LogRecord:
        record = begin(kind, unit, line, title)
        self._found.append(record)
        return record

    def _dma_fault(self, line: LogLine, text: str) -> bool:
        match = _FAULT.match(text) or _INTERRUPT.match(text)
        if not match:
            return False
        if self._reasonless is not None:
            self._reasonless.notes.append("the line with its reason is missing")
            self._reasonless = None
        found = match.groupdict()
        rid = int(found["bus"], 16) << 8 | int(found["slot"], 16) << 3 | int(found["function"])
        record = self._add("vtd-fault", "", line, "")
        record.fields = {"device": function_name(rid), "request": found.get("what") or "interrupt"}
        if "index" in found:
            record.fields["index"] = hexadecimal(int(found["index"], 16))
        else:
            pasid = _pasid(found)
            record.fields |= {"PASID": pasid, "address": hexadecimal(int(found["address"], 16))}
            self._fault = record
        if not self._give_reason(record, found["rest"]):
            self._reasonless = record
        return True

    def _reason(self, line: LogLine, text: str) -> bool:
        if self._reasonless is None or not _REASON.match(text):
            return False
        self._reasonless.lines += line.numbers
        self._give_reason(self._reasonless, text)
        self._reasonless = None
        return True

    def _give_reason(self, record: LogRecord, rest: str) -> bool:
        match = _REASON.match(rest)
        reason = None if not match else int(match[1], 16) if match[1] else int(match[2])
        name = "reason missing" if reason is None else dmar_fault.reason_name(reason) or "unknown reason"
        fields = record.fields
        about = f"index {fields['index']}" if "index" in fields else _where(fields)
        number = "" if reason is None else f" ({reason:#x})"
        record.title = f"{name}{number}: {fields['request']} by {fields['device']}, {about}"
        if match is None or reason is None:
            return False
        fields |= {"reason": reason, "reason name": name, "text": match[3]}
        if "index" in fields:
            record.rules_out.append("not DMA: an interrupt was refused")
            return True
        pasid = None if fields["PASID"] is None else int(str(fields["PASID"]), 16)
        dmar_fault.describe(record, reason, pasid, int(str(fields["address"]), 16), match[3])
        return True

    def _begin_dump(self, line: LogLine, text: str) -> bool:
        match = dmar_tables.BEGIN.match(text)
        if not match:
            return False
        self._finish_dump()
        address = hexadecimal(int(match[2], 16))
        self._dump = self._add("vtd-tables", match[1], line, f"tables in memory for address {address}")
        self._dump.fields["IOVA"] = address
        self._dumped = self._fault
        return True

    def _go_on_dumping(self, line: LogLine, text: str) -> bool:
        """A line of the dump that is open, though others came between, or of one whose first line is missing."""
        if self._dump is not None and dmar_tables.take(self._dump, text):
            self._dump.lines += line.numbers
            return True
        record = begin("vtd-tables", "", line, "tables in memory, for which address is not said")
        if not dmar_tables.take(record, text):
            return False
        record.notes.insert(0, "the line that such a dump begins with is missing")
        self._finish_dump()
        self._dump = record
        self._found.append(record)
        return True

    def _finish_dump(self) -> None:
        if self._dump is not None:
            dmar_tables.finish(self._dump, self._dumped)
            self._dump = None

    def _status(self, line: LogLine, text: str) -> bool:
        match = _STATUS.match(text)
        if not match:
            return False
        word = int(match[1], 16)
        names = [name for name, bit in _STATUS_BITS if bit.get(word)]
        record = self._add("vtd-fault-status", "", line, f"FSTS: {', '.join(names) or 'nothing is pending'}")
        record.fields = {"FSTS": hexadecimal(word), "FRI": registers.FRI.get(word), "bits": " ".join(names)}
        rest = word & ~(sum(bit.mask for _, bit in _STATUS_BITS) | registers.FRI.mask)
        if rest:
            record.notes.append(f"bits {rest:#x} of FSTS: nothing that is known here stands there")
        if registers.PFO.get(word):
            record.lost = -1
            record.notes.append("PFO: all fault recording registers were in use, so later faults are missing")
        return True

    def _queue(self, line: LogLine, text: str) -> bool:
        if match := _INVALIDATION.match(text):
            name, meaning = _ERRORS[text.split()[3]]
            value = int(match[2], 16)
            record = self._add("vtd-invalidation-error", "", line, f"{name}: {meaning}")
            record.fields = {"error": name, match[1]: hexadecimal(value)}
            if match[1] == "SID":
                record.title += f" (device {function_name(value & 0xFFFF)})"
                if value == 0:
                    record.notes.append("SID 0: older units do not tell the device; `QI PRIOR` may name it")
            if value == (0xF if match[1] == "Reason" else 0xFFFF):
                record.notes.append(
                    "all ones: the unit's registers could not be read, so none of these errors is certain"
                )
            if name == "ITE":
                record.rules_out.append(
                    "not the request of this device alone: every wait in the queue is aborted with it, so each CPU "
                    "that waited submits again (vtd-pcie §2.4)"
                )
        elif match := _DESCRIPTOR.match(text):
            words = (int(match[3], 16), int(match[4], 16), 0, 0)
            record = self._add("vtd-descriptor", "", line, "")
            tell_descriptor(record, words, f"at {match[1]}")
        elif match := _INVALID.match(text):
            record = self._add("vtd-descriptor", "", line, "")
            tell_descriptor(record, (int(match[1], 16), int(match[2], 16), 0, 0), "refused (IQE)")
        elif match := _CLEARED.match(text):
            self._add("vtd-invalidation-error", "", line, f"{match[1]} cleared: the queue goes on")
        else:
            return False
        return True

    def _request(self, line: LogLine, text: str) -> bool:
        match = _REQUEST.match(text)
        if not match:
            return False
        record = self._add(
            "vtd-page-request", match["unit"] or "", line, f"a page request was refused: {match['what']}"
        )
        record.fields["text"] = match["what"]
        if match["low"]:
            words = (int(match["low"], 16), int(match["high"], 16), 0, 0)
            page_request_words(record, words)
        record.rules_out.append("not a request that reached a process: the driver answered Invalid, if it was the Last")
        return True

    def _other(self, line: LogLine, text: str) -> bool:
        match = _PRQ_OVERFLOW.match(text)
        if not match:
            return False
        cleared = match[2] == "cleared"
        title = "PRO was cleared: requests are queued again" if cleared else "PRQ overflowed: requests were lost"
        record = self._add("vtd-prq-overflow", match[1], line, title)
        record.lost = 0 if cleared else -1
        if not cleared:
            record.rules_out.append(
                "not proof that a process answered: until PRO is cleared hardware answers a Last with Success by "
                "itself and drops the others (vtd-pcie §2.3)"
            )
        return True


def _pasid(found: dict[str, str | None]) -> str | None:
    """The PASID of a fault; lines before 5.14 say ffffffff for none, and the oldest do not say."""
    told = found["pasid"] or found["old"]
    return None if found["none"] or told is None or int(told, 16) == 0xFFFFFFFF else hexadecimal(int(told, 16))


def _where(fields: Mapping[str, Value]) -> str:
    pasid = "no PASID" if fields["PASID"] is None else f"PASID {fields['PASID']}"
    return f"{pasid}, address {fields['address']}"
