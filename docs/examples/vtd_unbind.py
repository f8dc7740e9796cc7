"""VT-d: unbind takes what is queued and does not wait until it is handled, a variant as one overridden step."""

from stopmarker import World, add_binder, add_fault_worker, add_pri_thread, add_process, one_of, scenario
from stopmarker.boards import vtd_platform
from stopmarker.oracles import NoCrossBindingFault
from stopmarker.pcie import SilentPrefetcher
from stopmarker.sva import FLUSHED, Bond, DriverCpu, Sva
from stopmarker.witnesses import RequestQueuedWhileUnbound


class TakesOnly(Sva):
    """BUG: the worker may have a fault in hand, and looks its owner up when the PASID has another one."""

    async def drain(self, cpu: DriverCpu, bond: Bond, flags: int) -> None:
        """Nobody waits for the worker."""
        await self.queue.drain(cpu)


@scenario(unbind=one_of("takes-only", "full", default="takes-only", meaning="what unbind waits for"))
def vtd_unbind(world: World, unbind: str) -> None:
    """A page request is queued while its PASID is unbound and bound again."""
    board = vtd_platform(world, device=SilentPrefetcher, report=FLUSHED)
    sva = board.sva(world, TakesOnly if unbind == "takes-only" else Sva)
    board.add_hardware(world, ats=False)
    add_pri_thread(world, board.queue)
    add_fault_worker(world, board.iopf)
    add_process(world, "unbind", board.mm_a, board.bond, sva, board.endpoint)
    add_binder(world, board.mm_b, sva)
    world.check(NoCrossBindingFault())
    world.expect(RequestQueuedWhileUnbound())
