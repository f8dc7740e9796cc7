"""PRIQ entries and the acceptance rules of the PRI queue (smmuv3 §1.8): after an overflow nothing is written
until software acknowledges it, and the SMMU itself answers what it must not lose."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

from hw.bus import Pasid, PhysAddr, Prgi, StreamId, VirtAddr
from hw.fields import Field
from hw.memory import Memory
from hw.pcie.tlp import NO_PASID, PageRequest, ResponseCode
from hw.smmuv3.queues import Accepted, Dropped, DropReason, OutputQueue, Ring, overflow_pending

ENTRY_WORDS = 2

SID = Field(0, 32)
SSID = Field(32, 20)
PRIV = Field(58, 1)
X = Field(59, 1)
R = Field(60, 1)
W = Field(61, 1)
L = Field(62, 1)
SSV = Field(63, 1)
PRGIndex = Field(0, 9)
Address = Field(12, 52)

_STOP_MARKER_BITS = L.mask | R.mask | W.mask | SSV.mask
_STOP_MARKER = L.mask | SSV.mask


@dataclass(frozen=True, slots=True, kw_only=True)
class PageRequestEntry:
    """A page request (PPR) as software finds it in the queue."""

    sid: StreamId
    ssid: Pasid
    ssv: bool
    read: bool
    write: bool
    execute: bool
    priv: bool
    last: bool
    prgi: Prgi
    address: VirtAddr

    @property
    def pasid(self) -> Pasid:
        """What PCIe calls the SubstreamID."""
        return self.ssid

    @property
    def is_stop_marker(self) -> bool:
        """L,W,R = 1,0,0 with SSV=1; without a PASID the same pattern is an ordinary PPR."""
        return self.ssv and self.last and not (self.read or self.write)


def encode(entry: PageRequestEntry) -> tuple[int, int]:
    """The two words of an entry."""
    q0 = SSID.put(SID.put(0, entry.sid), entry.ssid)
    q0 = X.put(PRIV.put(q0, entry.priv), entry.execute)
    q0 = W.put(R.put(q0, entry.read), entry.write)
    q0 = SSV.put(L.put(q0, entry.last), entry.ssv)
    if entry.address & ((1 << Address.low) - 1):
        raise ValueError(f"page request for {entry.address:#x}: the address must be a multiple of 4096")
    return q0, PRGIndex.put(entry.address, entry.prgi)


@lru_cache(maxsize=4096)  # pure, and asked for the same few entries in every run
def decode(q0: int, q1: int) -> PageRequestEntry:
    """The entry that two words say."""
    return PageRequestEntry(
        sid=StreamId(SID.get(q0)),
        ssid=Pasid(SSID.get(q0)),
        ssv=bool(q0 & SSV.mask),
        read=bool(q0 & R.mask),
        write=bool(q0 & W.mask),
        execute=bool(q0 & X.mask),
        priv=bool(q0 & PRIV.mask),
        last=bool(q0 & L.mask),
        prgi=Prgi(PRGIndex.get(q1)),
        address=VirtAddr(q1 & Address.mask),
    )


def is_stop_marker_word(q0: int) -> bool:
    """The stop marker test on the first word alone, as a driver reads it."""
    return q0 & _STOP_MARKER_BITS == _STOP_MARKER


def entry_of(request: PageRequest) -> PageRequestEntry:
    """The queue entry that a Page Request message becomes."""
    has_pasid = request.pasid != NO_PASID
    return PageRequestEntry(
        sid=request.sid,
        ssid=request.pasid if has_pasid else Pasid(0),
        ssv=has_pasid,
        read=request.read,
        write=request.write,
        execute=request.execute,
        priv=request.priv,
        last=request.last,
        prgi=request.prgi,
        address=VirtAddr(request.address & Address.mask),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class AutoResponse:
    """The SMMU answers the group itself, without software."""

    code: ResponseCode
    with_pasid: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class AsksEntry:
    """The SMMU answers the group itself, as soon as it knows what the STE says of the PASID (IHI 0070 §8.1)."""

    def answer(self, ppar: bool | None) -> AutoResponse:
        """Success with the PASID that STE.PPAR allows; Failure if the STE cannot be read (None)."""
        code = ResponseCode.FAILURE if ppar is None else ResponseCode.SUCCESS
        return AutoResponse(code=code, with_pasid=bool(ppar))


class Priq(OutputQueue):
    """The PRI queue, as the SMMU fills it; `pps` is IDR3.PPS: automatic responses always carry the PASID."""

    __slots__ = ("pps",)

    def __init__(
        self, memory: Memory, ring: Ring, prod_register: PhysAddr, cons_register: PhysAddr, *, pps: bool = False
    ) -> None:
        """Attach to a ring and its registers; nothing is written."""
        super().__init__(memory, ring, prod_register, cons_register)
        self.pps = pps

    def accept(self, entry: PageRequestEntry, *, enabled: bool = True) -> Accepted | AutoResponse | AsksEntry | Dropped:
        """Queue a PPR, or refuse it as smmuv3 §1.8 demands; `enabled` is PRIQEN and SMMUEN."""
        if not enabled:
            if entry.is_stop_marker:
                return Dropped(reason=DropReason.DISABLED)
            return AutoResponse(code=ResponseCode.FAILURE, with_pasid=False)
        prod, cons = self.pointers()
        if overflow_pending(prod, cons):
            return self._refuse(entry, DropReason.OVERFLOW_PENDING)
        if self.ring.full(prod, cons):
            self.signal_overflow(prod, cons)
            return self._refuse(entry, DropReason.FULL)
        return self.push(encode(entry), prod, cons)

    def _refuse(self, entry: PageRequestEntry, reason: DropReason) -> AutoResponse | AsksEntry | Dropped:
        """Only a group's Last is answered; a marker wants no answer. Without a PASID no STE is asked."""
        if not entry.last or entry.is_stop_marker:
            return Dropped(reason=reason)
        if entry.ssv and not self.pps:
            return AsksEntry()
        return AutoResponse(code=ResponseCode.SUCCESS, with_pasid=entry.ssv)
