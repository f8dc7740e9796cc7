"""bind and unbind as proposed in 2017 (seeds 000 and 002), and the variants that the discussion weighed.

The protocol is written once. A variant overrides one named step, `drain`: what unbind waits for between the device's
stop and the moment the PASID can be handed out again.
"""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import Any

from hw.bus import Pasid

from ..cpu import Cpu, Lock
from ..events.binding import DrainTimedOut, UnbindRefused
from .endpoint import CLEAN, FLUSHED
from .faults.iopf import Iopf
from .faults.page_requests import marker_resource
from .iommu import Contexts, RequestQueue
from .memory.mm import Mm
from .memory.pasid import Bond, Pasids, begin_teardown

InvalidatePasid = Callable[[Cpu, Pasid], Coroutine[Any, Any, int]]
DisablePri = Callable[[Cpu], Coroutine[Any, Any, None]]


class Sva:
    """Full drain: whatever the flags say, take what is queued and wait until it is handled. The correct protocol."""

    device_stops_first = True
    """Whether the device's driver stops it before it calls unbind, as the proposal demands."""

    def __init__(
        self,
        pasids: Pasids,
        contexts: Contexts,
        queue: RequestQueue,
        iopf: Iopf,
        invalidate_pasid: InvalidatePasid | None,
        disable_pri: DisablePri,
        lock: Lock,
        stopped: DisablePri,
    ) -> None:
        """`stopped` waits for the device's PRI Status.Stopped."""
        self.pasids = pasids
        self.contexts = contexts
        self.queue = queue
        self.iopf = iopf
        self.disable_pri = disable_pri
        self.stopped = stopped
        self._invalidate_pasid = invalidate_pasid
        self._lock = lock

    async def bind(self, cpu: Cpu, mm: Mm) -> Bond:
        """Give an address space a PASID and let the device translate through it."""
        bond = await self.pasids.allocate(cpu, mm)
        await self.contexts.write(cpu, bond)
        return bond

    async def unbind(self, cpu: Cpu, mm: Mm, pasid: Pasid, flags: int) -> str:
        """Take a PASID away from `mm`; "" or the name of the error. `flags` says how the caller stopped the device.

        A PASID that was released and belongs to somebody else by now is not touched (ESRCH), unlike race SMMU-R38.
        """
        await cpu.lock(self._lock)
        error = await self._try_unbind(cpu, mm, pasid, flags)
        await cpu.unlock(self._lock)
        return error

    async def mm_release(self, cpu: Cpu, mm: Mm) -> None:
        """The process exits first: stop the device through the driver's callback, then take the PASID away.

        A callback that returns 0 could not stop the device: translation ends here, but the PASID stays allocated.
        """
        await cpu.lock(self._lock)
        for pasid in self.pasids.all:
            bond = await self.pasids.look_up(cpu, pasid)
            if bond is None or bond.mm is not mm:
                continue
            flags = await self.state(cpu, pasid, 0)
            if flags:
                await self._unbind(cpu, bond, flags)
            else:
                await self.contexts.clear(cpu, bond)
        await cpu.unlock(self._lock)

    async def mm_invalidate(self, cpu: Cpu, mm: Mm) -> None:
        """Pages of `mm` are going away: take them out of TLB and ATC. May run under locks of the mm, takes none."""
        for pasid in self.pasids.all:
            bond = await self.pasids.look_up(cpu, pasid)
            if bond is not None and bond.mm is mm:
                await self.contexts.invalidate(cpu, bond)

    async def _try_unbind(self, cpu: Cpu, mm: Mm, pasid: Pasid, flags: int) -> str:
        bond = await self.pasids.look_up(cpu, pasid)
        if bond is None or bond.mm is not mm:
            return "ESRCH"
        flags = await self.state(cpu, pasid, flags)
        if not flags:
            cpu.emit(UnbindRefused(pasid=pasid, error="EINVAL"))
            return "EINVAL"
        await self._unbind(cpu, bond, flags)
        return ""

    async def state(self, cpu: Cpu, pasid: Pasid, flags: int) -> int:
        """In what state the device has left a PASID: as its driver says, or else its callback; 0 if neither does."""
        if flags or self._invalidate_pasid is None:
            return flags
        return await self._invalidate_pasid(cpu, pasid)

    async def _unbind(self, cpu: Cpu, bond: Bond, flags: int) -> None:
        if not self.device_stops_first:
            await begin_teardown(cpu, bond.pasid)
        await self.drain(cpu, bond, flags)
        await self.contexts.clear(cpu, bond)
        await self.pasids.free(cpu, bond)

    async def drain(self, cpu: Cpu, bond: Bond, flags: int) -> None:
        """Keep the PRI thread out, take every entry that is queued, and wait until the faults are answered."""
        await self.queue.drain(cpu)
        await self.iopf.discard_partial(cpu, bond.pasid)
        await self.iopf.flush(cpu)


