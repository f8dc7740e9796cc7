"""Seed 001: a device asks for a page that it cannot translate, and translates again after Success, as the page may be
gone."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from actors.devices.ats_loop import AnswersEarly, AtsLoop, GivesUp, RetriesAfterFailure, TrustsSuccess
from actors.iommus.untranslated import UntranslatedWrites
from actors.runtime.world import Cpu, World
from actors.threads.fault_worker import add_fault_worker
from actors.threads.page_thief import add_page_thief
from actors.threads.pri_thread import add_pri_thread
from hw.bus import VirtAddr
from hw.pcie.ats import AtcCachingLateCompletions
from hw.pcie.tlp import Dma

from ..boards.endpoint import Platform
from ..boards.platform import iommu_with, parts_of, platform, words_of
from ..oracles.every_access_lands_or_is_refused import EveryAccessLandsOrIsRefused
from ..oracles.no_dma_into_foreign_frame import NoDmaIntoForeignFrame
from ..oracles.no_retry_after_failure import NoRetryAfterFailure
from ..oracles.no_write_behind_its_invalidation import NoWriteBehindItsInvalidation
from ..parameters import Parameters, number, one_of
from ..scenario import scenario
from ..witnesses.page_is_gone_after_success import PageIsGoneAfterSuccess
from ..witnesses.request_is_refused import RequestIsRefused
from .ats_retry_verdicts import EXPECTED

DEVICES: dict[str, type[AtsLoop]] = {
    "right": AtsLoop,
    "trusts": TrustsSuccess,
    "gives-up": GivesUp,
    "insists": RetriesAfterFailure,
    "caches-late": AtsLoop,
    "answers-early": AnswersEarly,
}


class AtsRetry(Parameters):
    """What the device makes of answers, and what happens to its page."""

    device = one_of(*DEVICES, default="right", meaning="what the device makes of answers; the last two break PCIe 10.3")
    notifier = one_of(
        *words_of("notifier"),
        default="waits",
        meaning="what the mm's notifier waits for: TLB, then device; both at once; the TLB",
    )
    change = one_of("reclaim", "exit", default="reclaim", meaning="what mm does: take the page away, or end")
    gone = number(0, 3, default=1, meaning="how often reclaim takes the page when it is there")
    iommu = iommu_with("notifier")


@scenario(
    AtsRetry,
    source="seed 001: J. Gunthorpe and K. Tian, 5 December 2023, Re: [PATCH v7 12/12] iommu: Improve "
    "iopf_queue_flush_dev()",
    expected=EXPECTED,
)
def ats_retry(world: World, given: AtsRetry) -> None:
    """A device translates, asks for its page and writes, while mm takes the page away again."""
    kind, writes = DEVICES[given.device], None
    loop: Callable[..., AtsLoop] = partial(kind, retries=given.gone)
    if given.device == "caches-late":
        loop = partial(loop, atc=AtcCachingLateCompletions())
    if issubclass(kind, TrustsSuccess):
        writes = UntranslatedWrites(world.port("untranslated", Dma))
        loop = partial(loop, untranslated=writes.port)
    board = platform(
        world,
        given.iommu,
        parts_of(given.iommu, notifier=given.notifier),
        device=loop,
        requests=1,
        group=1,
    )
    if writes is not None:
        writes.add(board.units, board.device.host)
    board.add_hardware(world)
    add_pri_thread(world, board.queue)
    add_fault_worker(world, board.iopf)
    _add_change(world, board, given)

    world.check(NoDmaIntoForeignFrame(), EveryAccessLandsOrIsRefused(), NoRetryAfterFailure())
    world.check(NoWriteBehindItsInvalidation())
    world.expect(PageIsGoneAfterSuccess() if given.change == "reclaim" else RequestIsRefused())


def _add_change(world: World, board: Platform, given: AtsRetry) -> None:
    mm, contexts = board.mm_a, board.contexts

    async def invalidate(cpu: Cpu, start: VirtAddr, end: int) -> None:
        await contexts.invalidate(cpu, board.bond)

    async def release(cpu: Cpu) -> None:
        await contexts.quiet(cpu, board.bond)

    async def die(cpu: Cpu) -> None:
        await board.device.begun()
        if await mm.put(cpu):
            await mm.exit_mmap(cpu)

    mm.register(release=release, invalidate=invalidate)
    if given.change == "reclaim":
        add_page_thief(world, mm, given.gone)
    else:
        world.add_actor("process", die)
