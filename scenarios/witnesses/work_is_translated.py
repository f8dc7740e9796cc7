"""The witness: a device asks for the translation that a work needs."""

from __future__ import annotations

from hw.pcie.events import WorkTranslated

from .witness import FirstEvent


class WorkIsTranslated(FirstEvent):
    """Reached by the first one; a work may also be aborted before it begins."""

    watches = (WorkTranslated,)
