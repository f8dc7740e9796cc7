"""Seed 000: what unbinding one PASID costs another one of the function: PRI off, or a queue that is looked into."""

from __future__ import annotations

from collections.abc import Callable

from actors.devices.prefetcher import StoppablePrefetcher
from actors.runtime.primitives.events import Oracle
from actors.runtime.world import Cpu, World
from actors.threads.binder import add_binder
from actors.threads.fault_worker import add_fault_worker
from actors.threads.pri_thread import add_pri_thread
from drivers.kernel.endpoint import FLUSHED
from drivers.kernel.second_pasid import DRAINS, StopPriThenOn
from drivers.smmuv3.priq_inspection import InspectedPriQueue

from ..boards.contexts import second_context
from ..boards.smmuv3 import smmuv3_platform
from ..oracles.every_last_is_answered_once import EveryLastIsAnsweredOnce
from ..oracles.no_cross_binding_fault import NoCrossBindingFault
from ..oracles.no_overflow_while_the_thread_waits import NoOverflowWhileTheThreadWaits
from ..oracles.nobody_else_is_held_up import NobodyElseIsHeldUp
from ..parameters import number, one_of
from ..scenario import Expected, scenario
from ..witnesses.request_queued_while_unbound import RequestQueuedWhileUnbound

HELD = "nobody-else-is-held-up"
OVERFLOW = "no-overflow-while-the-thread-waits"
EXPECTED = (
    Expected(
        params={"drain": "pri-off", "watch": "held"},
        verdict="violated",
        oracle=HELD,
        why="PRI Enable is the function's: the second PASID may not ask while the first is unbound",
    ),
    Expected(
        params={"drain": "pri-off"},
        verdict="violated",
        oracle="no-deadlock",
        why="and if nobody switches it on again, the second PASID never gets its page",
    ),
    Expected(
        params={"drain": "pri-off-on"},
        verdict="holds",
        why="with PRI on again behind the unbind it only waits: for every answer of the function, its own included "
        "(185,448 schedules)",
    ),
    Expected(
        params={"drain": "full", "watch": "held"},
        verdict="not found",
        searched=4_000,
        why="a drain of the queue leaves PRI alone: nobody in this world ever switches it off (80,429 schedules)",
    ),
    Expected(
        params={"drain": "full", "priq": 0, "watch": "overflow"},
        verdict="violated",
        oracle=OVERFLOW,
        why="who takes the entries himself keeps the thread out for as long as that takes",
    ),
    Expected(
        params={"drain": "inspect", "priq": 0, "watch": "overflow"},
        verdict="violated",
        oracle=OVERFLOW,
        why="seed 000: to inspect the queue blocks its thread, and an entry more finds no room",
    ),
    Expected(
        params={"drain": "inspect", "priq": 2, "watch": "overflow"},
        verdict="not found",
        searched=4_000,
        why="with room for all that the function may have outstanding there is no overflow, whoever waits: two "
        "requests and a Stop Marker fit into four entries (82,088 schedules)",
    ),
    Expected(
        params={"drain": "inspect", "second": 0},
        verdict="holds",
        why="looking does as well as taking, as far as the PASID's next owner is concerned",
    ),
)


@scenario(
    source="seed 000: J.-P. Brucker, 22 March 2017: 'Draining the PRI queue is very costly, we need to block the PRI "
    "thread to inspect the queue, risking an overflow'; J. Roedel: 'switch off the devices capability to issue new "
    "faults'",
    expected=EXPECTED,
    drain=one_of(*DRAINS, default="pri-off", meaning="entries are taken, or looked at; PRI off, or off and on again"),
    priq=number(0, 2, default=1, meaning="log2 of the PRI queue's entries"),
    second=number(0, 1, default=1, meaning="whether a second PASID works; if not, another process takes the first one"),
    watch=one_of("owner", "held", "overflow", default="owner", meaning="what is looked at: the next owner, or a price"),
)
def second_pasid(world: World, *, drain: str, priq: int, second: int, watch: str) -> None:
    """PASID 1 is unbound while a second context of the device asks for a page of PASID 2; or else it is bound again."""
    board = smmuv3_platform(
        world,
        device=StoppablePrefetcher,
        report=FLUSHED,
        priq_log2size=priq,
        credits=2,
        pasids=2,
        queue=InspectedPriQueue,
    )
    second_bond = board.pasids.bind_now(board.mm_b)
    sva = board.sva(world, DRAINS[drain])
    if isinstance(sva, StopPriThenOn):
        sva.turns_on_with(board.endpoint)

    async def process(cpu: Cpu) -> None:
        flags = await board.endpoint.stop(cpu, board.bond.pasid) if sva.device_stops_first else FLUSHED
        await sva.unbind(cpu, board.mm_a, board.bond.pasid, flags)
        if not sva.device_stops_first:
            await board.endpoint.stop(cpu, board.bond.pasid)

    board.add_hardware(world, ats=False)
    if second:
        context = second_context(world, board, second_bond.pasid, board.mm_b)
        world.add_actor("device.second", context.engine, hardware=True)
    else:
        add_binder(world, board.mm_b, sva)
    add_pri_thread(world, board.queue)
    add_fault_worker(world, board.iopf)
    world.add_actor("process", process)
    checks: dict[str, Callable[[], Oracle]] = {
        "held": NobodyElseIsHeldUp,
        "overflow": NoOverflowWhileTheThreadWaits,
        "owner": NoCrossBindingFault,
    }
    world.check(checks[watch](), EveryLastIsAnsweredOnce())
    world.expect(RequestQueuedWhileUnbound())
