"""Lines of the SMMUv3 driver (logs §2): raw and decoded events, command queue errors, overflows, PRI requests.

Records that several CPUs or several SMMUs print at once are told apart by their SMMU, by the caller where the kernel
prints it, and by what a first word must begin with.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field

from hw.smmuv3 import commands, evtq
from hw.smmuv3.evtq import EventClass, EventId

from . import smmu_event, smmu_queues
from .heading import LogLine
from .log_record import LogRecord, Understood, Value, begin, hexadecimal

_UNIT = re.compile(r"(?:arm-smmu-v3|platform) (?P<unit>\S+):\s*(?P<text>.*)$")
_WORD = re.compile(r"0x([0-9a-f]{1,16})$")
_EVENT = re.compile(r"event 0x([0-9a-f]{1,2}) received:$")
_TOLD = re.compile(
    r"event: (?P<name>\S+) client: (?P<client>.{1,64}?) sid: (?P<sid>\S+) ssid: (?P<ssid>\S+)"
    r"(?: iova: (?P<iova>\S+) ipa: (?P<ipa>\S+)| fetch_addr: (?P<fetch>\S+))?$"
)
_ATTRIBUTES = re.compile(
    r'(?P<who>priv|unpriv) (?P<what>inst|data) (?P<way>read|write) (?P<stage>s[12]) "(?P<class>[^"]*)"'
    r"(?: ttd_(?P<table>read|write))?(?P<stall> stall)? stag: (?:0x)?(?P<stag>[0-9a-f]{1,4})$"
)
_PRI = re.compile(
    r"sid 0x(?P<sid>[0-9a-f]{1,8})\.0x(?P<ssid>[0-9a-f]{1,5}): \[(?P<prgi>\d{1,3})(?P<last>L?)\] (?P<un>un)?privileged "
    r"(?P<read>R?)(?P<write>W?)(?P<execute>X?) access at iova 0x(?P<address>[0-9a-f]{1,16})$"
)
_CMDQ_ERROR = re.compile(r"CMDQ error \(cons 0x([0-9a-f]{1,8})\): (.*)$")
_SYNC = re.compile(
    r"CMD_SYNC timeout(?: at 0x([0-9a-f]{1,8}) \[hwprod 0x([0-9a-f]{1,8}), hwcons 0x([0-9a-f]{1,8})\])?$"
)
_OVERFLOW = re.compile(r"(EVTQ|PRIQ) overflow detected -- (events|requests) lost$")
_GERROR = re.compile(r"unexpected global error reported \(0x([0-9a-f]{1,8})\)")
_ABORT = re.compile(r"(GERROR|PRIQ|EVTQ|CMDQ) (MSI )?write aborted( -- events may have been lost)?$")
_PLAIN = {
    "CMDQ timeout": "no room came up in the command queue: the SMMU consumes nothing",
    "retrying command fetch": "the SMMU could not fetch a command (CERROR_ABT); the driver lets it try again",
    "device has entered Service Failure Mode!": "SFM_ERR: the SMMU has given up, every access is terminated",
}
_BOOT = re.compile(
    r"ias \d+-bit|option mask|allocated \d+ entries|msi_domain absent|no priq irq|probing hardware|IDR\d|\d+-bit |"
    r"failed to enable|2-level strtab|no evtq irq|no gerr irq|using combined irq"
)
_CLASS_TEXTS = {
    "CD fetch": EventClass.CD,
    "Stage 1 translation table fetch": EventClass.TTD,
    "Input address caused fault": EventClass.IN,
}


@dataclass(slots=True, eq=False)
class _Open:
    """A record that waits for more lines."""

    record: LogRecord
    number: int | None
    """The event number that its first line named; None for a command."""
    size: int
    words: list[int] = field(default_factory=list)


class SmmuLines:
    """Takes the lines of all SMMUs in their order; what they say goes to `found`."""

    def __init__(self, found: list[LogRecord]) -> None:
        self._found = found
        self._open: dict[tuple[str, str], list[_Open]] = {}
        self._last: dict[str, LogRecord] = {}
        """The newest event of each SMMU, which the kernel's own text follows."""
        self._told_of: dict[str, LogRecord] = {}
        """Those whose attributes stand on the kernel's next line."""
        self._requests: dict[tuple[str, str], LogRecord] = {}

    def take(self, line: LogLine) -> Understood:
        """Make what can be made of a line."""
        match = _UNIT.search(line.text)
        if not match or ("arm-smmu-v3 " not in line.text and "smmu" not in match["unit"]):
            return Understood.OTHER
        unit, text = match["unit"], match["text"].strip()
        if any(take(unit, line, text) for take in self._takers()):
            return Understood.RECORD
        return Understood.BOOT if _BOOT.match(text) else Understood.UNKNOWN

    def close(self) -> None:
        """The log has ended: what is open stays incomplete."""
        for opened in self._open.values():
            for each in opened:
                _incomplete(each)
        for record in self._requests.values():
            record.notes.append("the line with the request itself is missing")
        self._open.clear()
        self._requests.clear()

    def _takers(self) -> tuple[Callable[[str, LogLine, str], bool], ...]:
        return self._word, self._header, self._told, self._attributes, self._request, self._queue, self._error

    def _add(self, kind: str, unit: str, line: LogLine, title: str) -> LogRecord:
        record = begin(kind, unit, line, title)
        self._found.append(record)
        return record

    def _header(self, unit: str, line: LogLine, text: str) -> bool:
        key = (unit, line.caller)
        opened = self._open.setdefault(key, [])
        if match := _EVENT.match(text):
            number = int(match[1], 16)
            for each in [one for one in opened if one.number is not None]:  # one thread prints all events of an SMMU
                _incomplete(each)
                opened.remove(each)
            record = self._add("smmuv3-event", unit, line, f"event {number:#04x}")
            opened.append(_Open(record, number, evtq.ENTRY_WORDS))
        elif text == "skipping command in error state:":
            record = self._add("smmuv3-command", unit, line, "a command that the SMMU could not execute, left out")
            opened.append(_Open(record, None, commands.ENTRY_WORDS))
        elif text == "unexpected PRI request received:":
            if before := self._requests.get(key):
                before.notes.append("the line with the request itself is missing")
            self._requests[key] = self._add("smmuv3-pri-request", unit, line, "a page request")
        else:
            return False
        return True

    def _word(self, unit: str, line: LogLine, text: str) -> bool:
        match = _WORD.match(text)
        if not match:
            return False
        word = int(match[1], 16)
        opened = self._open.get((unit, line.caller), [])
        if not opened:
            record = self._add("smmuv3-words", unit, line, f"a word {word:#x} of a record whose first line is missing")
            record.notes.append("the record that it belongs to cannot be told")
            return True
        fitting = [one for one in opened if not one.words and one.number == word & 0xFF]
        begun = [one for one in opened if one.words]
        chosen = (fitting or begun or opened)[0]
        chosen.record.lines += line.numbers
        chosen.words.append(word)
        if len(chosen.words) == chosen.size:
            opened.remove(chosen)
            self._complete(unit, chosen)
        return True

    def _complete(self, unit: str, whole: _Open) -> None:
        record, words = whole.record, whole.words
        if whole.number is None:
            smmu_queues.command(record, words)
            return
        record.fields = smmu_event.fields_of_words(words)
        record.notes += smmu_event.notes_of_words(words)
        if record.fields["ID"] != whole.number:
            record.notes.append(
                f"its first line says event {whole.number:#04x} and its word {record.fields['ID']:#04x}: lines of two "
                "records are mixed, or some are missing"
            )
        smmu_event.describe(record)
        self._last[unit] = record

    def _told(self, unit: str, line: LogLine, text: str) -> bool:
        match = _TOLD.match(text)
        if not match:
            return False
        try:
            fields = _fields_of_text(match)
        except ValueError:
            return False
        record = self._last.get(unit)
        same = record and all(fields[name] in (None, record.fields[name]) for name in ("ID", "SID", "InputAddr"))
        if record and same and "client" not in record.fields:
            record.fields["client"] = fields["client"]
            record.lines += line.numbers
        else:
            record = self._last[unit] = self._add("smmuv3-event", unit, line, "")
            record.fields = fields
            record.notes.append("only the kernel's own text of it is here: bits that have no field cannot be seen")
        smmu_event.describe(record)
        if match["iova"]:
            self._told_of[unit] = record
        return True

    def _attributes(self, unit: str, line: LogLine, text: str) -> bool:
        match = _ATTRIBUTES.match(text)
        if not match:
            return False
        said: dict[str, Value] = {
            "PnU": match["who"] == "priv",
            "InD": match["what"] == "inst",
            "RnW": match["way"] == "read",
            "S2": match["stage"] == "s2",
            "CLASS": _CLASS_TEXTS.get(match["class"], 3),
            "STALL": bool(match["stall"]),
            "STAG": int(match["stag"], 16),
        }
        record = self._told_of.pop(unit, None)
        if record is None:
            record = self._add("smmuv3-attributes", unit, line, "attributes of an event whose other lines are missing")
            record.fields = said
            return True
        for name, value in said.items():
            if record.fields[name] is None:
                record.fields[name] = value
            elif record.fields[name] != value:
                record.notes.append(f"the kernel's text says {name}={value}, the words say {record.fields[name]}")
        if match["table"]:
            record.fields["TTRnW"] = match["table"] == "read"
        record.lines += line.numbers
        smmu_event.describe(record)
        return True

    def _request(self, unit: str, line: LogLine, text: str) -> bool:
        match = _PRI.match(text)
        if not match:
            return False
        record = self._requests.pop((unit, line.caller), None)
        if record is None:
            record = self._add("smmuv3-pri-request", unit, line, "")
            record.notes.append("the line before it is missing")
        else:
            record.lines += line.numbers
        smmu_queues.page_request(record, match)
        return True

    def _queue(self, unit: str, line: LogLine, text: str) -> bool:
        if match := _OVERFLOW.match(text):
            record = self._add("smmuv3-overflow", unit, line, f"{match[1]} overflowed: {match[2]} were lost before it")
            record.fields = {"queue": match[1]}
            record.lost = -1
            record.rules_out = [smmu_queues.OVERFLOWS[match[1]]]
        elif match := _CMDQ_ERROR.match(text):
            record = self._add("smmuv3-cmdq-error", unit, line, "")
            smmu_queues.cmdq_error(record, int(match[1], 16), match[2].strip())
        elif match := _SYNC.match(text):
            record = self._add("smmuv3-sync-timeout", unit, line, "a CMD_SYNC was not completed in time")
            if match[1]:
                smmu_queues.sync_timeout(record, *(int(match[number], 16) for number in (1, 2, 3)))
        else:
            return False
        return True

    def _error(self, unit: str, line: LogLine, text: str) -> bool:
        if match := _GERROR.match(text):
            record = self._add("smmuv3-gerror", unit, line, "")
            smmu_queues.gerror(record, int(match[1], 16))
        elif match := _ABORT.match(text):
            what = "an interrupt message" if match[2] else "an entry"
            record = self._add("smmuv3-gerror", unit, line, f"the SMMU could not write {what} of {match[1]}")
            record.fields = {"queue": match[1], "message": bool(match[2])}
            record.lost = -1 if match[3] else 0
        elif text in _PLAIN:
            self._add("smmuv3-notice", unit, line, _PLAIN[text])
        else:
            return False
        return True


