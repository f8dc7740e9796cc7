"""Translation Requests and untranslated accesses through configuration caches, TLB and walk."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest

from hw.aarch64 import PageTables, page_descriptor
from hw.bus import Asid, Pasid, PhysAddr, StreamId, VirtAddr, Vmid
from hw.memory import FrameAllocator, Memory, mm_owner
from hw.pcie.tlp import NO_PASID, CompletionStatus, TranslationRequest
from hw.smmuv3 import cd, commands, ste
from hw.smmuv3.evtq import EventClass, EventId
from hw.smmuv3.registers import Registers
from hw.smmuv3.state import L1STDS
from hw.smmuv3.ste import AtsMode, DefaultSubstream
from hw.smmuv3.translate import (
    AccessAnswer,
    Answer,
    Disposition,
    Smmu,
    apply,
    resources_of,
    translate_request,
    translated_access,
    untranslated_access,
)
from hw.tlb import StreamWorld

SID = StreamId(1)
P1 = Pasid(1)
VA = VirtAddr(0x7000)
PAGE = PhysAddr(0x1F000)
ASID = Asid(5)
STREAM_TABLE = PhysAddr(0x1000)
CD_TABLE = PhysAddr(0x2000)
LOOKUP = "configuration cache look-up"
BOTH = "configuration and TLB look-up"
FETCH_STE = ["fetch STE[1]", *[f"STE[1].q{number}" for number in range(4)]]
FETCH_CD = ["fetch CD[1]", "CD[1].q0", "CD[1].q1", "CD[1].q3"]
FETCH_CD_2 = [step.replace("[1]", "[2]") for step in FETCH_CD]
FILL = "configuration cache fill"
WALK = [f"TTD L{level} {VA:#x}" for level in range(4)]
COLD = [LOOKUP, *FETCH_STE, *FETCH_CD, FILL, *WALK, "TLB fill"]


@dataclass
class World:
    """One SMMU with four streams, of which stream 1 has a CD table."""

    memory: Memory
    tables: PageTables
    smmu: Smmu
    bus: Any
    run: Callable[[Any], Any]

    def put(self, entry: PhysAddr, qwords: tuple[int, ...]) -> None:
        """Write an STE or CD at once."""
        for number, word in enumerate(qwords):
            self.memory.write(PhysAddr(entry + 8 * number), word)

    def put_cd(self, qwords: tuple[int, ...], ssid: Pasid = P1) -> None:
        """Write a CD."""
        self.put(cd.cd_address(CD_TABLE, ssid), qwords)

    def put_ste(self, **options: Any) -> None:
        """Write stream 1's STE."""
        self.put(ste.ste_address(STREAM_TABLE, SID), ste.cdtable_ste(s1_context_ptr=CD_TABLE, s1cdmax=2, **options))

    def request(self, pasid: Pasid = P1, sid: StreamId = SID) -> Answer:
        """A Translation Request for VA; what is left in flight is finished as the sender would."""
        self.bus.steps.clear()
        request = TranslationRequest(sid=sid, pasid=pasid, address=VA, write=False, tag=9)
        answer: Answer = self.run(translate_request(self.bus, self.smmu, request))
        if answer.transaction is not None:
            self.smmu.finish(answer.transaction)
        return answer

    def access(self, *, write: bool = False, pasid: Pasid = P1, sid: StreamId = SID) -> AccessAnswer:
        """An untranslated DMA to VA + 8."""
        self.bus.steps.clear()
        answer: AccessAnswer = self.run(
            untranslated_access(self.bus, self.smmu, sid=sid, pasid=pasid, address=VirtAddr(VA + 8), write=write)
        )
        return answer


@pytest.fixture
def world(run: Any, make_bus: Any) -> World:
    """Everything valid: PASID 1 of stream 1 maps VA to PAGE."""
    memory = Memory(32)
    tables = PageTables(memory, FrameAllocator(memory, 4, 30), mm_owner(0))
    tables.map_now(VA, PAGE)
    smmu = Smmu(registers=Registers(PhysAddr(0)), stream_table=STREAM_TABLE, streams=4)
    made = World(memory=memory, tables=tables, smmu=smmu, bus=make_bus(memory), run=run)
    made.put_ste()
    made.put_cd(cd.sva_cd(asid=ASID, ttb0=tables.root))
    return made


