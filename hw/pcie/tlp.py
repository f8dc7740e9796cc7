"""The PCIe messages between an endpoint and the IOMMU, and which may overtake which (vtd-pcie §1.1).

Every field is an int or a bool, so that a message can be packed as a plain array in field order."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from typing import Protocol

from hw.bus import Pasid, PhysAddr, Prgi, StreamId, VirtAddr

NO_PASID = Pasid(-1)
"""The message has no PASID prefix; PASID 0 is an ordinary PASID."""


class CompletionStatus(IntEnum):
    """How a non-posted request ended."""

    SUCCESS = 0
    UR = 1
    CA = 4


class ResponseCode(IntEnum):
    """What a PRG Response says; a device treats any other code as FAILURE."""

    SUCCESS = 0
    INVALID = 1
    FAILURE = 15


@dataclass(frozen=True, slots=True, kw_only=True)
class TranslationRequest:
    """The endpoint asks for the translation of a page (ATS); `write` says that it wants to write there."""

    sid: StreamId
    pasid: Pasid
    address: VirtAddr
    write: bool
    tag: int


@dataclass(frozen=True, slots=True, kw_only=True)
class TranslationCompletion:
    """The answer; SUCCESS without `read` and `write` is a hole: nothing is mapped that the endpoint may use."""

    sid: StreamId
    tag: int
    status: CompletionStatus
    page: PhysAddr
    read: bool
    write: bool


class Grant(Protocol):
    """A page and the rights to it, as an IOMMU found or remembers them."""

    @property
    def page(self) -> PhysAddr:
        """The page."""
        ...

    @property
    def readable(self) -> bool:
        """An unprivileged read is allowed."""
        ...

    @property
    def writable(self) -> bool:
        """An unprivileged write is allowed."""
        ...


def completion_of(
    request: TranslationRequest, status: CompletionStatus, grant: Grant | None = None
) -> TranslationCompletion:
    """The answer to a request; without a grant it allows nothing."""
    return TranslationCompletion(
        sid=request.sid,
        tag=request.tag,
        status=status,
        page=PhysAddr(0) if grant is None else grant.page,
        read=grant is not None and grant.readable,
        write=grant is not None and grant.writable,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class PageRequest:
    """The endpoint asks software to make a page present (PRI)."""

    sid: StreamId
    pasid: Pasid
    address: VirtAddr
    read: bool
    write: bool
    last: bool
    prgi: Prgi
    priv: bool = False
    execute: bool = False

    @property
    def is_stop_marker(self) -> bool:
        """Last without Read and Write marks the end of a PASID; without a PASID it is an ordinary request."""
        return self.last and not self.read and not self.write and self.pasid != NO_PASID


@dataclass(frozen=True, slots=True, kw_only=True)
class PrgResponse:
    """Software's, or the IOMMU's own, answer to a whole page request group."""

    sid: StreamId
    pasid: Pasid
    prgi: Prgi
    code: ResponseCode


@dataclass(frozen=True, slots=True, kw_only=True)
class InvalidateRequest:
    """The endpoint must forget `pages` pages from `address`, or `everything`."""

    sid: StreamId
    pasid: Pasid
    address: VirtAddr
    pages: int
    everything: bool
    itag: int


@dataclass(frozen=True, slots=True, kw_only=True)
class InvalidateCompletion:
    """Nothing uses what the request named any more."""

    sid: StreamId
    itag: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Dma:
    """A memory read or write; `translated` means that `address` came out of the ATC (AT=10)."""

    sid: StreamId
    pasid: Pasid
    address: int
    write: bool
    translated: bool
    tag: int
    value: int


@dataclass(frozen=True, slots=True, kw_only=True)
class DmaCompletion:
    """The end of a memory read; it also carries `value`, what was read."""

    sid: StreamId
    tag: int
    ok: bool
    value: int = 0


class ConfigRegister(IntEnum):
    """A control bit in the configuration space of a function."""

    PRI_ENABLE = 0
    INITIATE_FLR = 1
    ATS_ENABLE = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class ConfigurationWrite:
    """The host writes a control bit of a function."""

    sid: StreamId
    register: ConfigRegister
    value: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ConfigurationCompletion:
    """The write is done. It may pass what the function has posted, so that says nothing about its page requests."""

    sid: StreamId


@dataclass(frozen=True, slots=True, kw_only=True)
class ConfigurationRead:
    """The host reads a function's configuration space."""

    sid: StreamId


@dataclass(frozen=True, slots=True, kw_only=True)
class ConfigurationData:
    """What was read. It passes nothing: whatever the function had posted before has arrived."""

    sid: StreamId


Tlp = (
    TranslationRequest
    | TranslationCompletion
    | PageRequest
    | PrgResponse
    | InvalidateRequest
    | InvalidateCompletion
    | Dma
    | DmaCompletion
    | ConfigurationWrite
    | ConfigurationCompletion
    | ConfigurationRead
    | ConfigurationData
)


class Channel(IntEnum):
    """The ordering class of a message."""

    POSTED = 0
    NON_POSTED = 1
    COMPLETION = 2


def stop_marker(sid: StreamId, pasid: Pasid) -> PageRequest:
    """The message after which no page request of the PASID's old life can follow; it takes no credit and no answer."""
    if pasid == NO_PASID:
        raise ValueError("stop marker without PASID: it would be an ordinary page request")
    return PageRequest(sid=sid, pasid=pasid, address=VirtAddr(0), read=False, write=False, last=True, prgi=Prgi(0))


def request_to_write(sid: StreamId, pasid: Pasid, address: VirtAddr, prgi: Prgi, *, last: bool) -> PageRequest:
    """A page request of a group in which the device asks for pages that it is going to write to."""
    return PageRequest(sid=sid, pasid=pasid, address=address, read=False, write=True, last=last, prgi=prgi)


_CHANNELS: dict[type, Channel] = {
    PageRequest: Channel.POSTED,
    PrgResponse: Channel.POSTED,
    InvalidateRequest: Channel.POSTED,
    InvalidateCompletion: Channel.POSTED,
    TranslationRequest: Channel.NON_POSTED,
    ConfigurationWrite: Channel.NON_POSTED,
    ConfigurationRead: Channel.NON_POSTED,
    TranslationCompletion: Channel.COMPLETION,
    DmaCompletion: Channel.COMPLETION,
    ConfigurationCompletion: Channel.COMPLETION,
    ConfigurationData: Channel.COMPLETION,
}


def channel_of(message: object) -> Channel | None:
    """Which class a message travels in: PRI and invalidation messages are all posted, TRs are like reads.

    None for what is no message of PCIe.
    """
    if isinstance(message, Dma):
        return Channel.POSTED if message.write else Channel.NON_POSTED
    return _CHANNELS.get(type(message))


def may_overtake(later: Channel, earlier: Channel) -> bool:
    """Whether `later` may arrive before `earlier`: nothing passes a posted message, everything else is unordered.

    It is so in both directions: there is one traffic class, and no relaxed or ID-based ordering (vtd-pcie §1.1). The
    completion of a configuration write is apart: it may pass everything (D2b), and its sender says so.
    """
    return earlier is not Channel.POSTED
