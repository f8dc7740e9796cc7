"""Ways to share the command queue, each with one step different (smmuv3 §3.1; SMMU-R12)."""

from __future__ import annotations

from collections.abc import Callable

from hw.bus import PhysAddr
from hw.smmuv3 import commands
from hw.smmuv3.commands import Command

from ..cpu import Cpu
from .cmdq_lock_free import CONS, EXCLUSIVE, Claim, LockFreeCmdq


class PollsCons(LockFreeCmdq):
    """Without messages from the SMMU: a caller polls CMDQ_CONS until it has passed the own CMD_SYNC."""

    def sync_at(self, slot: PhysAddr) -> Command:
        """A CMD_SYNC whose completion is not signalled."""
        return commands.cmd_sync()

    async def completed(self, cpu: Cpu, claim: Claim) -> int:
        """The shared copy may say it already; else the register will."""
        cons = CONS.get(await cpu.load(self._words.llq, "llq"))
        if self.passed(cons, claim):
            return cons
        return await cpu.poll(
            self._registers.CMDQ_CONS, lambda now: self.passed(now, claim), "CONS passes CMD_SYNC", sleeps=False
        )

    def passed(self, cons: int, claim: Claim) -> bool:
        """Less than a lap ahead; after a whole lap it would look as if it had yet to come."""
        return self._ring.used(cons, claim.end) < self._ring.entries


class WaitsForOthers(LockFreeCmdq):
    """BUG: without the time-out: who moved CONS last may give the lock back later, when it is behind again, and whom
    that lock kept out waits for a move that nobody will make."""

    async def others_make_room(self, cpu: Cpu, seen: int) -> None:
        """Until there is room in the shared words; a queue that is not full is tried again."""
        await cpu.poll_words(
            (self._words.llq, self._words.lock),
            lambda llq, lock: self._room(llq) > 0 and (llq != seen or not lock),
            "somebody else makes room",
        )


class ForgetsWaiters(LockFreeCmdq):
    """BUG: the exclusive unlock stores 0 and forgets who was counted meanwhile, who can starve (SMMU-R12)."""

    async def unlock_exclusive(self, cpu: Cpu) -> None:
        """Store 0, whoever was counted."""
        await cpu.store(self._words.lock, 0, "cmdq lock (unlock exclusive)")

    async def admitted(self, cpu: Cpu) -> None:
        """A waiter has to count himself in again, when and if he sees the lock not exclusive."""
        while True:
            seen = await cpu.poll(self._words.lock, lambda lock: not lock & EXCLUSIVE, "cmdq lock (free)", sleeps=False)
            before = await cpu.rmw(
                self._words.lock,
                lambda lock, seen=seen: lock + (lock == seen),  # type: ignore[misc]
                "cmdq lock (shared)",
            )
            if before == seen:
                return


class PublishesEarly(LockFreeCmdq):
    """BUG: the owner does not wait for the slots of others, so the SMMU reads what was there a lap ago."""

    async def gather(self, cpu: Cpu, first: int, end: int) -> None:
        """The slots of others are not waited for."""


class KeepsPolarity(LockFreeCmdq):
    """BUG: valid is 1 on every lap, so from the second lap on a slot looks filled before it is."""

    def valid_mark(self, pointer: int) -> int:
        """The mark is 1 on every lap."""
        return 1


class HandsOverFirst(LockFreeCmdq):
    """BUG: the next owner may write PROD before this one does, and then PROD goes back."""

    async def publish(self, cpu: Cpu, claim: Claim, end: int) -> None:
        """Say whose turn it is, then write the register."""
        await cpu.store(self._words.owner_prod, end, "owner_prod")
        await self._ring_doorbell_at(cpu, claim, end)


class ReservesWithoutSwap(LockFreeCmdq):
    """BUG: looks, and then stores: two CPUs reserve the same slots."""

    async def swap(self, cpu: Cpu, expected: int, wanted: int) -> int:
        """A plain store takes the place of the swap."""
        await cpu.store(self._words.llq, wanted, "llq")
        return expected


class WaitsUnlocked(PollsCons):
    """BUG: nobody sees that a caller still waits, so the queue goes round: CONS looks as if it had yet to come."""

    async def enter_wait(self, cpu: Cpu) -> None:
        """The lock is not taken."""

    async def leave_wait(self, cpu: Cpu, cons: int) -> None:
        """The lock was not taken, so it is not given back."""


class LocksLate(PollsCons):
    """BUG: takes the lock behind the valid marks, when an owner may have published, and the SMMU gone on."""

    async def issue_sync(self, cpu: Cpu, *batch: Command, published: Callable[[int], None] | None = None) -> None:
        """The second and third step are the wrong way round."""
        claim = await self._reserve(cpu, batch, waits=True)
        await self._fill(cpu, claim)
        await self._mark_valid(cpu, claim, published)
        await self.enter_wait(cpu)
        await self.serve(cpu, claim)
        await self.leave(cpu, claim)


class ComparesIndices(PollsCons):
    """BUG: looks at indices without the wrap bit, so CONS of the lap before passes for the end of the wait."""

    def passed(self, cons: int, claim: Claim) -> bool:
        """Beyond the SYNC's index, on whatever lap."""
        return self._ring.index(cons) >= self._ring.index(claim.end)


ISSUE: dict[str, type[LockFreeCmdq]] = {
    "lock-free": LockFreeCmdq,
    "lock-free-poll": PollsCons,
    "no-time-out": WaitsForOthers,
    "forget-waiters": ForgetsWaiters,
    "publish-early": PublishesEarly,
    "keep-polarity": KeepsPolarity,
    "hand-over-first": HandsOverFirst,
    "no-swap": ReservesWithoutSwap,
    "no-lock": WaitsUnlocked,
    "late-lock": LocksLate,
    "no-wrap": ComparesIndices,
}
