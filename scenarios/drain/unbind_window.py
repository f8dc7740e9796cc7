"""Seed 000: a page request is in the PRI queue while its PASID is unbound and bound again."""

from __future__ import annotations

from actors.devices.device import STYLES, LeakyDevice
from actors.runtime.world import World
from actors.threads.binder import add_binder
from actors.threads.fault_worker import add_fault_worker
from actors.threads.mmu_notifier import add_mmu_notifier
from actors.threads.pri_thread import add_pri_thread
from actors.threads.process_exit import add_process
from actors.threads.reclaim import add_reclaim
from drivers.kernel.endpoint import REPORT
from drivers.kernel.faults.mutants import AnswersGroupZero, AnswersMarkers, LosesResponses
from drivers.kernel.sva import VARIANTS

from ..boards.iommu import Parts
from ..boards.platform import iommu_with, parts_of, platform, words_of
from ..oracles.credits_come_back import CreditsComeBack
from ..oracles.device_keeps_its_stop_contract import DeviceKeepsItsStopContract
from ..oracles.every_last_is_answered_once import EveryLastIsAnsweredOnce
from ..oracles.no_cross_binding_fault import NoCrossBindingFault
from ..oracles.no_dma_into_foreign_frame import NoDmaIntoForeignFrame
from ..oracles.no_pasid_reuse_while_referenced import NoPasidReuseWhileReferenced
from ..oracles.no_stray_response import NoStrayResponse
from ..parameters import Parameters, number, one_of
from ..scenario import scenario
from ..witnesses.goals import RequestsOfTwoBindings, overflow_while_unbinding, response_after_unbind
from ..witnesses.request_queued_while_unbound import RequestQueuedWhileUnbound
from .unbind_window_verdicts import EXPECTED

COMMON: dict[str, Parts] = {
    "answer-marker": {"intake": AnswersMarkers},
    "lose-response": {"responder": LosesResponses},
    "answer-group-0": {"responder": AnswersGroupZero},
}
DEVICES: dict[str, Parts] = {"leaky-device": {"device": LeakyDevice}}
MUTANTS = (*COMMON, *words_of("mutant"), *DEVICES)
"""In fault code, in an IOMMU's driver, or in the device."""


class UnbindWindow(Parameters):
    """How unbind waits, what the device does before it stops, and how much room there is."""

    drain = one_of(
        *VARIANTS,
        default="none",
        meaning="what unbind waits for; stop-pri-wait: for PRI Status.Stopped, once PRI is off",
    )
    stop = one_of(*STYLES, default="B", meaning="A waits for responses, B sends a Stop Marker, broken goes on")
    flags = one_of(*REPORT, default="right", meaning="whether the device driver reports A as CLEAN")
    trigger = one_of("unbind", "exit", default="unbind", meaning="the file is closed, or the process is killed first")
    requests = number(1, 3, default=1, meaning="page request groups that the device sends")
    group = number(1, 4, default=1, meaning="pages in a group")
    priq = number(0, 4, default=1, meaning="log2 of the PRI queue's entries")
    credits = number(1, 16, default=4, meaning="outstanding page request allocation")
    mmput = one_of(
        "async", "sync", default="async", meaning="whether a fault that drops the last pin defers the tear-down"
    )
    pushed = one_of("priq", "root-complex", default="priq", meaning="where a stopped device's requests are at least")
    reclaim = number(0, 1, default=0, meaning="another CPU takes a page of process A away meanwhile")
    reuse = one_of(
        "harm", "strict", default="harm", meaning="strict: a PASID that is still referred to is not handed out"
    )
    mutant = one_of("none", *MUTANTS, default="none", meaning="one step of a driver or device made wrong")
    iommu = iommu_with()


@scenario(
    UnbindWindow,
    source="seed 000, seed 002: J.-P. Brucker, 22 March and 27 February 2017, [RFC PATCH 24/30] iommu: Specify PASID "
    "state when unbinding a task",
    expected=EXPECTED,
)
def unbind_window(world: World, given: UnbindWindow) -> None:
    """A page request waits in the PRI queue while its PASID is unbound and bound to another process."""
    board = platform(
        world,
        given.iommu,
        _mutated(given),
        device=STYLES[given.stop],
        report=REPORT[given.flags][given.stop],
        requests=given.requests,
        group=given.group,
        priq_log2size=given.priq,
        credits=given.credits,
        put_async=given.mmput == "async",
        pushed=given.pushed,
    )
    callback = board.endpoint.stop if given.trigger == "exit" else None
    sva = board.sva(world, VARIANTS[given.drain], callback)
    board.add_hardware(world)
    add_pri_thread(world, board.queue)
    add_fault_worker(world, board.iopf)
    add_process(world, given.trigger, board.mm_a, board.bond, sva, board.endpoint)
    add_mmu_notifier(world, board.mm_a, sva)
    add_binder(world, board.mm_b, sva)
    if given.reclaim:
        add_reclaim(world, board.mm_a, sva)
    world.check(
        NoCrossBindingFault(),
        EveryLastIsAnsweredOnce(),
        NoStrayResponse(),
        NoDmaIntoForeignFrame(),
        DeviceKeepsItsStopContract(),
        CreditsComeBack(),
    )
    if given.reuse == "strict":
        world.check(NoPasidReuseWhileReferenced())
    world.expect(RequestQueuedWhileUnbound())
    world.goal(overflow_while_unbinding(), response_after_unbind(), RequestsOfTwoBindings())


def _mutated(given: UnbindWindow) -> Parts:
    """What a mutant puts in the place of a right part."""
    if given.mutant in words_of("mutant"):
        return parts_of(given.iommu, mutant=given.mutant)
    return (COMMON | DEVICES).get(given.mutant, {})
