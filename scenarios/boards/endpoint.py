"""What stands on both sides of an IOMMU, whichever it is: the endpoint, the link, two processes, and the fault code.

Everything that has a capacity is tiny, so that wrap, overflow and reuse happen in every run.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import ClassVar, Required, TypedDict, TypeVar

from actors.devices.device import Device
from actors.devices.job import Job, jobs
from actors.iommus.iommu_units import IommuUnits
from actors.runtime.primitives.link import Link
from actors.runtime.primitives.workqueue import Workqueue
from actors.runtime.world import World
from drivers.cpu import Lock
from drivers.kernel.endpoint import Endpoint
from drivers.kernel.faults.iopf import FINDERS, FaultGroup, Iopf
from drivers.kernel.faults.page_requests import Intake, Responder, ResponseQueue
from drivers.kernel.function_reset import Drain
from drivers.kernel.iommu import QuietContexts, RequestQueue
from drivers.kernel.memory.mm import Mm
from drivers.kernel.memory.pasid import Bond, Pasids
from drivers.kernel.sva import InvalidatePasid, Sva
from hw.bus import Pasid, PhysAddr, StreamId, VirtAddr
from hw.memory import WORD_BYTES
from hw.paging.aarch64 import PageTables
from hw.pcie.ats import AtcEntry
from hw.pcie.pri import PageRequestInterface
from hw.pcie.tlp import (
    ConfigurationCompletion,
    ConfigurationData,
    ConfigurationRead,
    ConfigurationWrite,
    Dma,
    DmaCompletion,
    InvalidateCompletion,
    InvalidateRequest,
    PageRequest,
    PrgResponse,
    TranslationCompletion,
    TranslationRequest,
)

from ..parameters import one_of

SID = StreamId(0)
FIND = one_of(*FINDERS, default="worker", meaning="whether a fault's owner is looked up by worker or report")
PASID = Pasid(1)
BUFFER = 0x10_0000
ELSEWHERE = 0x10_0000
"""How far from there the pages of a process B are that does not have the device's addresses."""
SvaT = TypeVar("SvaT", bound=Sva)


class Options(TypedDict, total=False):
    """What a scenario says about its board, whichever IOMMU it has."""

    device: Required[Callable[..., Device]]
    """The kind of device, with what it is told beside what every device is told."""
    jobs: Callable[[Mm, Mm], list[Job]]
    """What the device has to do, given processes A and B; page request groups to the buffer if nothing is said."""
    buffer_in_b: bool
    """Whether process B has pages at the addresses that the device uses, as process A has, or at others."""
    repeats: int
    """How often the device does all of its jobs."""
    pri: Callable[[int], PageRequestInterface]
    """The device's page request interface, given its allocation."""
    pri_on: bool
    """Whether that is switched on."""
    report: int
    """What the endpoint's driver says when its device has stopped (`drivers.kernel.endpoint.REPORT`)."""
    announces: bool
    """Whether somebody asks when a tear-down begins (`drivers.kernel.endpoint.Endpoint`)."""
    requests: int
    """Page request groups."""
    group: int
    """Pages in each."""
    priq_log2size: int
    """Of the queue that page requests wait in."""
    credits: int
    """Outstanding page request allocation."""
    pasids: int
    """How many there are, from `PASID` on; process A has the first."""
    pushed: str
    """Where a stopped device's page requests are at least: in the queue ("priq"), or at the root complex."""
    put_async: bool
    """A fault that drops the last pin of an address space defers its end."""
    iopf: type[Iopf]
    intake: type[Intake]
    responder: Callable[[ResponseQueue], Responder]
    drains: bool
    """Whether the IOMMU's driver waits for page requests when it tears an entry down, if it is one that can."""
    srcu: Lock | None
    """What the release callback of process A runs under, for a driver whose unbind may wait for it."""


@dataclass(slots=True, kw_only=True)
class Platform(ABC):
    """What a scenario works with; `mm_a` is bound, `mm_b` waits for the PASID."""

    endpoint: Endpoint
    device: Device
    units: IommuUnits
    pasids: Pasids
    contexts: QuietContexts
    iopf: Iopf
    queue: RequestQueue
    mm_a: Mm
    mm_b: Mm
    bond: Bond
    drain: Drain
    """What the IOMMU's driver waits for before a PASID, or a tag, may mean somebody else."""

    atomic_release: ClassVar[bool]
    """Whether the mm's release callback runs where nothing may sleep."""

    def make_present(self, world: World, *, warm: bool = False, cached: bool = False) -> None:
        """Process A has touched all its pages; `warm`: the IOMMU has translated them; `cached`: the ATC has them."""
        for address in self.mm_a.pages:
            page = world.frames.allocate(self.mm_a.owner)
            self.mm_a.tables.map_now(address, page)
            if warm:
                self.remember(address, page)
            if cached:
                pasid = self.device.pasid
                self.device.atc.fill(AtcEntry(pasid=pasid, virtual_page=address, page=page, read=True, write=True))

    @abstractmethod
    def remember(self, address: VirtAddr, page: PhysAddr) -> None:
        """Put a translation of process A into the IOMMU's TLB, before the world begins."""

    def sva(self, world: World, kind: type[SvaT], invalidate_pasid: InvalidatePasid | None = None) -> SvaT:
        """bind and unbind of 2017 for this board; `invalidate_pasid` is the callback of the device's driver."""
        return kind(
            self.pasids,
            self.contexts,
            self.queue,
            self.iopf,
            invalidate_pasid,
            self.endpoint.disable_pri,
            world.mutex("sva_lock"),
            self.device.stopped,
        )

    def add_hardware(self, world: World, *, ats: bool = True) -> None:
        """The device and the IOMMU's units; without `ats` nothing answers translation requests."""
        world.add_actor("device", self.device.engine, hardware=True)
        world.add_actor("device.link", self.device.receiver, daemon=True, hardware=True)
        self.units.add(world, ats=ats)


