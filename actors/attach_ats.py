"""An endpoint with an ATC behind the SMMU of attach worlds: it asks, keeps what it is told, and uses that by itself.

As with the other commands there, an ATC_INV reaches the endpoint in a step of the CPU that issues it; the SYNC behind
it waits for the Invalidate Completion, which waits for accesses under way.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import drivers.cpu
from drivers.attach_events import AtcDropped, AtsSwitched, attached_resource
from hw.bus import Asid, PhysAddr, Resource, StreamId, VirtAddr
from hw.events import FRAMES, DmaLanded
from hw.memory import owner_name
from hw.pcie.ats import Atc, AtcEntry, NoTranslation
from hw.pcie.events import DeviceError, DeviceErrorSeen, InvalidationTimedOut
from hw.pcie.tlp import NO_PASID, InvalidateRequest, TranslationRequest
from hw.smmuv3.commands import ATC_INV_EVERYTHING, Command, Opcode
from hw.smmuv3.translate import Disposition, translate_request, untranslated_access

from .attach_units import Main, Units
from .runtime.step import Step, perform
from .runtime.world import Cpu


@dataclass(slots=True)
class AtsUnits(Units):
    """The SMMU, and the ATC of one endpoint."""

    sid: StreamId = field(default_factory=lambda: StreamId(0))
    atc: Atc = field(default_factory=Atc)
    answers_when_off: bool = True
    """Whether the endpoint answers Invalidate Requests with ATS off, as PCIe wants it (SMMU-R21 doubts it)."""
    allowed: Callable[[], Sequence[str]] = tuple
    """Ghost: whose pages the endpoint may reach now."""
    using: AtcEntry | None = None
    """What the translated access under way goes by."""
    begun: int = 0
    """The masks that the ends of all translated accesses so far give, over or under way."""
    accesses: int = 0
    sent: int = 0

    def warm(self, address: VirtAddr, page: PhysAddr) -> None:
        """ATS has been on for a while: the endpoint holds a translation."""
        self.atc.enable()
        self.atc.fill(AtcEntry(pasid=NO_PASID, virtual_page=address, page=page, read=True, write=True))

    @property
    def resource(self) -> Resource:
        """The ATC, its enable bit, and what is under way from it."""
        return ("ATC", self.sid)

    async def switch(self, cpu: drivers.cpu.Cpu, on: bool) -> None:
        """A write of ATS Enable; its completion pushes the endpoint's posted writes before it."""
        await cpu.access(f"ATS {'on' if on else 'off'}", writes=(self.resource,))
        if on:
            self.atc.enable()
        else:
            self.atc.disable()
        cpu.emit(AtsSwitched(who=self.names.stream(self.sid), on=on))
        await self._drain("Configuration Completion")

    async def sync(self, cpu: drivers.cpu.Cpu, *batch: Command, asids: Sequence[Asid] = ()) -> None:
        """As without an ATC, and then ATC_INV by ATC_INV."""
        others = [command for command in batch if command.opcode is not Opcode.ATC_INV]
        if others:
            await Units.sync(self, cpu, *others, asids=asids)
        for command in batch:
            if command.opcode is Opcode.ATC_INV:
                await self.invalidate(cpu, command)

    async def invalidate(self, cpu: drivers.cpu.Cpu, command: Command) -> None:
        """An Invalidate Request, and its completion."""
        mask = self.world.mask(self.resource)
        await perform(Step("ATC_INV", writes=mask))
        itag = self.sent
        self.sent += 1
        if not (self.atc.enabled or self.answers_when_off):
            cpu.emit(InvalidationTimedOut(command=itag))
            return
        everything = command.size == ATC_INV_EVERYTHING
        self.atc.invalidate(
            InvalidateRequest(
                sid=self.sid, pasid=NO_PASID, address=command.address, pages=1, everything=everything, itag=itag
            )
        )
        cpu.emit(AtcDropped(who=self.names.stream(self.sid)))
        await self._drain("CMD_SYNC completes", mask)
        self.atc.completion_sent(itag)

    async def _drain(self, what: str, writes: int = 0) -> None:
        """One step, when the translated access that is under way now has ended.

        What ended before is waited for as well: it would have been, had it ended after.
        """
        under_way = self.using
        await perform(
            Step(
                what,
                writes=writes,
                takes=self.begun,
                ready=lambda: under_way is None or self.using is not under_way,
                blocked=lambda: "a translated access that is under way",
            )
        )

    def endpoint(self, address: VirtAddr, count: int) -> Main:
        """The endpoint writes to `address` `count` times."""

        async def main(cpu: Cpu) -> None:
            for _ in range(count):
                await self._write(cpu, address)

        return main

    async def _write(self, cpu: Cpu, address: VirtAddr) -> None:
        """By the ATC where ATS is on, else untranslated; an answer that an invalidation has outdated is asked again."""
        self.accesses += 1
        found: AtcEntry | NoTranslation = NoTranslation.STALE
        while found is NoTranslation.STALE:
            await cpu.access("ATC look-up", writes=(self.resource,))
            if not self.atc.enabled:
                await self._write_untranslated(cpu, address)
                return
            cached = self.atc.lookup(NO_PASID, address)
            found = self._use(cached) if cached is not None else await self._ask(cpu, address)
        if isinstance(found, AtcEntry):
            await self._land(cpu, "translated DMA", found.page, self._ends(self.accesses))
            self.using = None

    async def _ask(self, cpu: Cpu, address: VirtAddr) -> AtcEntry | NoTranslation:
        """A Translation Request and its completion."""
        tag = self.accesses
        self.atc.begin_request(tag, NO_PASID, address)
        request = TranslationRequest(sid=self.sid, pasid=NO_PASID, address=address, write=True, tag=tag)
        answer = await translate_request(cpu, self.smmu, request)
        transaction = answer.transaction
        gives = self.end_of(self.sid, transaction.ordinal) if transaction is not None else 0
        await perform(Step("Translation Completion", writes=self.world.mask(self.resource), gives=gives))
        if transaction is not None:
            self.smmu.finish(transaction)
            self.ended.append(transaction)
        was_on = self.atc.enabled
        found = self.atc.complete(tag, answer.completion)
        if found is NoTranslation.UNSUPPORTED_REQUEST and was_on:  # else it was switched off while it waited
            cpu.emit(DeviceErrorSeen(pasid=NO_PASID, error=DeviceError.UNSUPPORTED_REQUEST))
        return self._use(found) if isinstance(found, AtcEntry) else found

    def _use(self, entry: AtcEntry) -> AtcEntry:
        """Within a step that names the ATC: a translated access is under way from here."""
        self.using = entry
        self.begun |= self._ends(self.accesses)
        return entry

    async def _write_untranslated(self, cpu: Cpu, address: VirtAddr) -> None:
        """Through the SMMU."""
        answer = await untranslated_access(
            cpu, self.smmu, sid=self.sid, pasid=NO_PASID, address=address, write=True, ordinal=self.accesses
        )
        if answer.disposition is Disposition.PROCEED:
            await self._land(cpu, "untranslated DMA", answer.address, self.end_of(self.sid, self.accesses))
            self.smmu.finish(answer.transaction)
            self.ended.append(answer.transaction)
        else:
            await self.end("untranslated DMA is refused", answer.transaction)

    async def _land(self, cpu: Cpu, what: str, page: PhysAddr, gives: int) -> None:
        """The access reaches memory."""
        reads = self.world.session.footprint((FRAMES, attached_resource(self.sid)))
        await perform(Step(what, reads, gives=gives))
        owner, allowed = owner_name(self.world.memory.owner_of(page)), self.allowed()
        meant = owner if owner in allowed else allowed[0]
        cpu.emit(DmaLanded(pasid=NO_PASID, page=page, owner=owner, meant_for=meant))

    def _ends(self, number: int) -> int:
        """What the end of translated access `number` gives."""
        return self.world.mask(("translated access ends", self.sid, number))
