"""Seed 004: a master changes domains while a process takes the ASID of one of the two."""

from __future__ import annotations

from actors.iommus.smmuv3.attach_units import AttachUnits
from actors.runtime.world import Cpu, World
from drivers.smmuv3.attach.share import SHARING, PrivateAsids, SvaBind
from drivers.smmuv3.attach.variants import VARIANTS
from hw.pcie.tlp import NO_PASID

from ..boards.attach import ADDRESS, CPU_ASID, PASID, Board, M, S
from ..boards.invalidations import add_reader
from ..oracles.no_access_through_a_foreign_entry import NoAccessThroughAForeignEntry
from ..oracles.one_table_per_asid import OneTablePerAsid
from ..parameters import Parameters, number, one_of
from ..scenario import scenario
from ..witnesses.asid_shared_during_attach import AsidSharedDuringAttach
from .attach_vs_share_asid_verdicts import EXPECTED

THREADS: dict[str, tuple[str, ...]] = {"one": (), "each": ("attach_dev", "sva_bind")}


class AttachVsShareAsid(Parameters):
    """Whose attach, which ASID, and what the SMMU does meanwhile."""

    attach = one_of(*VARIANTS, default="A1", meaning="RID attach up to 6.6 (A0), 6.8, 6.9, 6.11, 7.1 (A4), and mutants")
    case = one_of("1", "2", default="1", meaning="the domain with the process's ASID is M's old one (1) or new one (2)")
    dma = one_of("on", "off", default="on", meaning="whether M is busy while it changes domains")
    tlbi = one_of("on", "off", default="off", meaning="whether a detach flushes the ASID of the domain that is left")
    btm = one_of(*SHARING, default="on", meaning="whether a process shares the CPU's ASID (7.1, A4: never); a mutant")
    accesses = number(1, 3, default=1, meaning="how often M reads memory, if it is busy")
    speculation = number(0, 2, default=0, meaning="translations that the SMMU makes for M without traffic")
    cmdq = one_of("one", "each", default="one", meaning="a command queue for all, or for each thread: fewer waits")


@scenario(
    AttachVsShareAsid,
    source="seed 004: M. Saleh, 1 February 2024, [PATCH v4 06/16] iommu/arm-smmu-v3: Hold arm_smmu_asid_lock during "
    "all of attach_dev; merged as 9f7c68911579 (SMMU-R30)",
    expected=EXPECTED,
)
def attach_vs_share_asid(world: World, given: AttachVsShareAsid) -> None:
    """A master changes domains on CPU0 while CPU1 binds a process that wants the ASID of one of the two."""
    domain_tables, threads = given.attach == "A0", THREADS[given.cmdq]
    board = Board(world, case=given.case, units=AttachUnits, domain_tables=domain_tables, queue_of=threads)
    rid = VARIANTS[given.attach](board.asids, board.contexts, tlbi=given.tlbi == "on")
    sharing = PrivateAsids if given.attach == "A4" else SHARING[given.btm]
    sva = SvaBind(sharing(board.asids, board.contexts), world.mutex("sva_lock"))
    doorbell = world.word("doorbell of S")

    async def attach_dev(cpu: Cpu) -> None:
        await rid.attach(cpu, board.master, board.new)

    async def sva_bind(cpu: Cpu) -> None:
        await sva.bind(cpu, board.sva, S, CPU_ASID, board.process)
        await cpu.store(doorbell, 1, "doorbell of S")

    world.actor(attach_dev)
    world.actor(sva_bind)
    if given.dma == "on":
        add_reader(world, board.units, "M", M, NO_PASID, ADDRESS, given.accesses)
    if given.speculation:
        world.add_actor(
            "smmu.speculation", board.units.speculator(M, NO_PASID, ADDRESS, given.speculation), hardware=True
        )
    if given.dma == "on" or given.speculation:
        add_reader(world, board.units, "S", S, PASID, ADDRESS, 1, doorbell)
    world.check(OneTablePerAsid(*board.before, names=board.names), NoAccessThroughAForeignEntry())
    world.expect(AsidSharedDuringAttach())
