"""The witness: an endpoint writes to a page of a domain."""

from __future__ import annotations

from hw.events.link import DmaLanded

from .witness import EventWitness


class EndpointWorksIn(EventWitness):
    """Reached by the first write that lands there."""

    watches = (DmaLanded,)

    def __init__(self, domain: str, owner: str) -> None:
        self.name = f"endpoint-works-in-{domain}"
        self._owner = owner

    def observe(self, event: DmaLanded) -> None:
        """Compare the owners."""
        self.reached = self.reached or event.owner == self._owner