def outcome(answer: Answer) -> tuple[CompletionStatus, int, bool, bool]:
    """Status, page and rights."""
    completion = answer.completion
    return completion.status, completion.page, completion.read, completion.write


GRANTED = (CompletionStatus.SUCCESS, PAGE, True, True)
HOLE = (CompletionStatus.SUCCESS, 0, False, False)


def test_a_cold_request_fetches_walks_and_fills_and_a_warm_one_takes_one_step(world: World) -> None:
    answer = world.request()
    assert outcome(answer) == GRANTED
    assert (answer.event, answer.completion.tag, answer.completion.sid) == (None, 9, SID)
    assert world.bus.steps == COLD
    assert world.bus.touched == [
        ((("CFG", 1),), ()),
        ((("TLB", 5),), (("CFG", 1),)),
        ((), (("TLB", 5),)),
    ]
    assert [entry.ttb for entry in world.smmu.tlb.entries()] == [world.tables.root]
    warm = world.request()
    assert outcome(warm) == GRANTED
    assert warm.transaction is None
    assert world.bus.steps == [BOTH]
    assert world.bus.touched[-1] == ((("CFG", 1), ("TLB", 5)), ())


def test_a_read_only_page_grants_no_write(world: World) -> None:
    world.tables.map_now(VA, PAGE, writable=False)
    assert outcome(world.request()) == (CompletionStatus.SUCCESS, PAGE, True, False)


@pytest.mark.parametrize(
    "descriptor",
    [0, page_descriptor(PAGE, accessed=False), page_descriptor(PAGE) & ~0x40, page_descriptor(PhysAddr(1 << 40))],
)
def test_the_four_normal_faults_are_holes_without_event(world: World, descriptor: int) -> None:
    world.put_cd(cd.encode(**(cd.decode(cd.sva_cd(asid=ASID, ttb0=world.tables.root)) | {"IPS": 2})))
    world.memory.write(world.tables.leaf_address(VA), descriptor)
    answer = world.request()
    assert (outcome(answer), answer.event) == (HOLE, None)
    assert world.smmu.tlb.entries() == ()


def test_a_stale_tlb_entry_outlives_the_page_and_the_cd_until_tlbi(world: World) -> None:
    world.request()
    world.tables.unmap_now(VA)
    assert outcome(world.request()) == GRANTED
    world.put_cd(cd.quiet_cd(asid=ASID))
    apply(commands.cfgi_cd(SID, P1), world.smmu)
    assert outcome(world.request()) == GRANTED, "EPD0 forbids walks, not TLB hits"
    assert world.bus.steps == [BOTH, *FETCH_CD, FILL]
    apply(commands.tlbi_nh_asid(Vmid(0), ASID), world.smmu)
    assert outcome(world.request()) == HOLE
    assert world.bus.steps == [BOTH], "EPD0: no walk"


def test_a_stale_cd_is_used_until_cfgi(world: World) -> None:
    world.request()
    world.put_cd(cd.empty_cd())
    assert outcome(world.request()) == GRANTED
    apply(commands.cfgi_cd(SID, Pasid(2)), world.smmu)
    assert outcome(world.request()) == GRANTED, "another PASID's CFGI_CD"
    apply(commands.cfgi_cd(SID, P1), world.smmu)
    assert world.request().completion.status is CompletionStatus.CA
    world.put_cd(cd.sva_cd(asid=ASID, ttb0=world.tables.root))
    assert world.request().completion.status is CompletionStatus.CA, "the invalid CD is cached as well"
    apply(commands.cfgi_ste(SID), world.smmu)
    assert world.request().completion.status is CompletionStatus.SUCCESS, "CFGI_STE drops the CDs too"


