"""Race SMMU-R38: a PASID goes back to the pool when its process dies, and the unbind comes later."""

from __future__ import annotations

from actors.runtime.world import World
from drivers.kernel.pasid_lifetime import LIFETIMES

from ..parameters import one_of
from ..scenario import scenario
from .pasid_lifetime_verdicts import EXPECTED
from .pasid_reuse import DyingProcess, dying_process


class PasidLifetime(DyingProcess):
    """When the PASID goes back to the pool."""

    free = one_of(*LIFETIMES, default="mmput", meaning="when the PASID goes back, and what has it: a bond or the mm")
    closer = one_of("self", "other", default="self", meaning="who closes the device file: the dying process or another")
    accesses = DyingProcess.accesses
    reuse = DyingProcess.reuse


@scenario(
    PasidLifetime,
    source="2667ed10d9f0 (April 2022): mm: Fix PASID use-after-free issue; it fixes 701fac40384f",
    expected=EXPECTED,
)
def pasid_lifetime(world: World, given: PasidLifetime) -> None:
    """A process is killed while its device works, and another process binds."""
    dying_process(world, given, LIFETIMES[given.free], "smmuv3")