class Shared(TypedDict):
    """The parts of its sides that a finished board keeps."""

    endpoint: Endpoint
    device: Device
    pasids: Pasids
    mm_a: Mm
    mm_b: Mm
    bond: Bond


class Attached(TypedDict):
    """The parts of the sides that the units of an IOMMU are given."""

    world: World
    upstream: Link
    downstream: Link
    binding_now: Callable[[Pasid], int]
    meant_for: str
    pushed: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Sides:
    """The board without its IOMMU."""

    endpoint: Endpoint
    device: Device
    upstream: Link
    downstream: Link
    pasids: Pasids
    mm_a: Mm
    mm_b: Mm
    bond: Bond

    @property
    def shared(self) -> Shared:
        """For the finished board."""
        return Shared(
            endpoint=self.endpoint,
            device=self.device,
            pasids=self.pasids,
            mm_a=self.mm_a,
            mm_b=self.mm_b,
            bond=self.bond,
        )

    def attached(self, world: World, options: Options) -> Attached:
        """For the units of the IOMMU."""
        return Attached(
            world=world,
            upstream=self.upstream,
            downstream=self.downstream,
            binding_now=self.pasids.binding_now,
            meant_for=self.mm_a.name,
            pushed=options.get("pushed", "priq"),
        )


def address_space(world: World, number: int, pages: Sequence[VirtAddr], tables: type[PageTables] = PageTables) -> Mm:
    """That of process A (0) or B (1)."""
    mm = Mm(world.memory, world.frames, number, pages, world.mutex(f"mmap_lock {'AB'[number]}"), tables)
    world.at_end(mm.forget)
    return mm


def sides(world: World, tables: type[PageTables], name: str, lane: str, options: Options) -> Sides:
    """Two processes whose page tables are of the IOMMU's architecture, and a device that has found its pages absent."""
    requests, group = options.get("requests", 1), options.get("group", 1)
    pages = buffer(requests * group)
    own = pages if options.get("buffer_in_b", True) else [VirtAddr(page + ELSEWHERE) for page in pages]
    mm_a, mm_b = address_space(world, 0, pages, tables), address_space(world, 1, own, tables)
    pasids = Pasids([Pasid(PASID + number) for number in range(options.get("pasids", 1))])
    bond = pasids.bind_now(mm_a)
    endpoint = _endpoint(world, options)
    upstream, downstream = links(world, name)
    work = options["jobs"](mm_a, mm_b) if "jobs" in options else jobs(requests, pages, group)
    work *= options.get("repeats", 1)
    device = options["device"](
        world, endpoint, upstream, downstream, _pri(options), work, PASID, meant_for=mm_a.name, host=lane
    )
    return Sides(
        endpoint=endpoint,
        device=device,
        upstream=upstream,
        downstream=downstream,
        pasids=pasids,
        mm_a=mm_a,
        mm_b=mm_b,
        bond=bond,
    )


def intake(
    world: World,
    board: Sides,
    queue: str,
    responses: ResponseQueue,
    options: Options,
    *,
    marker_discards: bool = True,
) -> Intake:
    """The fault code, from the IOMMU's queue of page requests, which it calls `queue`, to its page responses.

    `marker_discards` as for `Intake`.
    """
    respond = options.get("responder", Responder)(responses).respond
    works: Workqueue = world.workqueue("iopf workqueue", FaultGroup)
    iopf = options.get("iopf", Iopf)(board.pasids, works, respond, put_async=options.get("put_async", True))
    return options.get("intake", Intake)(iopf, queue, marker_discards=marker_discards)


def buffer(pages: int) -> list[VirtAddr]:
    """The addresses that the device's jobs use, in whatever process the PASID belongs to."""
    return [VirtAddr(BUFFER + number * 0x1000) for number in range(pages)]


def links(world: World, iommu: str = "SMMU", device: str = "device") -> tuple[Link, Link]:
    """The PCIe link of a device, upstream and downstream."""
    upstream = world.link(
        f"to {iommu}",
        posted=(PageRequest, Dma, InvalidateCompletion),
        non_posted=(TranslationRequest, Dma),
        completion=(ConfigurationCompletion, ConfigurationData),
    )
    downstream = world.link(
        f"to {device}",
        posted=(PrgResponse, InvalidateRequest),
        non_posted=(ConfigurationWrite, ConfigurationRead),
        completion=(TranslationCompletion, DmaCompletion),
    )
    return upstream, downstream


def _pri(options: Options) -> PageRequestInterface:
    """The device's page request interface, switched on unless it shall not be."""
    pri = options.get("pri", PageRequestInterface)(options.get("credits", 1))
    if options.get("pri_on", True):
        pri.enable()
    return pri


def _endpoint(world: World, options: Options) -> Endpoint:
    """The device's three registers."""
    control, status, pri = world.word("device CONTROL"), world.word("device STATUS"), world.word("device PRI Enable", 1)
    return Endpoint(control, status, pri, options.get("report", 0), announces=options.get("announces", True))


def write_words(world: World, address: PhysAddr, words: Sequence[int]) -> None:
    """Put words into memory before the world begins."""
    for offset, word in enumerate(words):
        world.memory.write(PhysAddr(address + offset * WORD_BYTES), word)
