"""VT-d fault reasons as a log names them (vtd-pcie §2.2): those of the scalable mode, which the model has, and those of
the legacy mode and of interrupt remapping, which it has not."""

from __future__ import annotations

from hw.bus import PAGE_SHIFT
from hw.vtd.faults import FaultReason

from .log_record import LogRecord, null_page

LEGACY = {
    0x01: ("ROOT_P", "no root entry for this bus"),
    0x02: ("CONTEXT_P", "no context entry for this function: nothing is attached"),
    0x03: ("CONTEXT_INVALID", "the context entry is illegal"),
    0x04: ("ADDRESS_TOO_LARGE", "the address is beyond the width of the domain"),
    0x05: ("PTE_WRITE", "no page, or no right to write"),
    0x06: ("PTE_READ", "no page, or no right to read"),
    0x07: ("NEXT_TABLE", "a page table could not be read"),
    0x08: ("ROOT_TABLE_ADDRESS", "the root table could not be read"),
    0x09: ("CONTEXT_TABLE_ADDRESS", "a context table could not be read"),
    0x0A: ("ROOT_RESERVED", "reserved bits in the root entry"),
    0x0B: ("CONTEXT_RESERVED", "reserved bits in the context entry"),
    0x0C: ("PTE_RESERVED", "reserved bits in a page table entry"),
    0x0D: ("TRANSLATION_REQUEST_BLOCKED", "the context entry does not allow translation requests"),
    0x20: ("IR_RESERVED_REQUEST", "reserved bits in an interrupt request"),
    0x21: ("IR_INDEX", "the interrupt index is beyond the table"),
    0x22: ("IR_ENTRY_P", "the interrupt entry is not present"),
    0x23: ("IR_TABLE_ADDRESS", "the interrupt table could not be read"),
    0x24: ("IR_ENTRY_RESERVED", "reserved bits in the interrupt entry"),
    0x25: ("IR_COMPATIBILITY", "an interrupt in compatibility format was blocked"),
    0x26: ("IR_SOURCE", "the interrupt entry is for another device"),
}
"""Reasons below 0x38, with what they mean."""

_PAGE_WALK = {0x05, 0x06, 0x07, 0x0C, *(reason for reason in FaultReason if reason >= FaultReason.FIRST_LEVEL_ACCESS)}
"""A page table was walked, so the address is what failed."""
_ABOVE = {
    *range(0x01, 0x04),
    *range(0x08, 0x0C),
    *(reason for reason in FaultReason if reason <= FaultReason.CONTEXT_ENTRY_INVALID),
}
"""Root and context entries, above every PASID."""
_UNQUALIFIED = {FaultReason.PASID_DIRECTORY_ACCESS, FaultReason.PASID_ENTRY_ACCESS}
"""Recorded even where FPD=1."""


def reason_name(reason: int) -> str:
    """What the field is called here; empty if it is not known."""
    if reason in set(FaultReason):
        return FaultReason(reason).name
    return LEGACY[reason][0] if reason in LEGACY else ""


def describe(record: LogRecord, reason: int, pasid: int | None, address: int, text: str) -> None:
    """Add to a DMA fault what its reason means, and what it rules out."""
    if not reason_name(reason):
        record.notes.append(f"reason {reason:#x} is not known here; the line says: {text or 'nothing'}")
    elif reason in LEGACY:
        record.notes.append(f"reason {reason:#x}: {LEGACY[reason][1]}")
    out = record.rules_out
    if pasid is None:
        out.append("not SVA: the request carried no PASID")
    if reason in _ABOVE:
        out.append("not the tear-down of a PASID: the request ended above the PASID table, at root or context entry")
    if reason in _PAGE_WALK and address >> PAGE_SHIFT == 0:
        out.append(null_page(f"{address:#x}"))
    if reason >= FaultReason.FIRST_LEVEL_ACCESS and reason in _PAGE_WALK and pasid is not None:
        out.append("not an unbound PASID: its entry was present, as hardware walked the first level below it")
    if pasid is not None and reason in (FaultReason.PASID_DIRECTORY_P, FaultReason.PASID_ENTRY_P):
        out.append(
            "not the time between the exit of a process and its unbind: FPD=1 would have silenced the record then "
            "(vtd-pcie §3.3), but on kernels before 37e91bd4b39e; left: never bound, or unbound already"
        )
    if reason in set(FaultReason) and reason not in _UNQUALIFIED and reason >= FaultReason.PASID_DIRECTORY_ACCESS:
        out.append("not a recoverable fault: page requests leave no such record (vtd-pcie §2.2); the access has ended")