def test_two_cds_with_one_asid_share_tlb_entries(world: World) -> None:
    """Seed 004: PASID 2 has another table, yet reads PASID 1's page."""
    other = PageTables(world.memory, world.tables.allocator, mm_owner(1))
    world.put_cd(cd.sva_cd(asid=ASID, ttb0=other.root), Pasid(2))
    world.request()
    assert outcome(world.request(Pasid(2))) == GRANTED
    assert world.bus.steps == [LOOKUP, *FETCH_CD_2, FILL]


def test_a_changed_asid_costs_one_more_step(world: World) -> None:
    world.request()
    world.put_cd(cd.sva_cd(asid=Asid(6), ttb0=world.tables.root))
    apply(commands.cfgi_cd(SID, P1), world.smmu)
    world.request()
    world.smmu.expected_asid[SID, P1] = ASID
    assert outcome(world.request()) == GRANTED
    assert world.bus.steps == [BOTH, "TLB look-up"]


@pytest.mark.parametrize(
    ("entry", "status", "event"),
    [
        (ste.bypass_ste(), CompletionStatus.UR, EventId.F_BAD_ATS_TREQ),
        (ste.abort_ste(), CompletionStatus.UR, None),
        (ste.invalid_ste(), CompletionStatus.CA, None),
        (
            ste.cdtable_ste(s1_context_ptr=CD_TABLE, s1cdmax=2, eats=AtsMode.REFUSED),
            CompletionStatus.UR,
            EventId.F_BAD_ATS_TREQ,
        ),
        (ste.cdtable_ste(s1_context_ptr=CD_TABLE, s1cdmax=0), CompletionStatus.CA, None),
    ],
)
def test_what_the_ste_refuses(
    world: World, entry: tuple[int, ...], status: CompletionStatus, event: EventId | None
) -> None:
    world.put(ste.ste_address(STREAM_TABLE, SID), entry)
    answer = world.request()
    assert answer.completion.status is status
    assert (answer.event.id if answer.event else None) == event
    assert world.bus.steps == [LOOKUP, *FETCH_STE, FILL]


def test_configuration_errors_are_recorded_if_asked_for(world: World) -> None:
    world.smmu.record_config_errors_of_ats = True
    answer = world.request(Pasid(2))
    assert answer.completion.status is CompletionStatus.CA
    assert answer.event is not None
    assert (answer.event.id, answer.event.ssid, answer.event.ssv) == (EventId.C_BAD_CD, 2, True)
    events = [world.request(pasid, sid).event for pasid, sid in ((Pasid(4), SID), (NO_PASID, SID), (P1, StreamId(4)))]
    assert [event.id if event else None for event in events] == [
        EventId.C_BAD_SUBSTREAMID,
        EventId.F_STREAM_DISABLED,
        EventId.C_BAD_STREAMID,
    ]


def test_traffic_without_pasid(world: World) -> None:
    world.put_ste(s1dss=DefaultSubstream.SSID0)
    world.put_cd(cd.paging_cd(asid=Asid(1), ttb0=world.tables.root), Pasid(0))
    assert outcome(world.request(NO_PASID)) == GRANTED
    assert world.request(Pasid(0)).completion.status is CompletionStatus.CA
    world.put_ste(s1dss=DefaultSubstream.BYPASS)
    apply(commands.cfgi_ste(SID), world.smmu)
    assert outcome(world.request(NO_PASID)) == (CompletionStatus.SUCCESS, VA, True, True)
    answer = world.access(pasid=NO_PASID)
    assert (answer.disposition, answer.address) == (Disposition.PROCEED, VA + 8)


def test_a_walk_into_nowhere_is_recorded(world: World) -> None:
    world.put_cd(cd.sva_cd(asid=ASID, ttb0=PhysAddr(0x10_0000)))
    answer = world.request()
    assert (answer.completion.status, answer.event) == (CompletionStatus.CA, None)
    world.smmu.record_config_errors_of_ats = True
    for event in (world.request().event, world.access().event):
        assert event and (event.id, event.event_class, event.ipa) == (EventId.F_WALK_EABT, EventClass.TTD, 0x10_0000)


