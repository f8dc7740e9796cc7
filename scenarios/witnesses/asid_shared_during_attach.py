"""The witness: a process takes an ASID while a master is between two domains."""

from __future__ import annotations

from drivers.events.attach import AsidMoved, MasterListed, SvaBound

from .witness import EventWitness


class AsidSharedDuringAttach(EventWitness):
    """Reached when share_asid looks at a list that the attach has already changed.

    Its first steps (sva_lock, and waiting for arm_smmu_asid_lock) are ordered by nothing, so one of the equivalent
    schedules enters it between list_del and CD clear. Without share_asid nothing orders bind and attach at all: that
    both happen is then enough.
    """

    watches = (AsidMoved, MasterListed, SvaBound)

    def __init__(self) -> None:
        self._changed: dict[str, bool] = {}
        self._private = False

    def observe(self, event: AsidMoved | MasterListed | SvaBound) -> None:
        """Note lists that changed, and who looks at them."""
        match event:
            case MasterListed(domain=domain):
                self._changed[domain] = True
            case AsidMoved(domain=domain) if domain in self._changed:
                self.reached = True
            case SvaBound(shared=False):
                self._private = True
            case _:
                pass
        self.reached = self.reached or (self._private and bool(self._changed))
