"""qi_submit_sync where the queue may stop: whoever sees it in FSTS cleans up for everybody (vtd-pcie §2.4; VTD-R21,
VTD-R23, VTD-R25).

ITE: a time-out aborts every wait that hardware had fetched, and whoever spins on any wait in the ring has to submit
again. IQE: hardware cannot carry out what is at the head, and the submission that it belongs to fails.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any, ClassVar, Protocol

from hw.bus import PhysAddr
from hw.fields import Field
from hw.vtd import invalidation
from hw.vtd.descriptors import Descriptor, DeviceTlbInvalidate, WaitDescriptor
from hw.vtd.registers import IQE, ITE, Registers, fsts_after
from hw.vtd.ring import ByteRing

from ..cpu import Cpu, Lock, QueueTail
from ..events.reset import GivenUp, Resubmitted, SubmissionEnded
from ..kernel.function_reset import AtsGate, KeepsTranslation, RestoresFirst
from ..kernel.memory.pasid import Bond
from .pasid_table import PasidTable
from .qi import Published, Qi, Submission

WRITTEN = Field(0, 32)
"""The half of a status word that hardware writes: the ticket of the last wait that was complete."""
FAILED = Field(32, 32)
"""The other half is software's: the ticket of the last wait whose submission failed (QI_ABORT, or IQE)."""

RETRIES = 1
"""A bound of the model: once is enough to see that the driver would go on for ever."""


class Presence(Protocol):
    """What software can learn about a device that may be gone."""

    disconnected: PhysAddr
    """The hotplug code has noticed (pci_dev_is_disconnected): a word of memory."""

    async def is_present(self, cpu: Cpu) -> bool:
        """Read the Vendor ID (pci_device_is_present): one step."""
        ...


class ReadsFsts(Qi, ABC):
    """With qi_check_fault: who spins on a wait looks at FSTS as well, for an error that stops the queue."""

    error: ClassVar[Field]
    """Its bit."""
    named: ClassVar[str]

    async def completed(self, cpu: Cpu, status: PhysAddr, ticket: int) -> bool:
        """Spin on the status word and on FSTS; False if the submission failed."""
        while True:
            words = (status, self._registers.FSTS)
            word, _ = await cpu.poll_words(
                words,
                lambda word, fsts: WRITTEN.get(word) >= ticket or bool(fsts & self.error.mask),
                f"the wait, or {self.named}",
            )
            if WRITTEN.get(word) >= ticket:
                return FAILED.get(word) != ticket
            await self.check_fault(cpu)
            if self.told(cpu):
                return False

    def told(self, cpu: Cpu) -> bool:
        """Whether what was found in FSTS has ended this CPU's submission, whatever becomes of its wait."""
        return False

    async def check_fault(self, cpu: Cpu) -> None:
        """qi_check_fault: set right what the error means for those who wait, then let the queue run again."""
        registers = self._registers
        await cpu.lock(self._lock)
        if await cpu.load(registers.FSTS, "FSTS") & self.error.mask:
            head = await cpu.load(registers.IQH, "IQH")
            await self.repair(cpu, head, self._count - self._ring.used(head, self._tail))
            await cpu.rmw(registers.FSTS, lambda word: fsts_after(word, self.error.mask), f"clear {self.named}")
        await cpu.unlock(self._lock)

    @abstractmethod
    async def repair(self, cpu: Cpu, head: int, fetched: int) -> None:
        """Called under the lock; hardware has fetched `fetched` descriptors so far."""


class ReplacesRefused(ReadsFsts):
    """IQE: what hardware refuses becomes a wait that harms nobody, and whoever submitted it fails (-EINVAL)."""

    error, named = IQE, "IQE"

    async def repair(self, cpu: Cpu, head: int, fetched: int) -> None:
        """Only the batch's own wait may say that its slots are free: in its place the new one says so.

        In Linux only the first descriptor of the spinner's own batch is repaired ([K]).
        """
        batch = next(each for each in self._waits if fetched < each.ticket)
        own = fetched == batch.ticket - 1
        harmless = WaitDescriptor(status_write=own, status_data=batch.ticket, status_address=batch.status)
        where = f"IQ[{self._ring.index(head)}] = WAIT"
        await cpu.store_words(self._ring.slot(head), invalidation.encode(harmless), where)
        await cpu.rmw(batch.status, lambda word: FAILED.put(word, batch.ticket), f"wait #{batch.ticket - 1} = EINVAL")


