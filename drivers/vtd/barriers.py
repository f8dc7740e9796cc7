"""The driver without one of its barriers (vtd-pcie §2.4, §3.4, §3.5)."""

from __future__ import annotations

from ..cpu import Cpu
from .pasid_table import PasidTable
from .prq import PageRequestQueue
from .qi import Qi


class DescriptorsUnordered(Qi):
    """BUG: IQT can be seen ahead of the descriptors, so the unit fetches what was in their slots before."""

    async def descriptors_written(self, cpu: Cpu) -> None:
        """Nothing."""


class RequestsReadEarly(PageRequestQueue):
    """BUG: a descriptor may be read before PQT was, so it is the one of the lap before, or none."""

    async def tail_read(self, cpu: Cpu) -> None:
        """Nothing."""


class PresentEarly(PasidTable):
    """BUG: an entry can be seen present ahead of its other words, so the unit walks what they held before."""

    async def all_but_p_written(self, cpu: Cpu) -> None:
        """Nothing."""


class ClearedLate(PasidTable):
    """BUG: the other words of an entry may be seen to change while it is still present."""

    async def p_cleared(self, cpu: Cpu) -> None:
        """Nothing."""