def test_an_invalidation_during_the_walk_keeps_the_tlb_clean_and_holds_the_sync(world: World) -> None:
    seen: list[int] = []

    def unmap_and_invalidate() -> None:
        world.tables.unmap_now(VA)
        apply(commands.tlbi_nh_va(Vmid(0), ASID, VA), world.smmu)
        seen.append(len(world.smmu.stragglers))

    world.bus.before["TLB fill"] = unmap_and_invalidate
    assert outcome(world.request()) == GRANTED, "the walk was over"
    assert seen == [1]
    assert world.smmu.stragglers == ()
    assert world.smmu.tlb.entries() == ()
    assert outcome(world.request()) == HOLE


def test_an_invalidation_of_something_else_does_not_disturb(world: World) -> None:
    def invalidate_others() -> None:
        apply(commands.tlbi_nh_va(Vmid(0), ASID, VirtAddr(VA + 0x1000)), world.smmu)
        apply(commands.tlbi_nh_asid(Vmid(0), Asid(6)), world.smmu)
        apply(commands.tlbi_nh_asid(Vmid(3), ASID), world.smmu)
        apply(commands.cfgi_ste(StreamId(2)), world.smmu)
        assert world.smmu.stragglers == ()

    world.bus.before["TLB fill"] = invalidate_others
    world.request()
    assert len(world.smmu.tlb.entries()) == 1


@pytest.mark.parametrize(
    ("command", "stes", "cds"),
    [
        (commands.cfgi_ste(SID), 0, 0),
        (commands.cfgi_cd(SID, P1), 1, 0),
        (commands.Command(opcode=commands.Opcode.CFGI_CD_ALL, sid=SID), 1, 0),
        (commands.cfgi_cd(SID, Pasid(2)), 1, 1),
    ],
)
def test_a_cfgi_during_the_fetch_keeps_what_it_names_out_of_the_caches(
    world: World, command: commands.Command, stes: int, cds: int
) -> None:
    world.bus.before[FILL] = lambda: apply(command, world.smmu)
    assert outcome(world.request()) == GRANTED
    assert (len(world.smmu.stes), len(world.smmu.cds)) == (stes, cds)


def test_a_cd_that_is_read_after_its_cfgi_may_be_cached(world: World) -> None:
    world.bus.before["STE[1].q1"] = lambda: apply(commands.cfgi_cd(SID, P1), world.smmu)
    assert outcome(world.request()) == GRANTED
    assert (len(world.smmu.stes), len(world.smmu.cds)) == (1, 1)


def test_a_torn_cd_is_half_old_half_new(world: World) -> None:
    """The CD is rewritten between its two words: the old ASID meets the new table."""
    other = PageTables(world.memory, world.tables.allocator, mm_owner(1))
    world.bus.before["CD[1].q1"] = lambda: world.put_cd(cd.sva_cd(asid=Asid(6), ttb0=other.root))
    assert outcome(world.request()) == HOLE
    cached = world.smmu.cds[SID, P1]
    assert isinstance(cached, cd.Cd)
    assert (cached.asid, cached.ttb0) == (ASID, other.root)


@pytest.mark.parametrize("warm", [False, True])
def test_an_untranslated_access_holds_the_sync_until_it_is_performed(world: World, warm: bool) -> None:
    if warm:
        world.request()
    answer = world.access(write=True)
    assert (answer.disposition, answer.address, answer.event) == (Disposition.PROCEED, PAGE + 8, None)
    assert world.bus.steps == [BOTH] if warm else len(world.bus.steps) == len(COLD)
    apply(commands.tlbi_nh_asid(Vmid(0), Asid(6)), world.smmu)
    assert not world.smmu.stragglers
    apply(commands.tlbi_nh_asid(Vmid(0), ASID), world.smmu)
    assert list(world.smmu.stragglers) == [answer.transaction]
    world.smmu.finish(answer.transaction)
    assert not world.smmu.in_flight


