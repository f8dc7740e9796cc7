"""The live driver: Trio's own scheduler decides who goes; every decision is recorded and replays under control.

An audit, not a search: Trio runs each ready task once per batch, so long one-sided interleavings never happen here.
"""

from __future__ import annotations

import trio

from ..runs.execution import Execution
from ..runs.scheduler import Scheduler
from ..world import World
from .seat import admit, carry_on
from .unawaited import locate, seated


async def live(world: World, scheduler: Scheduler) -> Execution:
    """Run `world` as Trio pleases; `scheduler` draws hardware outcomes only."""
    execution = Execution(world, scheduler)
    begun = 0
    changed = trio.lowlevel.ParkingLot()

    async def act(number: int) -> None:
        while execution.pending[number] is not None:
            await trio.lowlevel.checkpoint()
            if not execution.may_go(number):
                await changed.park()
                continue
            offered = execution.offer()
            if offered is None or execution.is_in_turn:
                return
            execution.commit(number, offered)
            execution.arrive(number, seats[number].resume(execution.outcomes[-1]))
            start_newcomers()
            changed.unpark_all()
            if execution.offer() is None or execution.is_in_turn:
                nursery.cancel_scope.cancel()

    def start_newcomers() -> None:
        nonlocal begun
        admit(world, execution, seats)
        while begun < len(seats):
            nursery.start_soon(act, begun)
            begun += 1

    with seated(execution) as seats:
        async with trio.open_nursery() as nursery:
            start_newcomers()
        carry_on(world, execution, seats)
    locate(execution)
    return execution
