"""Drivers with one step wrong: each shows that a property can be broken (an oracle nothing kills is decoration)."""

from __future__ import annotations

from drivers.cpu import Cpu
from hw.bus import Prgi
from hw.pcie.tlp import ResponseCode

from .iopf import FaultGroup
from .page_requests import Intake, QueueEntry, Responder


class AnswersMarkers(Intake):
    """BUG: takes a Stop Marker for a request with Last and answers it (race SMMU-R09, da8669ff41fa)."""

    async def stop_marker(self, cpu: Cpu, number: int, entry: QueueEntry) -> None:
        """Hand it to the fault worker like any other entry."""
        await self.iopf.report(cpu, number, entry)


class LosesResponses(Responder):
    """BUG: handles the fault and tells nobody; the device's credits never come back."""

    async def respond(self, cpu: Cpu, group: FaultGroup, code: ResponseCode) -> None:
        """No response is written."""


class AnswersGroupZero(Responder):
    """BUG: drops PRGIndex from the response, so the answer completes whatever group 0 is (compare seed 001)."""

    def prgi(self, group: FaultGroup) -> Prgi:
        """The first group, whatever the request said."""
        return Prgi(0)
