"""Seed 002, sentence by sentence: who says in what state the device has left a PASID, and what if nobody does."""

from __future__ import annotations

from actors.devices.device import STYLES
from actors.runtime.world import Cpu, World
from actors.threads.binder import add_binder
from actors.threads.fault_worker import add_fault_worker
from actors.threads.mmu_notifier import add_mmu_notifier
from actors.threads.pri_thread import add_pri_thread
from drivers.cpu import Cpu as KernelCpu
from drivers.kernel.endpoint import REPORT
from drivers.kernel.memory.pasid import begin_teardown
from drivers.kernel.sva import FLAG_READERS
from hw.bus import Pasid

from ..boards.platform import iommu_with, platform
from ..oracles.every_last_is_answered_once import EveryLastIsAnsweredOnce
from ..oracles.no_cross_binding_fault import NoCrossBindingFault
from ..parameters import Parameters, number, one_of
from ..scenario import scenario
from ..witnesses.request_queued_while_unbound import RequestQueuedWhileUnbound
from .unbind_flags_verdicts import EXPECTED

RIGHT = REPORT["right"]


class UnbindFlags(Parameters):
    """Who says in what state the device is, and how unbind takes it."""

    flags = number(0, 3, default=0, meaning="what the driver says: 0 nothing, 1 FLUSHED, 2 CLEAN, 3 both bits")
    callback = one_of(
        "none", "right", "zero", default="right", meaning="invalidate_pasid: none, one that stops the device, or 0"
    )
    core = one_of(*FLAG_READERS, default="bits", meaning="how unbind takes the flags, and a callback's 0")
    stop = one_of("A", "B", default="B", meaning="A waits for responses, B sends a Stop Marker")
    trigger = one_of("unbind", "exit", default="unbind", meaning="the file is closed, or the process is killed first")
    iommu = iommu_with()


@scenario(
    UnbindFlags,
    source="seed 002: J.-P. Brucker, 27 February 2017, [RFC PATCH 24/30] iommu: Specify PASID state when unbinding a "
    "task: its comments on iommu_unbind_task and invalidate_pasid",
    expected=EXPECTED,
)
def unbind_flags(world: World, given: UnbindFlags) -> None:
    """A driver unbinds with or without flags, and with or without a callback; another process binds."""
    board = platform(world, given.iommu, report=given.flags, device=STYLES[given.stop], credits=4, put_async=True)
    endpoint, bond, mm = board.endpoint, board.bond, board.mm_a

    async def stops(cpu: KernelCpu, pasid: Pasid) -> int:
        await endpoint.stop(cpu, pasid)
        return RIGHT[given.stop]

    async def cannot_stop(cpu: KernelCpu, pasid: Pasid) -> int:
        await begin_teardown(cpu, pasid)
        return 0

    callback = {"none": None, "right": stops, "zero": cannot_stop}[given.callback]
    sva = board.sva(world, FLAG_READERS[given.core], callback)

    async def process(cpu: Cpu) -> None:
        if given.trigger == "exit" and await mm.put(cpu):
            await mm.exit_mmap(cpu)
        said = await endpoint.stop(cpu, bond.pasid) if given.flags else 0
        error = await sva.unbind(cpu, mm, bond.pasid, said)
        if not given.flags and given.callback != "right":  # nobody has stopped it; who hears so stops it and says how
            await endpoint.stop(cpu, bond.pasid)
        if error == "EINVAL":
            await sva.unbind(cpu, mm, bond.pasid, RIGHT[given.stop])

    board.add_hardware(world)
    add_pri_thread(world, board.queue)
    add_fault_worker(world, board.iopf)
    world.add_actor("process", process)
    add_mmu_notifier(world, mm, sva)
    add_binder(world, board.mm_b, sva)
    world.check(NoCrossBindingFault(), EveryLastIsAnsweredOnce())
    world.expect(RequestQueuedWhileUnbound())