@pytest.mark.parametrize(
    ("bits", "disposition", "recorded"),
    [
        ({"S": 1, "R": 0}, Disposition.STALL, True),
        ({"S": 0, "A": 1, "R": 1}, Disposition.ABORT, True),
        ({"S": 0, "A": 1, "R": 0}, Disposition.ABORT, False),
        ({"S": 0, "A": 0, "R": 1}, Disposition.RAZ_WI, True),
    ],
)
def test_cd_ars_govern_the_normal_faults(
    world: World, bits: dict[str, int], disposition: Disposition, recorded: bool
) -> None:
    world.put_cd(cd.encode(**(cd.decode(cd.sva_cd(asid=ASID, ttb0=world.tables.root)) | bits)))
    world.tables.unmap_now(VA)
    answer = world.access(write=True)
    assert answer.disposition is disposition
    assert (answer.event is not None) is recorded
    if answer.event is not None:
        assert (answer.event.id, answer.event.read) == (EventId.F_TRANSLATION, False)
        assert answer.event.stall is (disposition is Disposition.STALL)
        assert answer.event.event_class is EventClass.IN


def test_a_write_to_a_read_only_page_faults_from_walk_and_from_tlb(world: World) -> None:
    world.tables.map_now(VA, PAGE, writable=False)
    for _ in range(2):
        answer = world.access(write=True)
        assert answer.event is not None
        assert answer.event.id is EventId.F_PERMISSION
    assert world.bus.steps == [BOTH]
    assert world.access().disposition is Disposition.PROCEED


def test_configuration_errors_abort_untranslated_access_and_never_stall(world: World) -> None:
    world.put_cd(cd.encode(**(cd.decode(cd.sva_cd(asid=ASID, ttb0=world.tables.root, stall=True)) | {"V": 0})))
    answer = world.access()
    assert answer.disposition is Disposition.ABORT
    assert answer.event is not None
    assert (answer.event.id, answer.event.stall) == (EventId.C_BAD_CD, False)
    world.put(ste.ste_address(STREAM_TABLE, StreamId(2)), ste.abort_ste())
    silent = world.access(sid=StreamId(2))
    assert (silent.disposition, silent.event) == (Disposition.ABORT, None)
    world.put(ste.ste_address(STREAM_TABLE, StreamId(3)), ste.bypass_ste())
    assert world.access(sid=StreamId(3), pasid=NO_PASID).address == VA + 8
    refused = world.access(sid=StreamId(3)).event
    assert refused is not None
    assert refused.id is EventId.C_BAD_SUBSTREAMID


def test_resources_of_commands() -> None:
    assert resources_of(commands.cfgi_ste(SID)) == (("CFG", 1),)
    assert resources_of(commands.cfgi_cd(SID, P1)) == (("CFG", 1), ("CFG", 1, "CD"))
    assert resources_of(commands.tlbi_nh_va(Vmid(0), ASID, VA)) == (("TLB", 5),)
    assert resources_of(commands.atc_inv(SID, P1, VA, 0)) == ()
    assert resources_of(commands.cmd_sync()) == ()
    every = resources_of(commands.Command(opcode=commands.Opcode.TLBI_NH_ALL))
    assert (len(every), ("TLB", 5) in every) == (32, True)
    wide = commands.Command(opcode=commands.Opcode.CFGI_STE_RANGE, range=31)
    assert resources_of(wide, streams=2) == (("CFG", 0), ("CFG", 1), L1STDS)
    pair = commands.Command(opcode=commands.Opcode.CFGI_STE_RANGE, sid=StreamId(3), range=0)
    assert resources_of(pair, streams=8) == (("CFG", 2), ("CFG", 3), L1STDS)


def test_wide_invalidations_reach_everything(world: World) -> None:
    world.request()
    apply(commands.Command(opcode=commands.Opcode.CFGI_STE_RANGE, range=31), world.smmu)
    assert (world.smmu.stes, world.smmu.cds) == ({}, {})
    world.request()
    apply(commands.Command(opcode=commands.Opcode.CFGI_STE_RANGE, sid=StreamId(3), range=0), world.smmu)
    assert SID in world.smmu.stes, "streams 2 and 3 only"
    apply(commands.Command(opcode=commands.Opcode.CFGI_CD_ALL, sid=SID), world.smmu)
    assert (len(world.smmu.stes), world.smmu.cds) == (1, {})
    apply(commands.Command(opcode=commands.Opcode.TLBI_NH_VAA, address=VA), world.smmu)
    assert world.smmu.tlb.entries() == ()
    world.request()
    apply(commands.Command(opcode=commands.Opcode.TLBI_NH_ALL, vmid=Vmid(1)), world.smmu)
    assert len(world.smmu.tlb.entries()) == 1
    apply(commands.Command(opcode=commands.Opcode.TLBI_NSNH_ALL), world.smmu)
    assert world.smmu.tlb.entries() == ()


