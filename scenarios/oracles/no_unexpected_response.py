"""Every response names a group that is open, at least while PRI is on: Status.UPRGI stays clear (vtd-pcie §1.4)."""

from __future__ import annotations

from actors.runtime.primitives.events import Violation
from hw.events.link import ResponseReceived
from hw.pcie.events import FunctionReset, PriSwitched

from .oracle import EventOracle


class NoUnexpectedResponse(EventOracle):
    """A function may report an unexpected response as an Unsupported Request; also while PRI is off, if `always`.

    The standard makes no exception for PRI off; that a function then drops them without a word is not verified.
    """

    watches = (ResponseReceived, FunctionReset, PriSwitched)

    def __init__(self, *, always: bool = False) -> None:
        self._always = always
        self._on = True

    def observe(self, event: ResponseReceived | FunctionReset | PriSwitched) -> None:
        """A reset switches PRI off, software switches it on again."""
        match event:
            case FunctionReset():
                self._on = False
            case PriSwitched(enabled=enabled):
                self._on = enabled
            case ResponseReceived(prgi=prgi, group=-1) if self._on or self._always:
                raise Violation(
                    f"a response for g{prgi} arrives and no such group is open: the device sets UPRGI and may report "
                    "an Unsupported Request",
                    f"g{prgi}",
                )