class Retries(ReadsFsts):
    """BUG: submits again after each time-out, also when the device will never answer: a hard lockup (before 2024)."""

    error, named = ITE, "ITE"

    async def submit(
        self, cpu: Cpu, *batch: Descriptor, drain: bool = False, published: Published | None = None
    ) -> bool:
        """Return when the wait is complete (True), or when the device is known to be gone."""
        device_tlb = any(isinstance(each, DeviceTlbInvalidate) for each in batch)
        times = 0
        while True:
            posted = await self.post(cpu, *batch, drain=drain, published=published)
            complete = await self.completed(cpu, posted.status, posted.ticket)
            cpu.emit(SubmissionEnded(first=posted.ticket - posted.slots, wait=posted.ticket - 1, complete=complete))
            if complete:
                return True
            times += 1
            if self.told(cpu) or (device_tlb and (times > RETRIES or await self.gives_up(cpu))):
                cpu.emit(GivenUp(device_tlb=device_tlb, wait=posted.ticket - 1))
                return False
            cpu.emit(Resubmitted(device_tlb=device_tlb))

    async def gives_up(self, cpu: Cpu) -> bool:
        """The driver never gives up."""
        return False

    async def repair(self, cpu: Cpu, head: int, fetched: int) -> None:
        """Mark what is in use: the waits that are not complete, whether they were fetched or not (vtd-pcie §2.4)."""
        for each in self._waits:
            if each.ticket > fetched:
                await self.abort_waiting(cpu, each)
            elif WRITTEN.get(await cpu.load(each.status, "wait status")) < each.ticket:
                aborted = FAILED.put(each.ticket, each.ticket)
                await cpu.store(each.status, aborted, f"wait #{each.ticket - 1} = ABORT")

    async def abort_waiting(self, cpu: Cpu, wait: Submission) -> None:
        """What it waits for may have been fetched, and timed out; hardware still writes its own half of the word.

        So the slots stay in use until then. Linux has one value for both, which hardware would write over.
        """
        await cpu.rmw(wait.status, lambda word: FAILED.put(word, wait.ticket), f"wait #{wait.ticket - 1} = ABORT")


class LooksForDevice(Retries):
    """What 80a9b50c0b9e (2024) is for: a time-out of a device that is gone ends the matter for who asked it."""

    def __init__(
        self, registers: Registers, ring: ByteRing, status: PhysAddr, lock: Lock, iqt: QueueTail, *, device: Presence
    ) -> None:
        """Of a queue whose invalidations all go to `device`."""
        Retries.__init__(self, registers, ring, status, lock, iqt)
        self.device = device

    async def gives_up(self, cpu: Cpu) -> bool:
        """The driver gives up if the device is gone."""
        return not await self.device.is_present(cpu)


class TellsWhoClears(LooksForDevice):
    """BUG: 80a9b50c0b9e as it is: who clears ITE asks for the device of ITESID, and hears -ETIMEDOUT if that is gone.

    That may be anybody who spins: it returns before its own invalidation is done, and nobody makes up for it.
    """

    def __init__(self, *args: Any, **more: Any) -> None:
        super().__init__(*args, **more)
        self._told: list[str] = []
        """CPUs that have heard it."""

    def told(self, cpu: Cpu) -> bool:
        """Whether this CPU cleared ITE, of a device that is gone."""
        return cpu.name in self._told

    async def repair(self, cpu: Cpu, head: int, fetched: int) -> None:
        """Repair, and ask here whether the device that timed out is present."""
        await super().repair(cpu, head, fetched)
        if not await self.device.is_present(cpu):
            self._told.append(cpu.name)


class AbortsFetched(LooksForDevice):
    """BUG: marks what lies behind IQH, the waits that hardware itself has aborted: qi_check_fault goes back from there.

    A wait that is fetched when ITE is clear again finds nothing ahead of it: what has timed out is not there any more.
    """

    async def abort_waiting(self, cpu: Cpu, wait: Submission) -> None:
        """A wait that hardware has not fetched is not marked."""


class SkipsDisconnected(PasidTable):
    """4fc82cd907ac (2024): no device-TLB invalidation to a device that is known to be disconnected."""

    def __init__(self, *parts: Any, device: Presence, **more: Any) -> None:
        """Of a table whose device may be gone."""
        super().__init__(*parts, **more)
        self.device = device

    async def invalidate_atc(self, cpu: Cpu, bond: Bond) -> None:
        """What is unplugged has no translations."""
        if not await cpu.load(self.device.disconnected, "disconnected?"):
            await super().invalidate_atc(cpu, bond)


class BlocksAts(PasidTable, AtsGate):
    """The series of 2025: translation is blocked, then no device-TLB invalidation is sent to a device in reset."""

    def __init__(self, *parts: Any, gate: Lock, **more: Any) -> None:
        """Of a table and of the gate."""
        super().__init__(*parts, **more)
        AtsGate.__init__(self, gate)

    async def invalidate_atc(self, cpu: Cpu, bond: Bond) -> None:
        """Invalidate the device TLB, unless the gate is closed."""
        await self.unless_blocked(cpu, bond, super().invalidate_atc)


class BlocksNothingElse(KeepsTranslation, BlocksAts):
    """BUG: the gate is closed, and translation is not blocked."""


class AsksOnlyWhoAnswers(BlocksAts, SkipsDisconnected):
    """Both series: neither in reset nor disconnected."""


class AsksAndBlocksNothingElse(KeepsTranslation, AsksOnlyWhoAnswers):
    """BUG: the gate is closed, and translation is not blocked; who is disconnected is not asked either."""


class AsksAndRestoresFirst(RestoresFirst, AsksOnlyWhoAnswers):
    """BUG: translation is back before invalidations are."""


VTD_GATES: dict[str, type[BlocksAts]] = {"on": BlocksAts, "blocked": BlocksAts, "gate-alone": BlocksNothingElse}
"""With `on` nobody closes the gate."""