NOWHERE = PhysAddr(0x80_0000)
SMALL_IPS = {"IPS": 2}
"""40 bits of output."""


def ste_fields(**fields: int) -> dict[str, dict[str, int]]:
    return {"ste": fields}


def cd_fields(**fields: int) -> dict[str, dict[str, int]]:
    return {"cd": fields}


CONFIGURATION_ERRORS: list[tuple[EventId, dict[str, Any]]] = [
    (EventId.C_BAD_STREAMID, {"sid": StreamId(4)}),
    (EventId.F_STE_FETCH, {"stream_table": NOWHERE}),
    (EventId.C_BAD_STE, ste_fields(V=0)),
    (EventId.C_BAD_STE, ste_fields(Config=6)),
    (EventId.C_BAD_STE, ste_fields(Config=7)),
    (EventId.C_BAD_STE, ste_fields(EATS=2)),
    (EventId.C_BAD_STE, ste_fields(S1CDMax=21)),
    (EventId.C_BAD_STE, ste_fields(S1Fmt=1) | {"two_level_cds": False}),
    (EventId.C_BAD_STE, ste_fields(S1STALLD=1) | {"stall_model": cd.StallModel.TERMINATE_ONLY}),
    (EventId.C_BAD_STE, ste_fields(STRW=1) | {"hyp": True}),
    (EventId.F_STREAM_DISABLED, {"pasid": NO_PASID}),
    (EventId.F_STREAM_DISABLED, ste_fields(S1DSS=3) | {"pasid": NO_PASID}),
    (EventId.F_STREAM_DISABLED, ste_fields(S1DSS=2) | {"pasid": Pasid(0)}),
    (EventId.C_BAD_SUBSTREAMID, ste_fields(S1CDMax=0)),
    (EventId.C_BAD_SUBSTREAMID, {"pasid": Pasid(4)}),
    (EventId.C_BAD_SUBSTREAMID, ste_fields(S1Fmt=1, S1ContextPtr=0xE000 >> 6)),
    (EventId.F_CD_FETCH, ste_fields(S1ContextPtr=NOWHERE >> 6)),
    (EventId.F_CD_FETCH, ste_fields(S1Fmt=2, S1ContextPtr=NOWHERE >> 6)),
    (EventId.C_BAD_CD, cd_fields(V=0)),
    (EventId.C_BAD_CD, cd_fields(AA64=0)),
    (EventId.C_BAD_CD, cd_fields(HA=1)),
    (EventId.C_BAD_CD, cd_fields(HD=1)),
    (EventId.C_BAD_CD, cd_fields(ENDI=1)),
    (EventId.C_BAD_CD, cd_fields(TG0=1)),
    (EventId.C_BAD_CD, cd_fields(T0SZ=15)),
    (EventId.C_BAD_CD, cd_fields(IPS=0, TTB0=1 << 28)),
    (EventId.C_BAD_CD, cd_fields(S=1) | ste_fields(S1STALLD=1)),
    (EventId.C_BAD_CD, cd_fields(S=1) | {"stall_model": cd.StallModel.TERMINATE_ONLY}),
    (EventId.C_BAD_CD, {"stall_model": cd.StallModel.STALL_FORCE}),
    (EventId.F_WALK_EABT, cd_fields(TTB0=NOWHERE >> 4)),
]
NORMAL_FAULTS: list[tuple[EventId, dict[str, Any]]] = [
    (EventId.F_TRANSLATION, {"descriptor": 0}),
    (EventId.F_TRANSLATION, cd_fields(EPD0=1)),
    (EventId.F_TRANSLATION, cd_fields(T0SZ=24) | {"high": True}),
    (EventId.F_ADDR_SIZE, cd_fields(**SMALL_IPS) | {"descriptor": page_descriptor(PhysAddr(1 << 40))}),
    (EventId.F_ACCESS, {"descriptor": page_descriptor(PAGE, accessed=False)}),
    (EventId.F_PERMISSION, {"descriptor": page_descriptor(PAGE) & ~0x40}),
    (EventId.F_PERMISSION, {"descriptor": page_descriptor(PAGE, writable=False), "write": True}),
]


