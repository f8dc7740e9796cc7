"""EVTQ records and the rules of a full event queue (smmuv3 §1.7): other records are dropped and toggle OVFLG,
stall records are never dropped, and a pending overflow does not stop the queue."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

from hw.bus import Pasid, StreamId
from hw.fields import Field, decode_layout, encode_layout
from hw.smmuv3.queues import Accepted, Dropped, DropReason, OutputQueue

ENTRY_WORDS = 4
_NO_SSID = Pasid(0)

LAYOUT = (
    {"ID": Field(0, 8), "SSV": Field(11, 1), "SSID": Field(12, 20), "SID": Field(32, 32)},
    {
        "STAG": Field(0, 16),
        "STALL": Field(31, 1),
        "PnU": Field(33, 1),
        "InD": Field(34, 1),
        "RnW": Field(35, 1),
        "S2": Field(39, 1),
        "CLASS": Field(40, 2),
    },
    {"InputAddr": Field(0, 64)},
    {"IPA": Field(0, 64)},
)


TTRNW = Field(44, 1)
"""Word 1: whether a walk read or wrote the table whose access F_PERMISSION refuses with CLASS=TTD; no walk of the model
meets that, so it is no field of its records."""


class EventId(IntEnum):
    """What an event record reports."""

    F_UUT = 0x01
    C_BAD_STREAMID = 0x02
    F_STE_FETCH = 0x03
    C_BAD_STE = 0x04
    F_BAD_ATS_TREQ = 0x05
    F_STREAM_DISABLED = 0x06
    F_TRANSL_FORBIDDEN = 0x07
    C_BAD_SUBSTREAMID = 0x08
    F_CD_FETCH = 0x09
    C_BAD_CD = 0x0A
    F_WALK_EABT = 0x0B
    F_TRANSLATION = 0x10
    F_ADDR_SIZE = 0x11
    F_ACCESS = 0x12
    F_PERMISSION = 0x13
    F_TLB_CONFLICT = 0x20
    F_CFG_CONFLICT = 0x21
    E_PAGE_REQUEST = 0x24
    F_VMS_FETCH = 0x25


class EventClass(IntEnum):
    """Which access of the SMMU met the problem."""

    CD = 0
    TTD = 1
    IN = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class EventRecord:
    """One entry of the event queue."""

    id: EventId
    sid: StreamId
    ssv: bool = False
    ssid: Pasid = _NO_SSID
    stag: int = 0
    stall: bool = False
    privileged: bool = False
    instruction: bool = False
    read: bool = False
    stage2: bool = False
    event_class: EventClass = EventClass.CD
    address: int = 0
    ipa: int = 0


def encode(record: EventRecord) -> tuple[int, ...]:
    """The four words of a record."""
    return encode_layout(
        LAYOUT,
        {
            "ID": record.id,
            "SSV": record.ssv,
            "SSID": record.ssid,
            "SID": record.sid,
            "STAG": record.stag,
            "STALL": record.stall,
            "PnU": record.privileged,
            "InD": record.instruction,
            "RnW": record.read,
            "S2": record.stage2,
            "CLASS": record.event_class,
            "InputAddr": record.address,
            "IPA": record.ipa,
        },
    )


def decode(words: tuple[int, ...]) -> EventRecord:
    """The record that four words say; an unknown event number is refused by `EventId`."""
    values = decode_layout(LAYOUT, words)
    return EventRecord(
        id=EventId(values["ID"]),
        sid=StreamId(values["SID"]),
        ssv=bool(values["SSV"]),
        ssid=Pasid(values["SSID"]),
        stag=values["STAG"],
        stall=bool(values["STALL"]),
        privileged=bool(values["PnU"]),
        instruction=bool(values["InD"]),
        read=bool(values["RnW"]),
        stage2=bool(values["S2"]),
        event_class=EventClass(values["CLASS"]),
        address=values["InputAddr"],
        ipa=values["IPA"],
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Full:
    """No room for a stall record: the transaction waits and is tried again once there is."""


class Evtq(OutputQueue):
    """The event queue, as the SMMU fills it."""

    __slots__ = ()

    def append(self, record: EventRecord) -> Accepted | Dropped | Full:
        """Append a record, or do what its kind demands of a full queue."""
        prod, cons = self.pointers()
        if not self.ring.full(prod, cons):
            return self.push(encode(record), prod, cons)
        if record.stall:
            return Full()
        self.signal_overflow(prod, cons)
        return Dropped(reason=DropReason.FULL)
