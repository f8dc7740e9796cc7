"""The witness: an endpoint reads or writes a page of a domain."""

from __future__ import annotations

from hw.events.link import DmaLanded
from hw.vtd.events import DmaRead

from .witness import EventWitness


class EndpointWorksIn(EventWitness):
    """Reached by the first access that gets there."""

    watches = (DmaLanded, DmaRead)

    def __init__(self, domain: str, owner: str) -> None:
        self.name = f"endpoint-works-in-{domain}"
        self._owner = owner

    def observe(self, event: DmaLanded | DmaRead) -> None:
        """Compare the owners."""
        self.reached = self.reached or event.owner == self._owner
