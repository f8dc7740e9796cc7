"""Page request descriptors and the rules of the page request queue (vtd-pcie §2.3): after an overflow nothing
is queued until software clears PRO, and hardware itself answers what it must not lose."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from functools import lru_cache

from hw.bus import PAGE_SHIFT, Pasid, PhysAddr, Prgi, Resource, StreamId, VirtAddr
from hw.fields import Field, decode_layout, encode_layout
from hw.memory import WORD_BYTES, Memory
from hw.pcie.tlp import NO_PASID, PageRequest, PrgResponse, ResponseCode
from hw.vtd.registers import PPR, PRO, Registers, raise_event, word_resource
from hw.vtd.ring import ByteRing

PAGE_REQUEST_TYPE = 1
LAYOUT: tuple[Mapping[str, Field], ...] = (
    {
        "TYPE": Field(0, 8),
        "PP": Field(8, 1),
        "PDP": Field(9, 1),
        "RID": Field(16, 16),
        "PASID": Field(32, 20),
        "EXR": Field(52, 1),
        "PMR": Field(53, 1),
    },
    {"RD": Field(0, 1), "WR": Field(1, 1), "LPIG": Field(2, 1), "PRGI": Field(3, 9), "ADDR": Field(12, 52)},
    {},
    {},
)
"""Words 2 and 3 would hold private data, which no device here sends."""


@lru_cache(maxsize=4096)  # pure, and asked for the same few descriptors in every run
def encode(request: PageRequest) -> tuple[int, ...]:
    """The four words of the descriptor that a request becomes: the address says the page, PP=0 is NO_PASID."""
    with_pasid = request.pasid != NO_PASID
    return encode_layout(
        LAYOUT,
        {
            "TYPE": PAGE_REQUEST_TYPE,
            "PP": with_pasid,
            "RID": request.sid,
            "PASID": request.pasid if with_pasid else 0,
            "EXR": request.execute,
            "PMR": request.priv,
            "RD": request.read,
            "WR": request.write,
            "LPIG": request.last,
            "PRGI": request.prgi,
            "ADDR": request.address >> PAGE_SHIFT,
        },
    )


@lru_cache(maxsize=4096)
def decode(qwords: tuple[int, ...]) -> PageRequest:
    """The request that a descriptor's four words say, for a whole page; TYPE is not looked at, as there is but one."""
    values = decode_layout(LAYOUT, qwords)
    return PageRequest(
        sid=StreamId(values["RID"]),
        pasid=Pasid(values["PASID"]) if values["PP"] else NO_PASID,
        address=VirtAddr(values["ADDR"] << PAGE_SHIFT),
        read=bool(values["RD"]),
        write=bool(values["WR"]),
        last=bool(values["LPIG"]),
        prgi=Prgi(values["PRGI"]),
        execute=bool(values["EXR"]),
        priv=bool(values["PMR"]),
    )


class RefusalReason(Enum):
    """Why a page request never reached the queue."""

    NOT_TRANSLATABLE = "context or PASID entry forbids it"
    FULL = "the queue is full, PRO was set"
    OVERFLOW = "PRO is set"


@dataclass(frozen=True, slots=True, kw_only=True)
class Queued:
    """The request lies in the queue; `interrupt` says whether the page request event interrupt goes out."""

    slot: PhysAddr
    interrupt: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Refused:
    """Hardware keeps the request from software: it answers with `response`, or drops it without a word."""

    reason: RefusalReason
    response: PrgResponse | None
    interrupt: bool = False


class Prq:
    """The page request queue as hardware fills it; PQH, PQT and PRS are words in memory, as software sees them.

    `sms` is ECAP.SMS: a stop marker that cannot be queued is silently lost. Without it the outcome is undefined, and
    here the marker is answered as the Last of an ordinary group would be, which the device does not expect.
    `overflow_code` is Success on VT-d: the device retries until PRO is clear. None is hardware that loses requests.
    """

    __slots__ = ("memory", "overflow_code", "registers", "ring", "sms", "tail")

    def __init__(
        self,
        memory: Memory,
        ring: ByteRing,
        registers: Registers,
        *,
        sms: bool = True,
        overflow_code: ResponseCode | None = ResponseCode.SUCCESS,
    ) -> None:
        """Attach to a ring and its registers; nothing is written."""
        self.memory = memory
        self.ring = ring
        self.registers = registers
        self.sms = sms
        self.tail = memory.read(registers.PQT)
        """PQT, which nobody else moves."""
        self.overflow_code = overflow_code

    def footprint(self) -> tuple[tuple[Resource, ...], tuple[Resource, ...]]:
        """What a step reads and writes that calls `accept`."""
        registers = self.registers
        slot = self.ring.slot(self.tail)
        words = [slot + offset * WORD_BYTES for offset in range(len(LAYOUT))]
        writes = (registers.PQT, registers.PRS, registers.PECTL, *map(PhysAddr, words))
        return (word_resource(registers.PQH),), tuple(word_resource(word) for word in writes)

    def accept(self, request: PageRequest) -> Queued | Refused:
        """Queue a request that passed the checks of `hw.vtd.translate`, or refuse it as vtd-pcie §2.3 demands."""
        memory, registers = self.memory, self.registers
        status = memory.read(registers.PRS)
        if status & PRO.mask:
            return Refused(reason=RefusalReason.OVERFLOW, response=self._answer(request, self.overflow_code))
        head, tail = memory.read(registers.PQH), memory.read(registers.PQT)
        if self.ring.full(head, tail):
            interrupt = self._signal(status, PRO.mask)
            answer = self._answer(request, self.overflow_code)
            return Refused(reason=RefusalReason.FULL, response=answer, interrupt=interrupt)
        slot = self.ring.slot(tail)
        for offset, word in enumerate(encode(request)):
            memory.write(PhysAddr(slot + offset * WORD_BYTES), word)
        self.tail = self.ring.next(tail)
        memory.write(registers.PQT, self.tail)
        return Queued(slot=slot, interrupt=self._signal(status, PPR.mask))

    def refuse(self, request: PageRequest, code: ResponseCode) -> Refused:
        """Keep a request out whose context or PASID entry forbids it; FPD makes no difference."""
        return Refused(reason=RefusalReason.NOT_TRANSLATABLE, response=self._answer(request, code))

    def _signal(self, status: int, bit: int) -> bool:
        """Set PPR or PRO: whether the interrupt goes out, as it does only if neither was set."""
        self.memory.write(self.registers.PRS, status | bit)
        return not status & (PPR.mask | PRO.mask) and raise_event(self.memory, self.registers.PECTL)

    def _answer(self, request: PageRequest, code: ResponseCode | None) -> PrgResponse | None:
        """Only a group's Last is answered; a marker wants no answer."""
        if code is None or not request.last or (self.sms and request.is_stop_marker):
            return None
        return PrgResponse(sid=request.sid, pasid=request.pasid, prgi=request.prgi, code=code)
