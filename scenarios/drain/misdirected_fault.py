"""Seed 000: what a misdirected fault does afterwards: "undesirable, but I don't know if it could be exploited"."""

from __future__ import annotations

from actors.devices.believer import Believer
from actors.devices.device import Device, MarkerDevice
from actors.runtime.world import World
from actors.threads.binder import add_binder
from actors.threads.fault_worker import add_fault_worker
from actors.threads.mmu_notifier import add_mmu_notifier
from actors.threads.pri_thread import add_pri_thread
from actors.threads.process_exit import add_process
from drivers.kernel.endpoint import FLUSHED
from drivers.kernel.sva import VARIANTS

from ..boards.smmuv3 import smmuv3_platform
from ..oracles.every_last_is_answered_once import EveryLastIsAnsweredOnce
from ..oracles.no_dma_into_foreign_frame import NoDmaIntoForeignFrame
from ..oracles.no_page_for_a_stranger import NoPageForAStranger
from ..parameters import one_of
from ..scenario import Expected, scenario
from ..witnesses.request_queued_while_unbound import RequestQueuedWhileUnbound

DEVICES: dict[str, type[Device]] = {"stale": MarkerDevice, "believed": Believer}
EXPECTED = (
    Expected(
        params={"drain": "none"},
        verdict="violated",
        oracle="no-page-for-a-stranger",
        why="the new owner gets a page that it never touched, and the device hears Success for it",
    ),
    Expected(
        params={"drain": "none", "watch": "memory"},
        verdict="holds",
        why="a device that stopped as PCIe demands has marked its requests stale: the answer is worth a credit",
    ),
    Expected(
        params={"drain": "none", "owner": "lacks"},
        verdict="holds",
        why="where the new owner has nothing at that address, nobody is killed: the device hears Invalid",
    ),
    Expected(
        params={"drain": "none", "answer": "believed", "watch": "memory"},
        verdict="violated",
        oracle="no-dma-into-foreign-frame",
        why="a device that goes on after it said that it stopped finds the page which the fault itself has made: its "
        "write is in the other process",
    ),
    Expected(
        params={"drain": "full"},
        verdict="holds",
        why="no fault is misdirected",
    ),
    Expected(
        params={"drain": "full", "answer": "believed", "watch": "memory"},
        verdict="violated",
        oracle="no-dma-into-foreign-frame",
        why="a drain is no halt: a translation request of a device that goes on can be under way while the CD is "
        "cleared and written again; it reads the old table and the new V, and finds pages that are being freed",
    ),
)


@scenario(
    source="seed 000: J.-P. Brucker, 22 March 2017: 'It's certainly undesirable, but I don't know if it could be "
    "exploited'",
    expected=EXPECTED,
    drain=one_of("none", "full", default="none", meaning="what unbind waits for, as in `unbind-window`"),
    answer=one_of(*DEVICES, default="stale", meaning="how a device takes an answer that comes after its stop"),
    owner=one_of("maps", "lacks", default="maps", meaning="whether the new owner has something at that address, too"),
    watch=one_of("page", "memory", default="page", meaning="what is looked at: pages of the new owner, or writes"),
)
def misdirected_fault(world: World, *, drain: str, answer: str, owner: str, watch: str) -> None:
    """A page request is handled for the PASID's next owner, and its answer goes to the device."""
    board = smmuv3_platform(
        world, device=DEVICES[answer], report=FLUSHED, credits=4, put_async=True, buffer_in_b=owner == "maps"
    )
    sva = board.sva(world, VARIANTS[drain])
    board.add_hardware(world)
    add_pri_thread(world, board.queue)
    add_fault_worker(world, board.iopf)
    add_process(world, "unbind", board.mm_a, board.bond, sva, board.endpoint)
    add_mmu_notifier(world, board.mm_a, sva)
    add_binder(world, board.mm_b, sva)
    world.check(NoPageForAStranger() if watch == "page" else NoDmaIntoForeignFrame(), EveryLastIsAnsweredOnce())
    world.expect(RequestQueuedWhileUnbound())
