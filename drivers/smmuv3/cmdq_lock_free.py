"""The command queue shared without a lock (smmuv3 §3.1, since 5.4): slots are reserved by compare-and-swap, and
whoever reserves while nobody is about to write PROD is the *owner*, who writes it for all.

The words that CPUs share are words of memory, each a resource of its own. The valid map has a word for a slot, and not
a bit: atomic XORs of different bits of one word commute, as nobody looks at their result.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from hw.bus import PhysAddr
from hw.fields import Field
from hw.memory import WORD_BYTES
from hw.smmuv3 import LANE, commands
from hw.smmuv3.commands import Command, SyncSignal
from hw.smmuv3.queues import Ring
from hw.smmuv3.registers import Registers

from ..cpu import Cpu
from ..events.cmdq import (
    BatchPublished,
    ExclusiveLockTaken,
    SharedLockTaken,
    SharedLockWanted,
    SlotsReserved,
    SyncReturned,
)
from .cmdq import Cmdq

PROD = Field(0, 31)
OWNED = Field(31, 1)
"""Somebody has reserved slots and has yet to stop gathering those of others: he will write PROD for all of them."""
CONS = Field(32, 32)
"""The CPUs' own copy of CMDQ_CONS, which may be behind but never ahead."""
EXCLUSIVE = 1 << 31
"""The sign bit of the lock; the rest counts who waits for the SMMU, or for the lock."""


@dataclass(frozen=True, slots=True, kw_only=True)
class QueueWords:
    """Where the shared words lie: PROD, OWNED and CONS in `llq`, what was published last, the lock, the valid map."""

    llq: PhysAddr
    owner_prod: PhysAddr
    lock: PhysAddr
    valid: Sequence[PhysAddr]


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """Slots that a CPU reserved: pointers `first` to `end` (exclusive), `number` the first command's."""

    first: int
    end: int
    number: int
    owner: bool
    words: Sequence[tuple[int, int]]

    @property
    def sync_number(self) -> int:
        """The last command, where it is a CMD_SYNC."""
        return self.number + len(self.words) - 1


