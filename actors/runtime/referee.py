"""The referee: the same actors as ordinary Trio tasks, one runnable at a time, nothing detached; slow on purpose.

Its transcripts must equal the controlled driver's: that is the proof that detaching changes nothing.
"""

from __future__ import annotations

import trio

from .execution import Execution
from .schedule import Scheduler
from .seat import admit
from .unawaited import locate, seated
from .world import World


async def referee(world: World, scheduler: Scheduler) -> Execution:
    """Run `world` to its end, each step handed to its actor's task through Trio's run queue."""
    execution = Execution(world, scheduler)
    turns: list[trio.lowlevel.ParkingLot] = []
    arbiter = trio.lowlevel.ParkingLot()

    async def sit(number: int, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED) -> None:
        task_status.started()
        while execution.pending[number] is not None:
            await turns[number].park()
            execution.arrive(number, seats[number].resume(execution.outcomes[-1]))
            arbiter.unpark_all()

    with seated(execution) as seats:
        async with trio.open_nursery() as nursery:
            while True:
                admit(world, execution, seats)
                while len(turns) < len(seats):
                    turns.append(trio.lowlevel.ParkingLot())
                    await nursery.start(sit, len(turns) - 1)
                number = execution.next()
                if number is None:
                    break
                turns[number].unpark()
                await arbiter.park()
            nursery.cancel_scope.cancel()
    locate(execution)
    return execution
