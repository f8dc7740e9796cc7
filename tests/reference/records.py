"""The bits of commands, descriptors and queue records, written down afresh: one number of 128 or 256 bits each.

A field is (lowest bit, width, shift of the value); nothing of the model under test.
"""

from __future__ import annotations

Fields = dict[str, tuple[int, int, int]]

_SID = {"sid": (32, 32, 0)}
_SSID = {"ssid": (12, 20, 0)}
_SSV = {"ssv": (11, 1, 0)}
_LEAF = {"leaf": (64, 1, 0)}
_VMID = {"vmid": (32, 16, 0)}
_ASID = {"asid": (48, 16, 0)}
_PAGE = {"address": (76, 52, 12)}

COMMANDS: dict[int, Fields] = {
    0x01: {**_SSV, **_SSID, **_SID},
    0x03: {**_SID, **_LEAF},
    0x04: {**_SID, "range": (64, 5, 0)},
    0x05: {**_SSID, **_SID, **_LEAF},
    0x06: _SID,
    0x10: _VMID,
    0x11: {**_VMID, **_ASID},
    0x12: {**_VMID, **_ASID, **_LEAF, **_PAGE},
    0x13: {**_VMID, **_LEAF, **_PAGE},
    0x20: {},
    0x21: _ASID,
    0x22: {**_ASID, **_LEAF, **_PAGE},
    0x28: _VMID,
    0x2A: {**_VMID, **_LEAF, **_PAGE},
    0x30: {},
    0x40: {**_SSV, **_SSID, **_SID, "global_": (9, 1, 0), "size": (64, 6, 0), **_PAGE},
    0x41: {**_SSV, **_SSID, **_SID, "prgi": (64, 9, 0), "resp": (76, 2, 0)},
    0x44: {**_SID, "resp": (12, 2, 0), "stag": (64, 16, 0)},
    0x45: _SID,
    0x46: {"cs": (12, 2, 0)},
}
"""IHI 0070 chapter 4."""

NEEDS_EL2 = {0x20, 0x21, 0x22}
NEEDS_STAGE_2 = {0x28, 0x2A}


def command(word: int, *, el2: bool, stage2: bool) -> dict[str, int] | None:
    """The fields of a command of the Non-secure queue; None: CERROR_ILL (sections 4.1.2, 4.5, 4.7)."""
    opcode = word & 0xFF
    if opcode not in COMMANDS or (opcode in NEEDS_EL2 and not el2) or (opcode in NEEDS_STAGE_2 and not stage2):
        return None
    found = read(COMMANDS[opcode], word)
    if opcode == 0x40 and found["size"] > 52:
        return None
    if opcode in (0x41, 0x46) and found.get("resp", found.get("cs")) == 3:
        return None
    if opcode == 0x44 and found["resp"] == 3:
        found["resp"] = 1
    return {"opcode": opcode, **found}


PAGE_REQUEST: Fields = {
    "sid": (0, 32, 0),
    "ssid": (32, 20, 0),
    "priv": (58, 1, 0),
    "execute": (59, 1, 0),
    "read": (60, 1, 0),
    "write": (61, 1, 0),
    "last": (62, 1, 0),
    "ssv": (63, 1, 0),
    "prgi": (64, 9, 0),
    "address": (76, 52, 12),
}
"""IHI 0070 section 8.1: an entry of the PRI queue."""

EVENT: Fields = {
    "id": (0, 8, 0),
    "ssv": (11, 1, 0),
    "ssid": (12, 20, 0),
    "sid": (32, 32, 0),
    "stag": (64, 16, 0),
    "stall": (95, 1, 0),
    "pnu": (97, 1, 0),
    "ind": (98, 1, 0),
    "rnw": (99, 1, 0),
    "s2": (103, 1, 0),
    "class_": (104, 2, 0),
    "address": (128, 64, 0),
    "ipa": (192, 64, 0),
}
"""IHI 0070 section 7.3: the fields that the records have in common."""


def refusal(*, enabled: bool, full: bool, last: bool, marker: bool, pasid: bool) -> str:
    """What becomes of a page request (sections 8.1, 8.2); "asks" means that STE.PPAR decides about the PASID."""
    if not enabled:
        return "dropped" if marker else "failure"
    if not full:
        return "queued"
    if marker or not last:
        return "dropped"
    return "asks" if pasid else "success"


VTD_PAGE_REQUEST: Fields = {
    "type": (0, 8, 0),
    "pasid_present": (8, 1, 0),
    "sid": (16, 16, 0),
    "pasid": (32, 20, 0),
    "execute": (52, 1, 0),
    "priv": (53, 1, 0),
    "read": (64, 1, 0),
    "write": (65, 1, 0),
    "last": (66, 1, 0),
    "prgi": (67, 9, 0),
    "address": (76, 52, 12),
}
"""The page request descriptor of VT-d."""

VTD_FAULT: Fields = {
    "address": (12, 52, 12),
    "sid": (64, 16, 0),
    "type2": (92, 1, 0),
    "priv": (93, 1, 0),
    "execute": (94, 1, 0),
    "pasid_present": (95, 1, 0),
    "reason": (96, 8, 0),
    "pasid": (104, 20, 0),
    "at": (124, 2, 0),
    "type1": (126, 1, 0),
    "f": (127, 1, 0),
}
"""The fault record register of VT-d."""

DESCRIPTORS: dict[int, Fields] = {
    1: {"granularity": (4, 2, 0), "did": (16, 16, 0), "sid": (32, 16, 0), "fm": (48, 2, 0)},
    2: {"granularity": (4, 2, 0), "did": (16, 16, 0), "am": (64, 6, 0), "ih": (70, 1, 0), "address": (76, 52, 12)},
    5: {
        "interrupt": (4, 1, 0),
        "write": (5, 1, 0),
        "fence": (6, 1, 0),
        "drain": (7, 1, 0),
        "data": (32, 32, 0),
        "address": (66, 62, 2),
    },
    6: {
        "granularity": (4, 2, 0),
        "did": (16, 16, 0),
        "pasid": (32, 20, 0),
        "am": (64, 6, 0),
        "ih": (70, 1, 0),
        "address": (76, 52, 12),
    },
    7: {"granularity": (4, 2, 0), "did": (16, 16, 0), "pasid": (32, 20, 0)},
    9: {
        "pasid_present": (4, 1, 0),
        "private": (5, 1, 0),
        "code": (12, 4, 0),
        "sid": (16, 16, 0),
        "pasid": (32, 20, 0),
        "last": (66, 1, 0),
        "prgi": (67, 9, 0),
    },
}
"""Descriptors of the invalidation queue that need no more than their bits."""


def read(fields: Fields, word: int) -> dict[str, int]:
    """The value of every field."""
    return {name: (word >> low & ((1 << width) - 1)) << shift for name, (low, width, shift) in fields.items()}


def write(fields: Fields, values: dict[str, int]) -> int:
    """The record with these values; fields that are not named are 0."""
    return sum((values.get(name, 0) >> shift) << low for name, (low, _, shift) in fields.items())
