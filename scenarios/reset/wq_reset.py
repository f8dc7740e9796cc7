"""Seed 001: a work queue is reset, and its device begins anew with its page request tags; PRI stays on."""

from __future__ import annotations

from functools import partial

from actors.devices.resettable_wq import ResettableWq
from actors.runtime.world import World
from actors.threads.fault_worker import add_fault_worker
from actors.threads.pri_thread import add_pri_thread
from drivers.kernel.idxd import Idxd, WqRegisters
from drivers.kernel.wq_reset import WQ_ORDERS

from ..boards.endpoint import PASID
from ..boards.platform import iommu_with, parts_of, platform
from ..oracles.every_last_is_answered_once import EveryLastIsAnsweredOnce
from ..oracles.no_old_answer_for_a_new_request import NoOldAnswerForANewRequest
from ..parameters import one_of
from ..scenario import Expected, scenario
from ..witnesses.both_lives_ask import BothLivesAsk

CORRUPT = "no-old-answer-for-a-new-request"
EXPECTED = (
    Expected(
        params={"drain": "none"},
        verdict="violated",
        oracle=CORRUPT,
        why="the answer to tag 0 of the queue's old life completes the request with tag 0 of its new one",
    ),
    Expected(
        params={"drain": "before"},
        verdict="violated",
        oracle=CORRUPT,
        why="a drain makes no sense unless it is coupled with a stop at the device, which asks behind its last look",
    ),
    Expected(
        params={"drain": "after"},
        verdict="holds",
        why="the reset has halted the queue, and every old answer is with the device before it may ask again",
    ),
    Expected(
        params={"drain": "behind-enable"},
        verdict="violated",
        oracle=CORRUPT,
        why="the queue asks again while an old answer is under way",
    ),
    Expected(
        params={"drain": "drain-wq"},
        verdict="holds",
        why="a device that has a command for it waits for its answers itself, and has no tag to forget at the reset",
    ),
    Expected(
        params={"drain": "after", "end": "worker"},
        verdict="violated",
        oracle=CORRUPT,
        why="flush_workqueue is no drain: the answer was executed, and may still be inside",
    ),
    Expected(
        params={"drain": "after", "pushed": "root-complex"},
        verdict="violated",
        oracle=CORRUPT,
        why="as in `flr-tags`: the round trip brings a request in behind the drain's last look",
    ),
    Expected(
        params={"drain": "drain-wq", "pushed": "root-complex"},
        verdict="holds",
        why="wherever a request is, the device waits for its answer",
    ),
    Expected(
        params={"drain": "after", "iommu": "smmuv3"},
        verdict="violated",
        oracle=CORRUPT,
        why="no command of an SMMU waits until a response has left: a CMD_SYNC is no end of a drain",
    ),
    Expected(
        params={"drain": "drain-wq", "iommu": "smmuv3"},
        verdict="holds",
        why="the device knows when it has its answers, whatever the IOMMU cannot tell",
    ),
)


@scenario(
    source="seed 001: J. Gunthorpe, 5 December 2023: drain 'needs to come after a work queue reset, because drain "
    "doesn't make any sense unless it is coupled with a DMA stop at the device'",
    expected=EXPECTED,
    drain=one_of(*WQ_ORDERS, default="none", meaning="when the host drains; drain-wq: the device does, by a command"),
    end=one_of("wait", "worker", default="wait", meaning="the drain's last step: a wait for the answers, or none"),
    pushed=one_of("priq", "root-complex", default="priq", meaning="where requests are when a command is done"),
    iommu=iommu_with("end", default="vtd", meaning="which IOMMU: only VT-d can wait until responses have left"),
)
def wq_reset(world: World, *, drain: str, end: str, pushed: str, iommu: str) -> None:
    """A work queue is reset while the host still works on its page requests, and then asks again."""
    registers = WqRegisters(pasid=world.word("device WQCFG.PASID", PASID), command=world.word("device COMMAND"))
    board = platform(
        world,
        iommu,
        parts_of(iommu, end=end),
        device=partial(ResettableWq, wq=registers),
        requests=2,
        pushed=pushed,
    )
    device = board.device
    assert isinstance(device, ResettableWq)
    idxd = Idxd(registers, board.pasids, board.contexts)
    board.add_hardware(world, ats=False)
    world.add_actor("device.commands", device.commands, daemon=True, hardware=True)
    add_pri_thread(world, board.queue)
    add_fault_worker(world, board.iopf)
    world.add_actor("driver", WQ_ORDERS[drain](idxd, board.drain, board.bond).run)
    world.check(NoOldAnswerForANewRequest(), EveryLastIsAnsweredOnce())
    world.expect(BothLivesAsk())