class LockFreeCmdq(Cmdq):
    """As of df180b1a4cc5. Waits for a CMD_SYNC by the message that it writes over its own slot."""

    def __init__(self, registers: Registers, ring: Ring, words: QueueWords) -> None:
        self._registers = registers
        self._ring = ring
        self._words = words
        self._issued = 0

    async def issue(self, cpu: Cpu, *batch: Command, published: Callable[[int], None] | None = None) -> None:
        """As in the base class; `published` is called in the step that lets an owner publish the batch."""
        claim = await self._reserve(cpu, batch, waits=False)
        await self._fill(cpu, claim)
        await self._mark_valid(cpu, claim, published)
        await self.serve(cpu, claim)

    async def issue_sync(self, cpu: Cpu, *batch: Command, published: Callable[[int], None] | None = None) -> None:
        """As in the base class; `published` is called in the step that lets an owner publish the batch.

        The lock keeps everybody from moving the shared CONS on, and so from reserving the slots of a further lap,
        while somebody waits: a queue that goes round unseen looks as if it had not moved.
        """
        claim = await self._reserve(cpu, batch, waits=True)
        await self._fill(cpu, claim)
        await self.enter_wait(cpu)
        await self._mark_valid(cpu, claim, published)
        await self.serve(cpu, claim)
        await self.leave(cpu, claim)

    async def leave(self, cpu: Cpu, claim: Claim) -> None:
        """Wait, and give the lock back; the last who waits for the SMMU moves the shared CONS."""
        cons = await self.completed(cpu, claim)
        await cpu.access("CMD_SYNC is complete", reads=SyncReturned(number=claim.sync_number).touches)
        cpu.emit(SyncReturned(number=claim.sync_number))
        await self.leave_wait(cpu, cons)

    # Reserving

    async def _reserve(self, cpu: Cpu, batch: Sequence[Command], *, waits: bool) -> Claim:
        count = len(batch) + waits
        seen = await cpu.load(self._words.llq, "llq")
        while True:
            while self._room(seen) < count:
                seen = await self._make_room(cpu, seen, count)
            wanted = OWNED.mask | PROD.put(seen, self._advance(PROD.get(seen), count))
            before = await self.swap(cpu, seen, wanted)
            if before == seen:
                return self._claimed(cpu, seen, wanted, batch, waits)
            seen = before

    async def swap(self, cpu: Cpu, expected: int, wanted: int) -> int:
        """Compare and swap `llq`; what it was before."""
        return await cpu.rmw(
            self._words.llq, lambda value: wanted if value == expected else value, "llq (compare and swap)"
        )

    def _claimed(self, cpu: Cpu, seen: int, wanted: int, batch: Sequence[Command], waits: bool) -> Claim:
        """What was reserved; called within the step that reserved it."""
        first, end = PROD.get(seen), PROD.get(wanted)
        words = [commands.encode(command) for command in batch]
        if waits:
            words.append(commands.encode(self.sync_at(self._ring.slot(self._advance(first, len(batch))))))
        owner = not seen & OWNED.mask
        number, self._issued = self._issued, self._issued + len(words)
        cpu.emit(SlotsReserved(number=number, commands=tuple(words), owner=owner))
        return Claim(first=first, end=end, number=number, owner=owner, words=words)

    def _room(self, llq: int) -> int:
        return self._ring.entries - self._ring.used(PROD.get(llq), CONS.get(llq))

    def _advance(self, pointer: int, count: int) -> int:
        for _ in range(count):
            pointer = self._ring.next(pointer)
        return pointer

    async def _make_room(self, cpu: Cpu, seen: int, count: int) -> int:
        """Bring the shared CONS up to date if nobody waits for the SMMU, else leave it to who does; `llq` after that.

        What is a spin in the kernel, and changes nothing while it spins, is one step here.
        """
        if await self._try_exclusive(cpu):
            await self._move_cons(cpu, await cpu.load(self._registers.CMDQ_CONS, "CMDQ_CONS"))
            await self.unlock_exclusive(cpu)
            await cpu.poll_words(
                (self._words.llq, self._registers.CMDQ_CONS),
                lambda llq, cons: self._room(llq) >= count or self._ring.used(cons, CONS.get(llq)) > 0,
                "room, or CMDQ_CONS moves",
            )
        else:
            await self.others_make_room(cpu, seen)
        return await cpu.load(self._words.llq, "llq")

    async def others_make_room(self, cpu: Cpu, seen: int) -> None:
        """Until somebody moves the shared CONS; or the time-out, after which the lock is tried again.

        The time-out is of no use before somebody gives the lock back, so it comes no earlier.
        """
        await cpu.poll_words(
            (self._words.llq, self._words.lock), lambda llq, lock: llq != seen or not lock, "room, or time-out"
        )

    async def _move_cons(self, cpu: Cpu, cons: int) -> None:
        """A store to the upper half of `llq`."""
        pointer = CONS.put(0, cons & CONS.mask >> CONS.low)
        await cpu.rmw(self._words.llq, lambda llq: llq & ~CONS.mask | pointer, "llq.cons")

    # Filling and publishing

    async def _fill(self, cpu: Cpu, claim: Claim) -> None:
        """Word by word: nothing but the protocol keeps the SMMU from looking."""
        pointer = claim.first
        for words in claim.words:
            slot, name = self._ring.slot(pointer), f"CMDQ[{self._ring.index(pointer)}]"
            for offset, word in enumerate(words):
                await cpu.store(PhysAddr(slot + offset * WORD_BYTES), word, f"{name}.q{offset}")
            pointer = self._ring.next(pointer)

    async def _mark_valid(self, cpu: Cpu, claim: Claim, published: Callable[[int], None] | None = None) -> None:
        """One atomic operation up to the end of the map, a second one from its beginning."""
        await self.commands_written(cpu)
        pointer, left = claim.first, len(claim.words)
        while left:
            index = self._ring.index(pointer)
            count = min(left, self._ring.entries - index)
            marks = [self.valid_mark(pointer)] * count
            await cpu.store_words(self._words.valid[index], marks, f"valid map [{index}:{index + count}]")
            if left == len(claim.words) and published is not None:
                published(claim.number)
            pointer, left = self._advance(pointer, count), left - count

    def valid_mark(self, pointer: int) -> int:
        """What says that the slot is filled: the opposite of the wrap bit, so that each lap begins with all invalid."""
        return int(not pointer & self._ring.entries)

    async def serve(self, cpu: Cpu, claim: Claim) -> None:
        """The owner's part: wait for the last owner, stop gathering, wait for who reserved, write PROD, hand over."""
        if not claim.owner:
            return
        await cpu.poll(self._words.owner_prod, lambda prod: prod == claim.first, "the last owner is done", sleeps=False)
        before = await cpu.rmw(self._words.llq, lambda llq: llq & ~OWNED.mask, "llq: stop gathering")
        end = PROD.get(before)
        await self.gather(cpu, claim.first, end)
        await self.publish(cpu, claim, end)

    async def gather(self, cpu: Cpu, first: int, end: int) -> None:
        """Wait until every slot is filled, the own ones included."""
        pointer = first
        while pointer != end:
            mark, index = self.valid_mark(pointer), self._ring.index(pointer)
            await cpu.poll(
                self._words.valid[index],
                lambda valid, mark=mark: valid == mark,  # type: ignore[misc]
                f"CMDQ[{index}] is valid",
                sleeps=False,
            )
            pointer = self._ring.next(pointer)

    async def publish(self, cpu: Cpu, claim: Claim, end: int) -> None:
        """First the register, then whose turn it is."""
        await self._ring_doorbell_at(cpu, claim, end)
        await self.hand_over(cpu, end)

    async def hand_over(self, cpu: Cpu, end: int) -> None:
        """The next owner may write PROD: a release, so that his store comes behind this one."""
        await cpu.store_release(self._words.owner_prod, end, "owner_prod")

    async def _ring_doorbell_at(self, cpu: Cpu, claim: Claim, end: int) -> None:
        await cpu.store(self._registers.CMDQ_PROD, end, "CMDQ_PROD")
        total = self._ring.used(end, claim.first)
        cpu.emit(BatchPublished(target=LANE, end=claim.number + total, own=len(claim.words), total=total))

    # Waiting

    def sync_at(self, slot: PhysAddr) -> Command:
        """A CMD_SYNC that will write a zero over itself."""
        return commands.cmd_sync(SyncSignal.IRQ, slot)

    async def completed(self, cpu: Cpu, claim: Claim) -> int:
        """Wait for the own CMD_SYNC; where CONS is then, at least."""
        pointer = self._advance(claim.first, len(claim.words) - 1)
        await cpu.poll(self._ring.slot(pointer), lambda word: word == 0, "CMD_SYNC completes", sleeps=False)
        return claim.end

    async def enter_wait(self, cpu: Cpu) -> None:
        """Take the lock shared, before the slots are marked valid."""
        before = await cpu.rmw(self._words.lock, lambda lock: lock + 1, "cmdq lock (shared)")
        if before & EXCLUSIVE:
            cpu.emit(SharedLockWanted(cpu=cpu.name))
            await self.admitted(cpu)
        cpu.emit(SharedLockTaken(cpu=cpu.name))

    async def admitted(self, cpu: Cpu) -> None:
        """Counted already: wait until the lock is not exclusive."""
        await cpu.poll(self._words.lock, lambda lock: not lock & EXCLUSIVE, "cmdq lock (shared)", sleeps=False)

    async def leave_wait(self, cpu: Cpu, cons: int) -> None:
        """Give the shared lock back; who is the last moves the shared CONS first, as nobody else can now."""
        if await cpu.load(self._words.lock, "cmdq lock") == 1:
            await self._move_cons(cpu, cons)
        await cpu.rmw(self._words.lock, lambda lock: lock - 1, "cmdq lock (unlock)")

    async def _try_exclusive(self, cpu: Cpu) -> bool:
        before = await cpu.rmw(self._words.lock, lambda lock: lock or EXCLUSIVE, "cmdq lock (try exclusive)")
        if not before:
            cpu.emit(ExclusiveLockTaken(cpu=cpu.name))
        return not before

    async def unlock_exclusive(self, cpu: Cpu) -> None:
        """Only the sign bit goes: who was counted meanwhile stays counted."""
        await cpu.rmw(self._words.lock, lambda lock: lock & ~EXCLUSIVE, "cmdq lock (unlock exclusive)")
