"""SMMUv3 event records (smmuv3 §1.7): four raw words, or the kernel's own text of them, and what each rules out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from hw.bus import PAGE_SHIFT
from hw.fields import decode_layout
from hw.smmuv3.evtq import LAYOUT, TTRNW, EventClass, EventId

from .log_record import LogRecord, Value, hexadecimal, null_page, unknown_bits

_ACCESS = {
    EventId.F_UUT,
    EventId.F_TRANSL_FORBIDDEN,
    EventId.F_WALK_EABT,
    EventId.F_TRANSLATION,
    EventId.F_ADDR_SIZE,
    EventId.F_ACCESS,
    EventId.F_PERMISSION,
    EventId.F_TLB_CONFLICT,
}
"""Events of one access, whose address and attributes the record holds."""
_FETCHES = {EventId.F_STE_FETCH, EventId.F_CD_FETCH, EventId.F_VMS_FETCH}
"""Word 3 is the address of what could not be fetched."""
_STALLING = {EventId.F_TRANSLATION, EventId.F_ADDR_SIZE, EventId.F_ACCESS, EventId.F_PERMISSION}
_CONFIGURATION = {
    EventId.C_BAD_STREAMID,
    EventId.F_STE_FETCH,
    EventId.C_BAD_STE,
    EventId.F_STREAM_DISABLED,
    EventId.C_BAD_SUBSTREAMID,
    EventId.F_CD_FETCH,
    EventId.C_BAD_CD,
}
_FLAGS = ("SSV", "STALL", "PnU", "InD", "RnW", "S2")
_LEAVES = {
    EventId.C_BAD_STREAMID: "no STE belongs to this StreamID",
    EventId.C_BAD_STE: "the STE is not valid (V=0) or illegal",
    EventId.F_STREAM_DISABLED: "the STE does not take an access with, or without, a PASID as this one",
    EventId.C_BAD_SUBSTREAMID: "the SSID lies beyond the CD table, or its level 1 descriptor has V=0",
    EventId.C_BAD_CD: "the CD is not valid (V=0: not bound, or unbound already) or illegal",
    EventId.F_TRANSL_FORBIDDEN: "the device used a translation that it holds although the STE refuses ATS "
    "(EATS=0, CR0.ATSCHK=1): ATS was left on in the device, or its ATC holds an entry from before",
    EventId.F_BAD_ATS_TREQ: "the device asked for a translation although the STE refuses ATS (EATS=0, or bypass)",
    EventId.F_TLB_CONFLICT: "two TLB entries answer one address: an entry was not invalidated before its table changed",
    EventId.F_CFG_CONFLICT: "two cached configurations answer one access: CFGI was left out where a structure changed",
}


def fields_of_words(words: Sequence[int]) -> dict[str, Value]:
    """The fields of a raw record, by their specified names."""
    values = decode_layout(LAYOUT, words)
    fields: dict[str, Value] = {name: bool(value) if name in _FLAGS else value for name, value in values.items()}
    for name in ("SID", "SSID", "InputAddr", "IPA"):
        fields[name] = hexadecimal(values[name])
    name = _name(values["ID"])
    return {"event": name, **fields, "words": " ".join(f"{word:#018x}" for word in words)}


def notes_of_words(words: Sequence[int]) -> list[str]:
    """What a raw record has set that no field explains."""
    values = decode_layout(LAYOUT, words)
    kind = _event(values["ID"])
    layout = list(LAYOUT)
    names_table = kind is EventId.F_PERMISSION and values["CLASS"] == EventClass.TTD
    if names_table:
        layout[1] = {**LAYOUT[1], "TTRnW": TTRNW}
    notes = unknown_bits(layout, words)
    if words[1] & TTRNW.mask and not names_table:
        notes.append("bit 44 is TTRnW in an F_PERMISSION with CLASS=TTD only, so it says nothing here")
    if kind is None:
        notes.append(f"event {values['ID']:#04x}: no event of this number is known here; its fields may lie elsewhere")
    if values["CLASS"] not in set(EventClass):
        notes.append("CLASS=3 is reserved")
    if kind in _CONFIGURATION - _FETCHES and any(words[1:]):
        notes.append(f"{kind.name} has fields in word 0 only, and other words are not 0")
    return notes


def describe(record: LogRecord) -> None:
    """Write the title of an event from its fields, and what it rules out."""
    fields = record.fields
    kind = _event(fields["ID"])
    number = "" if fields["ID"] is None else f" ({fields['ID']:#04x})"
    parts = [f"{fields['event']}{number}", f"StreamID {fields['SID']}"]
    if fields.get("client"):
        parts.append(f"client {fields['client']}")
    without = fields["SSV"] is False or (fields["SSV"] is None and fields["SSID"] == "0x0")
    parts.append("no SSID" if without else f"SSID {fields['SSID']}")
    if kind in _ACCESS and fields["InputAddr"] is not None:
        parts += _access(fields)
    elif kind in _FETCHES:
        parts.append(f"fetched from {fields['IPA']}")
    elif kind is EventId.F_BAD_ATS_TREQ and fields["InputAddr"] is not None:
        parts.append(f"address {fields['InputAddr']}")
    record.title = ", ".join(parts)
    record.rules_out = _rules_out(kind, fields, without)


def _access(fields: Mapping[str, Value]) -> list[str]:
    if fields["RnW"] is None:
        return [f"address {fields['InputAddr']}"]
    who = "privileged" if fields["PnU"] else "unprivileged"
    what = "instruction" if fields["InD"] else "data"
    told = [f"{who} {what} {'read' if fields['RnW'] else 'write'} of {fields['InputAddr']}"]
    if fields["S2"]:
        told.append(f"stage 2, IPA {fields['IPA']}")
    told.append(f"CLASS={_class(fields['CLASS'])}")
    told.append(f"stalled, STAG {fields['STAG']:#x}" if fields["STALL"] else "not stalled")
    return told


def _rules_out(kind: EventId | None, fields: Mapping[str, Value], without: bool) -> list[str]:
    found = []
    if without:
        form = "SSV=0" if fields["SSV"] is False else "SSID 0, which Linux keeps for traffic without a PASID"
        found.append(f"not SVA: the access carried no PASID ({form}), so no page table of a process was walked for it")
    if kind in _CONFIGURATION:
        found.append("not a missing page: the configuration was refused, which never stalls (smmuv3 §1.2)")
    if kind in _LEAVES:
        found.append(f"left: {_LEAVES[kind]}")
    address = fields["InputAddr"]
    if (
        kind in _ACCESS
        and kind is not EventId.F_UUT
        and isinstance(address, str)
        and not int(address, 16) >> PAGE_SHIFT
    ):
        found.append(null_page(address))
    if kind in (EventId.F_PERMISSION, EventId.F_ACCESS):
        found.append("not an unmapped page: a descriptor for the address was there when the SMMU walked")
    if kind in _STALLING and fields["STALL"] is True:
        found.append(
            "not lost, and not over: the access waits for a RESUME with this STAG; a stall record is never dropped, "
            "also where EVTQ overflows (smmuv3 §1.7)"
        )
    if kind in _STALLING and fields["STALL"] is False:
        found.append(
            "not a page fault that software could resolve: the access has ended, and nobody waits for a RESUME"
        )
    if kind is EventId.F_TRANSLATION and fields["SSV"] and fields["S2"] is False:
        found.append(
            "not the quiet CD that stays after the exit of a process: it records nothing (R=0, smmuv3 §1.2), unless "
            "the SMMU forces stalls or the kernel is older than b41932f54458"
        )
    return found


def _event(number: Value) -> EventId | None:
    return EventId(number) if number in set(EventId) else None


def _name(number: int) -> str:
    kind = _event(number)
    return "unknown event" if kind is None else kind.name


def _class(number: Value) -> str:
    return EventClass(number).name if number in set(EventClass) else f"{number} (reserved)"