def configured(world: World, case: dict[str, Any]) -> AccessAnswer:
    """The answer to an untranslated access in a world that is wrong in one place."""
    for name in ("stream_table", "two_level_cds", "stall_model", "hyp"):
        if name in case:
            setattr(world.smmu, name, case[name])
    entry = ste.decode(ste.cdtable_ste(s1_context_ptr=CD_TABLE, s1cdmax=2)) | case.get("ste", {})
    world.put(ste.ste_address(STREAM_TABLE, SID), ste.encode(**entry))
    context = cd.decode(cd.sva_cd(asid=ASID, ttb0=world.tables.root)) | case.get("cd", {})
    world.put_cd(cd.encode(**context))
    if "descriptor" in case:
        world.memory.write(world.tables.leaf_address(VA), case["descriptor"])
    world.bus.steps.clear()
    address = VirtAddr(VA | 1 << 40) if case.get("high") else VA
    answer: AccessAnswer = world.run(
        untranslated_access(
            world.bus,
            world.smmu,
            sid=case.get("sid", SID),
            pasid=case.get("pasid", P1),
            address=address,
            write=case.get("write", False),
        )
    )
    return answer


@pytest.mark.parametrize(("event", "case"), CONFIGURATION_ERRORS)
def test_every_configuration_error_aborts_and_is_recorded_even_if_the_cd_would_stall(
    world: World, event: EventId, case: dict[str, Any]
) -> None:
    stalling = "stall_model" not in case and not case.get("ste", {}).get("S1STALLD")
    case = case | {"cd": {"S": int(stalling)} | case.get("cd", {})}
    answer = configured(world, case)
    assert (answer.disposition, answer.address) == (Disposition.ABORT, 0)
    assert answer.event is not None
    assert (answer.event.id, answer.event.stall) == (event, False)
    assert answer.event.event_class is (EventClass.TTD if event is EventId.F_WALK_EABT else EventClass.CD)
    aborted = event in (EventId.F_STE_FETCH, EventId.F_CD_FETCH, EventId.F_WALK_EABT)
    assert answer.event.ipa & ~0xFF == (NOWHERE if aborted else 0), "the address of the fetch that was aborted"


@pytest.mark.parametrize(("event", "case"), NORMAL_FAULTS)
@pytest.mark.parametrize("stall", [0, 1])
def test_every_normal_fault_is_recorded_and_may_stall(
    world: World, event: EventId, case: dict[str, Any], stall: int
) -> None:
    answer = configured(world, case | {"cd": {"S": stall} | case.get("cd", {})})
    assert answer.disposition is (Disposition.STALL if stall else Disposition.ABORT)
    assert answer.event is not None
    assert (answer.event.id, answer.event.stall) == (event, bool(stall))
    assert answer.event.event_class is EventClass.IN


def test_every_event_of_configuration_and_translation_is_in_one_of_the_two_tables() -> None:
    named = {event for event, _ in (*CONFIGURATION_ERRORS, *NORMAL_FAULTS)}
    elsewhere = {EventId.F_BAD_ATS_TREQ, EventId.F_TRANSL_FORBIDDEN}
    never_here = {EventId.F_UUT, EventId.F_TLB_CONFLICT, EventId.F_CFG_CONFLICT, EventId.E_PAGE_REQUEST}
    assert named | elsewhere == set(EventId) - never_here - {EventId.F_VMS_FETCH}