class NoDrain(Sva):
    """BUG: a request between (2) and (3) of seed 000 is looked up under the PASID's next owner."""

    async def drain(self, cpu: Cpu, bond: Bond, flags: int) -> None:
        """Nothing is waited for."""


class WaitForMarker(Sva):
    """BUG: waits for the Stop Marker unless the PASID is CLEAN; a marker that an overflow ate never comes."""

    async def drain(self, cpu: Cpu, bond: Bond, flags: int) -> None:
        """CLEAN: nothing can be left. FLUSHED: the marker is behind all requests of this PASID."""
        if self.is_clean(flags):
            return
        await self.marker(cpu, bond)
        await self.iopf.flush(cpu)

    def is_clean(self, flags: int) -> bool:
        """The flags are bits: CLEAN is said "in addition to" FLUSHED, so both may be set."""
        return bool(flags & CLEAN)

    async def marker(self, cpu: Cpu, bond: Bond) -> None:
        """Wait for the marker, however long it takes."""
        await cpu.wait(
            f"Stop Marker of PASID {bond.pasid}",
            lambda: self.queue.intake.markers.get(bond.pasid, 0) > 0,
            writes=(marker_resource(bond.pasid),),
        )
        self.queue.intake.markers[bond.pasid] -= 1


class ReadsFlagsAsOneOf(WaitForMarker):
    """BUG: compares the flags with one of the two values: a driver that sets both bits waits for a marker for ever."""

    def is_clean(self, flags: int) -> bool:
        """Exactly CLEAN."""
        return flags == CLEAN


class TakesZeroForClean(WaitForMarker):
    """BUG: a callback that returns 0 has not stopped the device, which goes on under the PASID's next owner."""

    async def state(self, cpu: Cpu, pasid: Pasid, flags: int) -> int:
        """Nobody objects, so it is CLEAN."""
        return await super().state(cpu, pasid, flags) or CLEAN


class WaitForMarkerThenDrain(WaitForMarker):
    """Gives up on the marker after a while and drains: a time-out can come at any moment, so the step never blocks."""

    async def marker(self, cpu: Cpu, bond: Bond) -> None:
        """One look; if the marker is not there the time-out came first."""
        resource = marker_resource(bond.pasid)
        await cpu.access(f"Stop Marker of PASID {bond.pasid}, or time-out", writes=(resource,))
        if self.queue.intake.markers.get(bond.pasid, 0):
            self.queue.intake.markers[bond.pasid] -= 1
            return
        cpu.emit(DrainTimedOut(pasid=bond.pasid))
        await Sva.drain(self, cpu, bond, FLUSHED)


class StopPri(Sva):
    """BUG: waits for the faults that software knows, but what is in the PRI queue software does not know yet.

    The order of the last paragraph of seed 000, without help from the device's driver: wait until pending faults are
    processed, answer new ones Invalid, switch the device's PRI off, release the PASID.
    """

    device_stops_first = False

    async def drain(self, cpu: Cpu, bond: Bond, flags: int) -> None:
        """Pending faults, new faults, PRI, in that order."""
        await self.iopf.flush(cpu)
        await self.pasids.kill(cpu, bond)
        await self.disable_pri(cpu)


class StopPriAndWait(StopPri):
    """The other reading of that paragraph, which is PCIe's own way to end PRI: nothing new, then every answer.

    It needs no help from the device's driver; but PRI is off for the whole function, for all its PASIDs.
    """

    async def drain(self, cpu: Cpu, bond: Bond, flags: int) -> None:
        """New faults, PRI, and the device has every answer; then no worker has one of its faults either."""
        await self.pasids.kill(cpu, bond)
        await self.disable_pri(cpu)
        await self.stopped(cpu)
        await self.iopf.flush(cpu)


VARIANTS: dict[str, type[Sva]] = {
    "none": NoDrain,
    "marker": WaitForMarker,
    "marker-timeout": WaitForMarkerThenDrain,
    "full": Sva,
    "stop-pri": StopPri,
    "stop-pri-wait": StopPriAndWait,
}

FLAG_READERS: dict[str, type[WaitForMarker]] = {
    "bits": WaitForMarker,
    "one-of": ReadsFlagsAsOneOf,
    "zero-is-clean": TakesZeroForClean,
}
"""How unbind takes what it is told about the device."""
