"""The PRI thread: step (3) of seed 000, from the interrupt to the work queue."""

from drivers.kernel.iommu import RequestQueue

from ..runtime.world import World


def add_pri_thread(world: World, queue: RequestQueue) -> None:
    """A daemon that empties the PRIQ whenever its interrupt fires."""
    world.add_actor("pri_thread", queue.thread, daemon=True)
