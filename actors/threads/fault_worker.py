"""The fault worker: step (4) of seed 000, from the work queue to the response."""

from drivers.kernel.faults.iopf import Iopf

from ..runtime.world import World


def add_fault_worker(world: World, iopf: Iopf) -> None:
    """A daemon that handles one fault group after the other."""
    world.add_actor("fault_worker", iopf.work, daemon=True)
