"""A master with an ATC changes domains: when its endpoint may ask, and who tells it to forget."""

from __future__ import annotations

from functools import partial

from actors.iommus.smmuv3.attach_ats import AtsUnits
from actors.runtime.world import Cpu, World
from actors.threads.config_space import ConfigSpace
from drivers.smmuv3.attach.ats import ORDERS, AtcList, unmap_page
from hw.memory import mm_owner, owner_name
from hw.pcie.ats import AtcEntry
from hw.pcie.tlp import NO_PASID
from hw.smmuv3.ste import AtsMode

from ..boards.attach import ADDRESS, Board, M, add_function
from ..oracles.device_sees_no_error import DeviceSeesNoError
from ..oracles.no_dma_into_foreign_frame import NoDmaIntoForeignFrame
from ..oracles.no_invalidation_times_out import NoInvalidationTimesOut
from ..parameters import Parameters, number, one_of
from ..scenario import scenario
from ..witnesses.endpoint_works_in import EndpointWorksIn
from .attach_ats_verdicts import EXPECTED


class AttachAts(Parameters):
    """In which order a master changes domains, and what its endpoint does."""

    order = one_of(*ORDERS, default="7.1", meaning="in which order lists, STE, ATC and ATS Enable change")
    ats = one_of("on-on", "off-on", "on-off", default="on-on", meaning="whether the endpoint uses ATS before and after")
    unmap = one_of("on", "off", default="on", meaning="whether the old domain loses the page meanwhile")
    off = one_of("answers", "ignores", default="answers", meaning="what an endpoint with ATS off does with ATC_INV")
    accesses = number(1, 3, default=1, meaning="writes of the endpoint, one after the other")
    config_completion = one_of(
        "may-pass",
        "pushes",
        default="may-pass",
        meaning="whether the completion of a configuration write may pass writes of the endpoint",
    )


@scenario(
    AttachAts,
    source="smmuv3 §2.3, §3.3: 8dd8f005bdd4 (SMMU-R16), SMMU-R17, 7497f4211f4f (SMMU-R19), 587bb3e56a2c (SMMU-R21)",
    expected=EXPECTED,
)
def attach_ats(world: World, given: AttachAts) -> None:
    """M moves from D to E while it writes, and while D loses the page that it writes to."""
    now, then = (switch == "on" for switch in given.ats.split("-"))
    eats = AtsMode.FULL if now else AtsMode.REFUSED
    owners = tuple(owner_name(mm_owner(number)) for number in range(2))
    returned: list[bool] = []

    def allowed() -> tuple[str, ...]:
        return owners[1:] if returned else owners

    board = Board(world, case="1", units=partial(AtsUnits, allowed=allowed), eats=eats)
    domains = (board.contested, board.other)
    lists = {domain.name: AtcList(domain, world.rwlock(f"invs of {domain.name}")) for domain in domains}
    answers, passes = given.off == "answers", given.config_completion == "may-pass"
    function = add_function(world, board.units, given.accesses, answers_when_off=answers, completion_passes=passes)
    if now:  # for a while already
        lists["D"].masters.append(board.master)
        function.atc.enable()
        page = board.pages["D"]
        function.atc.fill(AtcEntry(pasid=NO_PASID, virtual_page=ADDRESS, page=page, read=True, write=True))
    config = ConfigSpace(board.units.upstream, board.units.downstream, M)
    rid = ORDERS[given.order](board.asids, board.contexts, config, lists, now=now, then=then)

    async def attach_dev(cpu: Cpu) -> None:
        await rid.attach(cpu, board.master, board.new)
        returned.append(True)

    async def iommu_unmap(cpu: Cpu) -> None:
        await unmap_page(cpu, lists["D"], board.queue, board.leaves["D"], ADDRESS, world.frames)

    world.actor(attach_dev)
    if given.unmap == "on":
        world.actor(iommu_unmap)
    world.check(NoDmaIntoForeignFrame(), DeviceSeesNoError(), NoInvalidationTimesOut())
    world.expect(*(EndpointWorksIn(domain.name, owner) for domain, owner in zip(domains, owners, strict=True)))
