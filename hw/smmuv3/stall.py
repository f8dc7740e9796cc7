"""The stall model (smmuv3 §2.5): transactions wait in the SMMU under a STAG, until RESUME, STALL_TERM or a
retry of the SMMU's own accord."""

from __future__ import annotations

from dataclasses import dataclass

from hw.bus import StreamId
from hw.smmuv3.commands import ResumeResp

STAGS = 1 << 16


@dataclass(slots=True, kw_only=True, eq=False)
class Stall:
    """One stalled transaction; `number` counts the stalls of a run, as a STAG is used again."""

    number: int
    sid: StreamId
    stag: int
    decision: ResumeResp | None = None
    """What software decided; None as long as the STAG is reserved."""


class Stalls:
    """Which STAGs of which streams are reserved. The lowest free one is taken, so that reuse is an everyday event.

    A stream has `stags` of them. What stalls while all are reserved waits for one, unrecorded.
    """

    def __init__(self, stags: int = STAGS) -> None:
        if not 1 <= stags <= STAGS:
            raise ValueError(f"{stags} STAGs: allowed are 1..{STAGS}")
        self.stags = stags
        self._reserved: dict[tuple[StreamId, int], Stall] = {}
        self._count = 0

    def open(self, sid: StreamId) -> Stall:
        """Reserve a STAG for a transaction of a stream, which has one left."""
        stag = self.next_stag(sid)
        assert stag is not None
        stall = Stall(number=self._count, sid=sid, stag=stag)
        self._count += 1
        self._reserved[sid, stag] = stall
        return stall

    def next_stag(self, sid: StreamId) -> int | None:
        """The STAG that `open` would reserve now; None if all are."""
        return next((stag for stag in range(self.stags) if (sid, stag) not in self._reserved), None)

    def resume(self, sid: StreamId, stag: int, decision: ResumeResp) -> Stall | None:
        """RESUME: free the STAG and decide about its transaction; None if the STAG is stale, which has no effect.

        The transaction may have ended already, by an early retry: then the decision comes too late to matter.
        """
        stall = self._reserved.pop((sid, stag), None)
        if stall is not None:
            stall.decision = decision
        return stall

    def terminate(self, sid: StreamId) -> tuple[Stall, ...]:
        """STALL_TERM: every stalled transaction of a stream is to end in an abort (IHI 0070 §4.7.2)."""
        ended = [stall for key, stall in self._reserved.items() if key[0] == sid]
        for stall in ended:
            self.resume(stall.sid, stall.stag, ResumeResp.ABORT)
        return tuple(ended)

    def reserved(self, sid: StreamId) -> tuple[int, ...]:
        """The STAGs of a stream that wait for software."""
        return tuple(stag for (stream, stag) in self._reserved if stream == sid)
