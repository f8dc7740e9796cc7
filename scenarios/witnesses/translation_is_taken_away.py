"""The witness: a device gets a translation, and the invalidation that takes it away comes afterwards."""

from __future__ import annotations

from hw.events.link import AtcInvalidated, Translated

from .witness import EventWitness


class TranslationIsTakenAway(EventWitness):
    """Reached when an ATC is invalidated after a page was found; the ATC itself orders the two."""

    watches = (Translated, AtcInvalidated)

    def __init__(self) -> None:
        self._granted = False

    def observe(self, event: Translated | AtcInvalidated) -> None:
        """The grant has to come first, then the loss."""
        match event:
            case Translated(page=page):
                self._granted = self._granted or page != 0
            case AtcInvalidated():
                self.reached = self.reached or self._granted
