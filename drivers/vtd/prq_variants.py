"""Page request threads of VT-d's past, each with one step wrong (docs/races.md)."""

from __future__ import annotations

from ..cpu import Cpu
from .prq import PageRequestQueue


class NeverClearsPro(PageRequestQueue):
    """BUG: never clears PRO; the queue refuses every request from then on (as SMMU-R02)."""

    async def recover(self, cpu: Cpu) -> None:
        """PRO stays set."""


class ClearsProEarly(PageRequestQueue):
    """BUG: clears PRO with entries in the queue, and discards partial groups that are not complete yet (VTD-R03)."""

    async def may_recover(self, cpu: Cpu) -> bool:
        """The queue need not be empty."""
        return True


CLEAR_PRO: dict[str, type[PageRequestQueue]] = {
    "never": NeverClearsPro,
    "first": ClearsProEarly,
    "last": PageRequestQueue,
}
"""When PRO is cleared: never, at first sight, or when the queue is empty."""
