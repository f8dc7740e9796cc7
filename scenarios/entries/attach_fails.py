"""Seed 004: the way back of an attach that fails, while a process takes the ASID of the domain that it was to enter."""

from __future__ import annotations

from actors.iommus.smmuv3.attach_units import AttachUnits
from actors.runtime.world import Cpu, World
from drivers.smmuv3.attach.failing import FAILURES
from drivers.smmuv3.attach.share import SharedAsids, SvaBind

from ..boards.attach import CPU_ASID, Board, S
from ..oracles.failed_attach_leaves_nothing import FailedAttachLeavesNothing
from ..oracles.one_table_per_asid import OneTablePerAsid
from ..parameters import one_of
from ..scenario import Expected, scenario
from ..witnesses.asid_shared_during_attach import AsidSharedDuringAttach

LEFT = "failed-attach-leaves-nothing"
EXPECTED = (
    Expected(
        params={"attach": "A1"},
        verdict="violated",
        oracle=LEFT,
        why="before out_list_del, and behind the lock, share_asid finds the master on the list and programs its CD: "
        "it stays, and the master is on no list any more",
    ),
    Expected(
        params={"attach": "A2"},
        verdict="holds",
        why="the label out_unlock comes behind out_list_del: share_asid sees the master before, or not at all",
    ),
    Expected(
        params={"attach": "A2-no-list-del"},
        verdict="violated",
        oracle=LEFT,
        why="what out_list_del is for: a master that is attached to nothing is on a list, and is written to",
    ),
)


@scenario(
    source="seed 004: M. Saleh, 1 February 2024, [PATCH v4 06/16] iommu/arm-smmu-v3: Hold arm_smmu_asid_lock during "
    "all of attach_dev: the failure path of its diff, `out_list_del` and `out_unlock`",
    expected=EXPECTED,
    attach=one_of(*FAILURES, default="A1", meaning="the way back before 9f7c68911579 (A1), since then, or a mutant"),
)
def attach_fails(world: World, *, attach: str) -> None:
    """There is no memory for a master's CD, while CPU1 binds a process that wants the ASID of the new domain."""
    board = Board(world, case="2", units=AttachUnits)
    rid = FAILURES[attach](board.asids, board.contexts, tlbi=False)
    sva = SvaBind(SharedAsids(board.asids, board.contexts), world.mutex("sva_lock"))

    async def attach_dev(cpu: Cpu) -> None:
        await rid.attach(cpu, board.master, board.new)

    async def sva_bind(cpu: Cpu) -> None:
        await sva.bind(cpu, board.sva, S, CPU_ASID, board.process)

    world.actor(attach_dev)
    world.actor(sva_bind)
    world.check(OneTablePerAsid(*board.before, names=board.names))
    world.check(FailedAttachLeavesNothing(board.master.context.table))
    world.expect(AsidSharedDuringAttach())
