"""Races VTD-R02 to VTD-R07 and VTD-R20: what unbind waits for before a PASID may mean somebody else."""

from __future__ import annotations

from functools import partial

from actors.devices.device import Device
from actors.devices.prefetcher import LeakyPrefetcher, SilentPrefetcher, StoppablePrefetcher, WaitingPrefetcher
from actors.runtime.world import Cpu, World
from actors.threads.exit_orders import add_exit
from actors.threads.fault_worker import add_fault_worker
from actors.threads.pri_thread import add_pri_thread
from drivers.kernel.faults.iopf import FINDERS
from drivers.kernel.faults.page_requests import Responder
from drivers.vtd.prq_drain_variants import DRIVERS, UNBINDS, HoldsMutex, TakesMutex
from hw.events.link import PageRequestQueued
from hw.pcie.pri import CreditIgnoringPri, PageRequestInterface
from hw.pcie.tlp import ResponseCode
from hw.vtd.prq import Prq
from hw.vtd.qi import InvalidationQueue

from ..boards.endpoint import FIND
from ..boards.vtd import vtd_platform
from ..oracles.credits_come_back import CreditsComeBack
from ..oracles.credits_stay_within_the_allocation import CreditsStayWithinTheAllocation
from ..oracles.every_last_is_answered_once import EveryLastIsAnsweredOnce
from ..oracles.no_cross_binding_fault import NoCrossBindingFault
from ..oracles.no_fault_handled_after_unbind import NoFaultHandledAfterUnbind
from ..oracles.no_pasid_reuse_while_referenced import NoPasidReuseWhileReferenced
from ..oracles.no_response_after_unbind import NoResponseAfterUnbind
from ..oracles.no_unexpected_response import NoUnexpectedResponse
from ..parameters import Parameters, number, one_of
from ..scenario import scenario
from ..witnesses.queue_goes_round import QueueGoesRound
from ..witnesses.request_queued_while_unbound import RequestQueuedWhileUnbound
from .prq_drain_verdicts import EXPECTED
from .unbind_window import UnbindWindow

CREDITS: dict[str, type[PageRequestInterface]] = {
    "all": PageRequestInterface,
    "one": PageRequestInterface,
    "ignored": CreditIgnoringPri,
}
OVERFLOWS = {"success": ResponseCode.SUCCESS, "silent": None}
STYLES: dict[str, type[Device]] = {
    "A": WaitingPrefetcher,
    "B": StoppablePrefetcher,
    "none": SilentPrefetcher,
    "leaky": LeakyPrefetcher,
}


class PrqDrainParameters(Parameters):
    """Which driver unbinds, what the device does, and what hardware does when there is no room."""

    driver = one_of(*DRIVERS, default="none", meaning="which step of drain or page request thread is wrong")
    unbind = one_of(
        *UNBINDS, default="plain", meaning="tear down and drain, the other way round, or with the mutex of 2020"
    )
    order = one_of(
        "O1", "O2", "O5", default="O2", meaning="the file is closed after the process was killed, before, or meanwhile"
    )
    release = one_of("atomic", "sleeps", default="atomic", meaning="whether the mm's release callback may sleep")
    stop = one_of(
        *STYLES,
        default="none",
        meaning="A waits for responses, B sends a Stop Marker, none does neither, leaky is B and loses credits",
    )
    requests = number(1, 4, default=1, meaning="page request groups that the device sends")
    group = number(1, 4, default=1, meaning="pages in a group")
    priq = number(0, 4, default=1, meaning="n: the page request queue has room for 2 * 2^n - 1 requests")
    overflow = one_of(*OVERFLOWS, default="success", meaning="what hardware answers to a Last that finds no room")
    pushed = UnbindWindow.pushed
    credits = one_of(
        *CREDITS, default="all", meaning="the allocation: all that the device sends, one, or one that it ignores"
    )
    find = FIND
    pds = one_of("yes", "ignored", "reserved", default="yes", meaning="what hardware makes of PD=1 in a wait (VTD-R25)")
    sms = one_of("yes", "no", default="yes", meaning="no: a Stop Marker that is not queued is answered like any Last")
    reuse = UnbindWindow.reuse
    watch = one_of(
        "all",
        "handled",
        "owner",
        default="all",
        meaning="what may come after unbind: nothing; a response; or whatever does not reach the next owner",
    )


@scenario(
    PrqDrainParameters,
    source="66ac4db36f4c (May 2020): iommu/vt-d: Add page request draining support, and its review; 28a77185f1cd "
    "(January 2021): Clear PRQ overflow only when PRQ is empty; 6ef0505158f7 (August 2021): Fix a deadlock in "
    "intel_svm_drain_prq(); c43e1ccdebf2 (November 2024) and cf08ca81d08a; edcc40d2ab5f (April 2020): iommu: Remove "
    "iommu_sva_ops::mm_exit(); da8669ff41fa (April 2022): Drop stop marker messages",
    expected=EXPECTED,
)
def prq_drain(world: World, given: PrqDrainParameters) -> None:
    """A device has asked for pages when its PASID is unbound, and another process binds."""
    life, mutex = UNBINDS[given.unbind], world.mutex("pasid_mutex")
    atomic, srcu = given.release == "atomic", world.spinlock("mmu_notifier SRCU")
    allocation = given.requests * given.group if given.credits == "all" else 1
    driver = DRIVERS[given.driver]
    board = vtd_platform(
        world,
        device=STYLES[given.stop],
        requests=given.requests,
        group=given.group,
        priq_log2size=given.priq,
        credits=allocation,
        pushed=given.pushed,
        put_async=False,
        iopf=FINDERS[given.find],
        pri=CREDITS[given.credits],
        late_responses=True,
        contexts=driver.contexts,
        drain=driver.drain,
        intake=driver.intake,
        qi=driver.qi,
        queue=driver.queue,
        srcu=srcu if atomic else None,
        responder=partial(TakesMutex, mutex) if issubclass(life, HoldsMutex) else Responder,
        invalidations=partial(InvalidationQueue, pds=given.pds == "yes", pd_is_reserved=given.pds == "reserved"),
        prq=partial(Prq, sms=given.sms == "yes", overflow_code=OVERFLOWS[given.overflow]),
    )
    binding = life(board.pasids, board.contexts, board.endpoint, board.bond, board.drain, mutex)

    async def bind(cpu: Cpu) -> None:
        await board.contexts.write(cpu, await board.pasids.allocate(cpu, board.mm_b))

    add_exit(world, given.order, board.mm_a, binding, srcu, atomic=atomic)
    world.add_actor("binder", bind, daemon=True)
    board.add_hardware(world, ats=False)
    add_pri_thread(world, board.queue)
    add_fault_worker(world, board.iopf)
    world.check(EveryLastIsAnsweredOnce(), NoUnexpectedResponse())
    world.check(CreditsStayWithinTheAllocation(allocation), CreditsComeBack())
    _watch(world, given.watch)
    if given.reuse == "strict":
        world.check(NoPasidReuseWhileReferenced())
    world.expect(RequestQueuedWhileUnbound())
    room = board.units.prq.ring.entries - 1
    if given.requests * given.group > room:
        world.expect(QueueGoesRound(room, PageRequestQueued))


def _watch(world: World, watch: str) -> None:
    if watch != "handled":
        world.check(NoCrossBindingFault())
    if watch != "owner":
        world.check(NoFaultHandledAfterUnbind())
    if watch == "all":
        world.check(NoResponseAfterUnbind())
