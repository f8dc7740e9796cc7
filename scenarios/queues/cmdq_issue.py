"""The command queue shared by several CPUs without a lock, on a queue so small that it goes round."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import count

from actors.iommus.smmuv3.command_units import CommandUnits
from actors.runtime.world import Cpu, Main, World
from drivers.smmuv3.cmdq import Cmdq
from drivers.smmuv3.cmdq_lock_free import LockFreeCmdq, QueueWords
from drivers.smmuv3.cmdq_variants import ISSUE
from hw.bus import Asid, Vmid
from hw.memory import KERNEL, MMIO
from hw.smmuv3 import commands
from hw.smmuv3.queues import Ring
from hw.smmuv3.registers import Registers
from hw.smmuv3.state import Smmu

from ..boards.endpoint import links
from ..oracles.commands_run_as_issued import CommandsRunAsIssued
from ..oracles.no_waiter_is_overtaken import NoWaiterIsOvertaken
from ..oracles.sync_covers_its_batch import SyncCoversItsBatch
from ..parameters import Parameters, number, one_of
from ..scenario import scenario
from ..witnesses.owner_serves_others import OwnerServesOthers
from ..witnesses.queue_goes_round import QueueGoesRound
from .cmdq_issue_verdicts import EXPECTED


class CmdqIssue(Parameters):
    """How CPUs share the queue, and how much of it there is."""

    issue = one_of(*ISSUE, default="lock-free", meaning="how slots are reserved, published and waited for")
    cpus = number(2, 3, default=2, meaning="CPUs that issue at the same time")
    batches = number(1, 4, default=2, meaning="batches of the first CPU, one after the other")
    others = number(1, 4, default=1, meaning="batches of each other CPU")
    size = number(0, 2, default=1, meaning="commands in a batch, before its CMD_SYNC")
    synced = number(0, 3, default=1, meaning="how many of the CPUs end their batches with a CMD_SYNC and wait for it")
    entries = number(1, 3, default=2, meaning="log2 of the command queue's entries")


@scenario(
    CmdqIssue,
    source="the lock-free issue of 5.4 and later; df180b1a4cc5 (2025): Improve CMDQ lock fairness and efficiency",
    expected=EXPECTED,
)
def cmdq_issue(world: World, given: CmdqIssue) -> None:
    """CPUs issue batches of invalidations at the same time, on a command queue that is soon full."""
    share(world, ISSUE[given.issue], given)


def share(world: World, driver: type[LockFreeCmdq], given: CmdqIssue) -> None:
    """Have CPUs share a command queue, with any driver."""
    registers = Registers(world.frames.allocate(MMIO))
    ring = Ring(world.frames.allocate(KERNEL), given.entries, commands.ENTRY_WORDS)
    words = QueueWords(
        llq=world.word("llq"),
        owner_prod=world.word("owner_prod"),
        lock=world.word("cmdq lock"),
        valid=[world.word(f"valid[{index}]") for index in range(ring.entries)],
    )
    cmdq = driver(registers, ring, words)
    each = [given.batches, *[given.others] * (given.cpus - 1)]
    asids = count(0)  # every command of the run has one of its own
    for index, number_of in enumerate(each):
        batched = [[Asid(next(asids)) for _ in range(given.size)] for _ in range(number_of)]
        world.add_actor(f"cpu{index}", _caller(cmdq, batched, waits=index < given.synced))
    _units(world, registers, ring).add(world)

    world.check(CommandsRunAsIssued(), SyncCoversItsBatch(), NoWaiterIsOvertaken())
    slots = [given.size + (index < given.synced) for index in range(given.cpus)]
    if sum(slot * number_of for slot, number_of in zip(slots, each, strict=True)) > ring.entries:
        world.expect(QueueGoesRound(ring.entries))
    if sum(sorted(slots)[:2]) <= ring.entries:
        world.expect(OwnerServesOthers())


def _caller(cmdq: Cmdq, batches: Sequence[Sequence[Asid]], *, waits: bool) -> Main:
    """A CPU that issues one batch after the other."""

    async def main(cpu: Cpu) -> None:
        for batch in batches:
            invalidations = [commands.tlbi_nh_asid(Vmid(0), asid) for asid in batch]
            if waits:
                await cmdq.issue_sync(cpu, *invalidations)
            else:
                await cmdq.issue(cpu, *invalidations)

    return main


def _units(world: World, registers: Registers, ring: Ring) -> CommandUnits:
    """An SMMU of which nothing but the command queue is used."""
    upstream, downstream = links(world)
    return CommandUnits(
        world=world,
        upstream=upstream,
        downstream=downstream,
        binding_now=lambda pasid: 0,
        meant_for="nobody",
        smmu=Smmu(registers=registers, stream_table=world.frames.allocate(KERNEL), streams=1),
        cmdq=ring,
        report_commands=True,
    )