def _incomplete(each: _Open) -> None:
    """Its other lines never came; what the first one says stays."""
    each.record.notes.append(f"only {len(each.words)} of {each.size} words are here; the rest was lost")
    if each.words:
        each.record.fields = {"words": " ".join(f"{word:#018x}" for word in each.words)}
    if each.number is not None:
        names = {one.value: one.name for one in EventId}
        each.record.title = f"{names.get(each.number, 'unknown event')} ({each.number:#04x}), incomplete"


def _fields_of_text(match: re.Match[str]) -> dict[str, Value]:
    """The fields that the kernel's text has; None for those that it leaves out. ValueError for no numbers."""
    known = {one.name: one for one in EventId}
    numbers = {name: None if match[name] is None else int(match[name], 16) for name in ("sid", "ssid", "iova", "ipa")}
    fetch = None if match["fetch"] is None else int(match["fetch"], 16)
    ipa = numbers["ipa"] if fetch is None else fetch
    fields: dict[str, Value] = dict.fromkeys(
        ("ID", "SSV", "SSID", "SID", "STAG", "STALL", "PnU", "InD", "RnW", "S2", "CLASS", "InputAddr", "IPA")
    )
    told = {"SSID": numbers["ssid"], "SID": numbers["sid"], "InputAddr": numbers["iova"], "IPA": ipa}
    fields |= {name: hexadecimal(value) for name, value in told.items() if value is not None}
    fields["ID"] = known[match["name"]].value if match["name"] in known else None
    if numbers["ssid"]:
        fields["SSV"] = True
    return {"event": match["name"], **fields, "client": match["client"]}
