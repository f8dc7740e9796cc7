"""Page responses on VT-d are descriptors of the invalidation queue (vtd-pcie §2.4)."""

from __future__ import annotations

from hw.bus import Pasid, Prgi, StreamId
from hw.pcie.tlp import ResponseCode
from hw.vtd import LANE
from hw.vtd.descriptors import PageGroupResponse

from ..cpu import Cpu
from .qi import Published, Qi


class PageGroupResponses:
    """Page responses go through the invalidation queue, and are waited for (qi_submit_sync knows nothing else)."""

    lane = LANE
    response = "page-group-response"

    def __init__(self, sid: StreamId, qi: Qi) -> None:
        self._sid = sid
        self._qi = qi

    def code(self, code: ResponseCode) -> int:
        """The descriptor has PCIe's own code."""
        return code

    async def issue_response(
        self, cpu: Cpu, pasid: Pasid, prgi: Prgi, code: ResponseCode, published: Published
    ) -> None:
        """Submit the descriptor."""
        response = PageGroupResponse(sid=self._sid, pasid=pasid, prgi=prgi, code=code)
        await self._qi.submit(cpu, response, published=published)