@pytest.mark.parametrize(
    ("entry", "atschk", "disposition", "event"),
    [
        (ste.cdtable_ste(s1_context_ptr=CD_TABLE, s1cdmax=2), True, Disposition.PROCEED, None),
        (
            ste.cdtable_ste(s1_context_ptr=CD_TABLE, s1cdmax=2, eats=AtsMode.REFUSED),
            True,
            Disposition.ABORT,
            EventId.F_TRANSL_FORBIDDEN,
        ),
        (ste.bypass_ste(), True, Disposition.ABORT, EventId.F_TRANSL_FORBIDDEN),
        (ste.abort_ste(), True, Disposition.ABORT, None),
        (ste.invalid_ste(), True, Disposition.ABORT, None),
        (ste.invalid_ste(), False, Disposition.PROCEED, None),
        (ste.abort_ste(), False, Disposition.PROCEED, None),
    ],
)
def test_translated_traffic_is_asked_about_only_with_atschk(
    world: World, entry: tuple[int, ...], atschk: bool, disposition: Disposition, event: EventId | None
) -> None:
    world.put(ste.ste_address(STREAM_TABLE, SID), entry)
    world.smmu.atschk = atschk
    for warm in (False, True):
        world.bus.steps.clear()
        answer = world.run(
            translated_access(world.bus, world.smmu, sid=SID, pasid=P1, address=PhysAddr(PAGE + 8), write=True)
        )
        assert answer.disposition is disposition
        assert (answer.event.id if answer.event else None) == event
        assert answer.address == (PAGE + 8 if disposition is Disposition.PROCEED else 0)
        steps = [LOOKUP] if warm else [LOOKUP, *FETCH_STE, FILL]
        assert world.bus.steps == (steps if atschk else [])
        world.smmu.finish(answer.transaction)


def test_a_cfgi_that_overtakes_the_check_of_translated_traffic_leaves_nothing_cached(world: World) -> None:
    world.smmu.atschk = True
    world.bus.before[FILL] = lambda: apply(commands.cfgi_ste(SID), world.smmu)
    answer = world.run(translated_access(world.bus, world.smmu, sid=SID, pasid=P1, address=PAGE, write=True))
    assert (answer.disposition, world.smmu.stes) == (Disposition.PROCEED, {})
    assert world.smmu.stragglers == (answer.transaction,)


def test_streams_of_another_world_share_no_tlb_entry(world: World) -> None:
    world.smmu.hyp = True
    world.request()
    world.put_ste(e2h=True)
    apply(commands.cfgi_ste(SID), world.smmu)
    world.tables.unmap_now(VA)
    assert outcome(world.request()) == HOLE, "the entry belongs to NS-EL1"
    world.tables.map_now(VA, PAGE)
    assert outcome(world.request()) == GRANTED
    assert [entry.world for entry in world.smmu.tlb.entries()] == [StreamWorld.NS_EL1, StreamWorld.EL2_E2H]
    apply(commands.Command(opcode=commands.Opcode.TLBI_EL2_VA, asid=ASID, address=VA), world.smmu)
    assert [entry.world for entry in world.smmu.tlb.entries()] == [StreamWorld.NS_EL1]
    world.request()
    apply(commands.tlbi_nh_asid(Vmid(0), ASID), world.smmu)
    assert [entry.world for entry in world.smmu.tlb.entries()] == [StreamWorld.EL2_E2H]
    apply(commands.Command(opcode=commands.Opcode.TLBI_NSNH_ALL), world.smmu)
    apply(commands.Command(opcode=commands.Opcode.TLBI_S12_VMALL), world.smmu)
    apply(commands.Command(opcode=commands.Opcode.TLBI_S2_IPA, address=VA), world.smmu)
    assert len(world.smmu.tlb.entries()) == 1
    apply(commands.Command(opcode=commands.Opcode.TLBI_EL2_ALL), world.smmu)
    assert world.smmu.tlb.entries() == ()


def test_two_streams_share_tlb_entries_and_not_configuration(world: World) -> None:
    other = StreamId(2)
    world.put(ste.ste_address(STREAM_TABLE, other), ste.cdtable_ste(s1_context_ptr=CD_TABLE, s1cdmax=2))
    world.request()
    world.tables.unmap_now(VA)
    assert outcome(world.request(sid=other)) == GRANTED
    assert (set(world.smmu.stes), len(world.smmu.tlb.entries())) == ({SID, other}, 1)
