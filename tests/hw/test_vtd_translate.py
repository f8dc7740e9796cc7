"""The transaction table of vtd-pcie §2.2, and what invalidations do to caches and to requests under way."""

from __future__ import annotations

import pytest

from hw.bus import Pasid, PhysAddr, Prgi, StreamId, VirtAddr
from hw.events.fetched import EntryFetched
from hw.paging.x86 import PageTables, page_entry, root
from hw.pcie.tlp import NO_PASID, CompletionStatus, ResponseCode
from hw.tlb import PageRange, pages_from
from hw.vtd import pasid as pasid_module
from hw.vtd.context import Context
from hw.vtd.descriptors import (
    ContextGranularity,
    ContextInvalidate,
    Descriptor,
    IotlbGranularity,
    IotlbInvalidate,
    PageGroupResponse,
    PasidCacheGranularity,
    PasidCacheInvalidate,
    WaitDescriptor,
    domain_iotlb,
    pasid_cache,
    pasid_iotlb,
)
from hw.vtd.faults import FaultReason, RequestKind
from hw.vtd.iotlb import Iotlb
from hw.vtd.pasid import FLPT_DEFAULT_DID, Did, empty_entry, first_level_entry, pass_through_entry
from hw.vtd.state import Transaction, affects, apply, resources_of
from hw.vtd.translate import AccessAnswer, Answer, PageRequestAnswer, translated_access, untranslated_access
from tests.hw.conftest import drive
from tests.hw.vtd_world import (
    COLD,
    CONFIG_FILL,
    DIRECTORY,
    LOOKUP,
    P1,
    PAGE,
    PE,
    SID,
    VA,
    WALK,
    World,
)

DID = FLPT_DEFAULT_DID
GRANTED = (CompletionStatus.SUCCESS, PAGE, True, True)
HOLE = (CompletionStatus.SUCCESS, 0, False, False)
CLEAR_PE = (pasid_cache(DID, P1), pasid_iotlb(DID, P1))


@pytest.fixture
def world() -> World:
    """Everything valid."""
    return World()


def outcome(answer: Answer) -> tuple[CompletionStatus, int, bool, bool]:
    """Status, page and rights."""
    completion = answer.completion
    return completion.status, completion.page, completion.read, completion.write


def reason(answer: Answer | AccessAnswer | PageRequestAnswer) -> FaultReason | None:
    """Why, as the fault log shows it; None if the log stays silent."""
    return answer.record.reason if answer.record is not None else None


def test_a_cold_request_fetches_walks_and_fills_and_a_warm_one_takes_one_step(world: World) -> None:
    answer = world.request()
    assert outcome(answer) == GRANTED
    assert (answer.record, answer.completion.tag, answer.completion.sid) == (None, 9, SID)
    assert world.bus.steps == COLD
    assert world.bus.touched == [
        ((("context cache", 1), ("PASID cache", 1), ("IOTLB", 1)), ()),
        ((("IOTLB", 1),), (("context cache", 1), ("PASID cache", 1))),
        ((), (("IOTLB", 1),)),
    ]
    assert [entry.root for entry in world.vtd.iotlb.entries()] == [world.tables.root]
    assert outcome(world.request()) == GRANTED
    assert world.bus.steps == [LOOKUP]


# The table of vtd-pcie §2.2. Columns: P=1 PTE ok, P=1 PTE absent, P=0 FPD=1, P=0 FPD=0, PE cached stale.
COLUMNS = ("ok", "absent", "quiet", "loud", "stale")


def at(column: str) -> World:
    """The world of a column."""
    world = World()
    match column:
        case "ok":
            pass
        case "absent":
            world.tables.unmap_now(VA)
        case "quiet":
            world.put_entry(empty_entry(fpd=True))
        case "loud":
            world.put_entry(empty_entry())
        case "stale":
            world.request()
            world.put_entry(empty_entry())
    return world


@pytest.mark.parametrize("write", [False, True])
@pytest.mark.parametrize(
    ("column", "address", "fault"),
    [
        ("ok", PAGE + 8, None),
        ("absent", None, FaultReason.FIRST_LEVEL_P),
        ("quiet", None, None),
        ("loud", None, FaultReason.PASID_ENTRY_P),
        ("stale", PAGE + 8, None),
    ],
)
def test_untranslated_dma(column: str, write: bool, address: int | None, fault: FaultReason | None) -> None:
    answer = at(column).access(write=write)
    assert (answer.address, reason(answer)) == (address, fault)
    assert (answer.denial is None) == (address is not None)
    if answer.record is not None:
        assert answer.record.kind is (RequestKind.WRITE if write else RequestKind.READ)
        assert (answer.record.sid, answer.record.pasid, answer.record.address) == (SID, P1, VA + 8)


@pytest.mark.parametrize(
    ("column", "expected"),
    [("ok", GRANTED), ("absent", HOLE), ("quiet", HOLE), ("loud", HOLE), ("stale", GRANTED)],
)
def test_translation_requests(column: str, expected: tuple[CompletionStatus, int, bool, bool]) -> None:
    answer = at(column).request()
    assert (outcome(answer), answer.record) == (expected, None)


@pytest.mark.parametrize(
    ("column", "refusal"),
    [
        ("ok", None),
        ("absent", None),
        ("quiet", ResponseCode.INVALID),
        ("loud", ResponseCode.INVALID),
        ("stale", None),
    ],
)
def test_page_requests(column: str, refusal: ResponseCode | None) -> None:
    answer = at(column).page_request()
    assert (answer.refusal, answer.record) == (refusal, None)


@pytest.mark.parametrize("column", COLUMNS)
@pytest.mark.parametrize("write", [False, True])
def test_translated_dma(column: str, write: bool) -> None:
    """No PASID entry is looked up, so no column makes a difference."""
    world = at(column)
    world.bus.steps.clear()
    answer = drive(translated_access(world.bus, world.vtd, sid=SID, pasid=P1, address=PAGE, write=write))
    assert (answer.address, world.bus.steps) == (PAGE, [])


def test_a_stale_entry_walks_the_old_root_even_for_pages_that_were_never_used() -> None:
    world = at("stale")
    world.tables.map_now(VirtAddr(0x9000), PhysAddr(0x1E000))
    assert world.access(va=0x9000).address == 0x1E000
    apply(CLEAR_PE[0], world.vtd)
    assert reason(world.access(va=0x9000)) is FaultReason.PASID_ENTRY_P, (
        "the IOTLB is found through the PASID entry only"
    )
    world.put_entry(first_level_entry(flptptr=world.tables.root))
    world.tables.unmap_now(VA)
    assert world.access().address == PAGE + 8, "but what was cached there is found again"
    apply(CLEAR_PE[1], world.vtd)
    assert reason(world.access()) is FaultReason.FIRST_LEVEL_P


def test_a_reused_pasid_hits_the_former_owners_translations(world: World) -> None:
    """Race VTD-R12: every SVA entry has the same DID."""
    other = PageTables(world.memory, world.allocator, 17)
    world.request()
    world.put_entry(first_level_entry(flptptr=other.root))
    apply(pasid_cache(DID, P1), world.vtd)
    assert outcome(world.request()) == GRANTED
    apply(pasid_iotlb(DID, P1), world.vtd)
    assert outcome(world.request()) == HOLE


def test_absent_entries_are_cached_in_caching_mode_only() -> None:
    for caching_mode in (False, True):
        world = World(caching_mode=caching_mode)
        world.put_entry(empty_entry())
        assert outcome(world.request()) == HOLE
        assert world.bus.steps == [LOOKUP, "context[1]", *PE, CONFIG_FILL]
        world.put_entry(first_level_entry(flptptr=world.tables.root))
        assert outcome(world.request()) == (HOLE if caching_mode else GRANTED)
        apply(pasid_cache(Did(5), P1), world.vtd)
        assert outcome(world.request()) == GRANTED, "an absent entry goes with any DID"


def test_faulty_entries_are_never_cached() -> None:
    world = World(caching_mode=True)
    world.put_entry(pasid_module.encode(P=1, PGTT=2))
    assert reason(world.access()) is FaultReason.PASID_ENTRY_INVALID
    world.put_entry(first_level_entry(flptptr=world.tables.root))
    assert world.access().address == PAGE + 8


@pytest.mark.parametrize(
    ("options", "fault", "status", "recorded"),
    [
        ({"ats": False}, FaultReason.DTE_CLEAR, CompletionStatus.UR, True),
        ({"pasid": False}, FaultReason.PASIDE_CLEAR, CompletionStatus.UR, True),
        ({"ats": False, "fpd": True}, FaultReason.DTE_CLEAR, CompletionStatus.UR, False),
    ],
)
def test_what_the_context_refuses(
    world: World, options: dict[str, bool], fault: FaultReason, status: CompletionStatus, recorded: bool
) -> None:
    world.put_context(**options)
    answer = world.request()
    assert answer.denial is not None
    assert (answer.denial.reason, answer.completion.status) == (fault, status)
    assert reason(answer) == (fault if recorded else None)
    assert world.bus.steps == [LOOKUP, "context[1]", CONFIG_FILL]


def test_page_requests_need_pre(world: World) -> None:
    world.put_context(pri=False)
    answer = world.page_request()
    assert (answer.refusal, reason(answer)) == (ResponseCode.INVALID, FaultReason.PRE_CLEAR)
    assert answer.record is not None
    assert answer.record.kind is RequestKind.PAGE_REQUEST
    assert outcome(world.request()) == GRANTED


@pytest.mark.parametrize(
    ("sid", "pasid", "fault"),
    [
        (StreamId(4), P1, FaultReason.ROOT_ENTRY_P),
        (StreamId(2), P1, FaultReason.CONTEXT_ENTRY_P),
        (SID, Pasid(64), FaultReason.PASID_DIRECTORY_P),
        (SID, Pasid(128 * 64), FaultReason.PASID_TOO_LARGE),
    ],
)
def test_where_there_is_no_entry(world: World, sid: StreamId, pasid: Pasid, fault: FaultReason) -> None:
    assert reason(world.access(sid=sid, pasid=pasid)) is fault
    assert world.access(sid=sid, pasid=pasid).address is None
    hole = fault is FaultReason.PASID_DIRECTORY_P
    assert outcome(world.request(sid=sid, pasid=pasid))[0] is (
        CompletionStatus.SUCCESS if hole else CompletionStatus.UR
    )
    answer = world.page_request(sid=sid, pasid=pasid)
    assert (answer.refusal, reason(answer)) == (ResponseCode.INVALID, None if hole else fault)


@pytest.mark.parametrize(
    ("entry", "fault"),
    [
        (pasid_module.encode(P=1, PGTT=3), FaultReason.PASID_ENTRY_INVALID),
        (pasid_module.encode(P=1, PGTT=1, FLPM=1), FaultReason.PASID_ENTRY_INVALID),
        ((0x441, 0, 0, 0, 0, 0, 0, 0), FaultReason.PASID_ENTRY_RESERVED),
        (pasid_module.encode(P=1, PGTT=1, DID=1, FLPTPTR=0x1000), FaultReason.FIRST_LEVEL_ROOT_ACCESS),
    ],
)
def test_malformed_entries(world: World, entry: pasid_module.Qwords, fault: FaultReason) -> None:
    world.put_entry(entry)
    assert reason(world.access()) is fault
    answer = world.request()
    assert (answer.completion.status, reason(answer)) == (CompletionStatus.CA, fault)
    world.put_entry((entry[0] | 2, *entry[1:]))
    apply(pasid_cache(DID, P1), world.vtd)
    silent = world.access()
    assert (silent.address, silent.record) == (None, None)


def test_directory_errors_and_its_fpd(world: World) -> None:
    world.memory.write(DIRECTORY, 0x3005)
    assert reason(world.access()) is FaultReason.PASID_DIRECTORY_RESERVED
    world.memory.write(DIRECTORY, 0x1000_0001)
    assert reason(world.access()) is FaultReason.PASID_ENTRY_ACCESS
    world.memory.write(DIRECTORY, 0x1000_0003)
    assert reason(world.access()) is FaultReason.PASID_ENTRY_ACCESS, "FPD does not silence a table that cannot be read"
    world.memory.write(DIRECTORY, 0x2)
    assert reason(world.access()) is None
    world.memory.write(DIRECTORY, 0x3003)
    world.put_entry(empty_entry())
    assert reason(world.access()) is None, "FPD of any entry on the way silences"
    world.memory.write(DIRECTORY, 0x3001)
    assert reason(world.access()) is FaultReason.PASID_ENTRY_P
    world.put_context(fpd=True)
    apply(ContextInvalidate(granularity=ContextGranularity.GLOBAL), world.vtd)
    assert reason(world.access()) is None


def test_faults_of_the_first_level(world: World) -> None:
    leaf = world.tables.leaf_address(VA)
    world.memory.write(leaf, page_entry(PAGE, user=False))
    assert (outcome(world.request()), reason(world.access())) == (HOLE, FaultReason.SUPERVISOR_PAGE)
    world.memory.write(leaf, page_entry(PhysAddr(1 << 48)))
    answer = world.request()
    assert (answer.completion.status, reason(answer)) == (CompletionStatus.CA, FaultReason.FIRST_LEVEL_RESERVED)
    world.memory.write(world.tables.tables[2], 0x10_0000_0000 | 7)
    apply(pasid_iotlb(DID, P1), world.vtd)
    assert reason(world.access()) is FaultReason.FIRST_LEVEL_ACCESS
    assert reason(world.access(va=1 << 50)) is FaultReason.NOT_CANONICAL
    assert outcome(world.request(va=1 << 50)) == HOLE


def test_xd_is_reserved_without_nxe(world: World) -> None:
    world.memory.write(world.tables.leaf_address(VA), page_entry(PAGE) | 1 << 63)
    fields = pasid_module.decode(first_level_entry(flptptr=world.tables.root))
    world.put_entry(pasid_module.encode(**(fields | {"NXE": 0})))
    assert reason(world.access()) is FaultReason.FIRST_LEVEL_RESERVED
    world.put_entry(pasid_module.encode(**fields))
    apply(pasid_cache(DID, P1), world.vtd)
    assert world.access().address == PAGE + 8


def test_a_write_to_a_read_only_page_faults_from_walk_and_from_iotlb(world: World) -> None:
    world.tables.map_now(VA, PAGE, writable=False)
    for _ in range(2):
        assert reason(world.access(write=True)) is FaultReason.NO_WRITE_PERMISSION
    assert world.bus.steps == [LOOKUP]
    assert world.access().address == PAGE + 8
    assert outcome(world.request()) == (CompletionStatus.SUCCESS, PAGE, True, False)
    quiet = list(first_level_entry(flptptr=world.tables.root))
    quiet[0] |= 2
    world.put_entry(tuple(quiet))
    apply(pasid_cache(DID, P1), world.vtd)
    assert reason(world.access(write=True)) is None, "FPD works with P=1, too"


def test_pass_through(world: World) -> None:
    world.put_entry(pass_through_entry(Did(2)))
    answer = world.access(write=True)
    assert (answer.address, len(world.vtd.iotlb.entries())) == (VA + 8, 0)


def test_requests_without_pasid_use_rid_pasid(world: World) -> None:
    world.put_context(rid_pasid=Pasid(2))
    world.put_entry(pass_through_entry(Did(2)), Pasid(2))
    assert world.access(pasid=NO_PASID).address == VA + 8
    assert world.bus.steps == [
        LOOKUP,
        "context[1]",
        "PASID cache and IOTLB look-up",
        "PASID directory[0]",
        "PE[2].q0-1",
        "PE[2].q2",
        CONFIG_FILL,
    ]
    world.access(pasid=NO_PASID)
    assert world.bus.steps == [LOOKUP]
    world.put_entry(empty_entry(), Pasid(2))
    apply(pasid_cache(Did(2), Pasid(2)), world.vtd)
    answer = world.access(pasid=NO_PASID)
    assert answer.record is not None
    assert (answer.record.reason, answer.record.pasid) == (FaultReason.PASID_ENTRY_P, None)


def test_the_knobs_of_what_is_not_verified() -> None:
    world = World(
        absent_entry_answer=CompletionStatus.UR,
        absent_entry_code=ResponseCode.FAILURE,
        translated_checked=True,
    )
    world.put_entry(empty_entry())
    answer = world.request()
    assert (answer.completion.status, reason(answer)) == (CompletionStatus.UR, FaultReason.PASID_ENTRY_P)
    assert world.page_request().refusal is ResponseCode.FAILURE
    dma = world.translated()
    assert (dma.address, reason(dma)) == (None, FaultReason.PASID_ENTRY_P)
    world.put_entry(first_level_entry(flptptr=world.tables.root))
    for _ in range(2):
        assert world.translated().address == PAGE
    assert world.bus.steps == [LOOKUP]
    world.put_context(ats=False)
    apply(ContextInvalidate(granularity=ContextGranularity.GLOBAL), world.vtd)
    for _ in range(2):
        dma = world.translated()
        assert (dma.address, reason(dma)) == (None, FaultReason.DTE_CLEAR)
        assert dma.record is not None
        assert dma.record.kind is RequestKind.TRANSLATED_WRITE
    assert world.bus.steps == [LOOKUP]


def test_page_requests_need_not_look_at_the_entry() -> None:
    world = World(page_requests_checked=False)
    world.put_entry(empty_entry())
    assert world.page_request().refusal is None
    assert world.bus.steps == [LOOKUP, "context[1]", CONFIG_FILL]
    assert world.page_request().refusal is None
    assert world.bus.steps == [LOOKUP]
    assert world.page_request(sid=StreamId(2)).refusal is ResponseCode.INVALID


def test_fetches_are_reported_if_asked_for() -> None:
    world = World(report_fetches=True, any_order=True)
    world.bus.choices = [1]
    world.request()
    assert world.bus.steps[3:5] == [PE[2], PE[1]]
    assert world.bus.events == [
        EntryFetched(
            entry="PE[1]",
            valid=True,
            meaning=f"PGTT=0x1 DID=0x1 NXE=0x1 FLPTPTR={world.tables.root >> 12:#x}",
            target="vtd",
        )
    ]


def test_the_paging_structure_cache_shortens_walks_and_outlives_its_tables(world: World) -> None:
    """Race VTD-R31: a table page is freed and used again, and the walk still goes through it."""
    world.request()
    world.tables.map_now(VirtAddr(0x9000), PhysAddr(0x1E000))
    world.request(va=0x9000)
    assert world.bus.steps == [LOOKUP, "PTE 0x9000", "IOTLB fill"]
    level2 = world.tables.tables[2]
    world.memory.write(level2, 0)
    assert outcome(world.request(va=0xA000)) == HOLE
    assert world.bus.steps == [LOOKUP, "PTE 0xa000"]
    world.memory.write(PhysAddr(world.tables.tables[3] + 0xB * 8), page_entry(PhysAddr(0x1D000)))
    assert world.request(va=0xB000).completion.page == 0x1D000
    kept = pasid_iotlb(DID, P1, pages_from(VirtAddr(0x9000), 1), hint=True)
    apply(kept, world.vtd)
    assert len(world.vtd.iotlb.upper_entries()) == 3, "IH says that only leaves changed"
    apply(pasid_iotlb(DID, P1, pages_from(VirtAddr(0x9000), 1)), world.vtd)
    assert world.vtd.iotlb.upper_entries() == ()
    assert outcome(world.request(va=0xB000))[1] == 0x1D000, "its own page was not named"
    assert outcome(world.request(va=0x9000)) == HOLE


def test_hardware_without_a_paging_structure_cache() -> None:
    world = World(iotlb=Iotlb(upper_capacity=0))
    world.request()
    world.vtd.iotlb.fill_upper(DID, P1, VA, [root(world.tables.root)])
    assert world.vtd.iotlb.upper_entries() == ()
    apply(pasid_iotlb(DID, P1, pages_from(VA, 1), hint=True), world.vtd)
    world.tables.unmap_now(VA)
    assert outcome(world.request()) == HOLE
    assert world.bus.steps == [LOOKUP, *WALK], "and a fault fills nothing"
    with pytest.raises(ValueError, match="at least 0"):
        Iotlb(upper_capacity=-1)


def test_a_small_paging_structure_cache_forgets_the_oldest() -> None:
    world = World(iotlb=Iotlb(upper_capacity=1))
    world.request()
    assert [entry.reached.level for entry in world.vtd.iotlb.upper_entries()] == [3]


def test_an_invalidation_during_the_walk_keeps_the_caches_clean(world: World) -> None:
    users: list[int] = []

    def unmap_and_invalidate() -> None:
        world.tables.unmap_now(VA)
        users.append(len(apply(pasid_iotlb(DID, P1, pages_from(VA, 1)), world.vtd)))

    world.before("IOTLB fill", unmap_and_invalidate)
    assert outcome(world.request()) == GRANTED, "the walk was over"
    assert (users, world.vtd.in_flight) == ([1], [])
    assert (world.vtd.iotlb.entries(), world.vtd.iotlb.upper_entries()) == ((), ())
    assert outcome(world.request()) == HOLE


@pytest.mark.parametrize(
    "descriptor",
    [
        pasid_iotlb(DID, P1, pages_from(VirtAddr(VA + 0x1000), 1)),
        pasid_iotlb(DID, Pasid(2)),
        pasid_iotlb(Did(2), P1),
        domain_iotlb(Did(2)),
        pasid_cache(DID, P1),
        ContextInvalidate(granularity=ContextGranularity.GLOBAL),
    ],
)
def test_an_invalidation_of_something_else_does_not_disturb(world: World, descriptor: Descriptor) -> None:
    world.before("IOTLB fill", lambda: apply(descriptor, world.vtd))
    world.request()
    assert len(world.vtd.iotlb.entries()) == 1


@pytest.mark.parametrize(
    "descriptor",
    [
        pasid_cache(DID, P1),
        PasidCacheInvalidate(granularity=PasidCacheGranularity.DOMAIN, did=Did(7)),
        PasidCacheInvalidate(granularity=PasidCacheGranularity.GLOBAL),
        ContextInvalidate(granularity=ContextGranularity.DEVICE, sid=SID),
        ContextInvalidate(granularity=ContextGranularity.DEVICE, sid=StreamId(0), function_mask=1),
        ContextInvalidate(granularity=ContextGranularity.DOMAIN),
    ],
)
def test_an_invalidation_during_the_fetch_keeps_the_caches_clean(world: World, descriptor: Descriptor) -> None:
    """The domain is not known before the entry was read, so that any may be meant."""
    world.before(CONFIG_FILL, lambda: apply(descriptor, world.vtd))
    assert outcome(world.request()) == GRANTED
    assert (world.vtd.context_cache, world.vtd.pasid_cache) == ({}, {})


@pytest.mark.parametrize("drains", [False, True])
def test_whether_a_pasid_cache_invalidation_waits_is_a_knob(drains: bool) -> None:
    world = World(pasid_cache_drains=drains)
    found: list[tuple[Transaction, ...]] = []
    world.before("PTE 0x7000", lambda: found.append(apply(pasid_cache(DID, P1), world.vtd)))
    assert outcome(world.request()) == GRANTED
    assert len(found[0]) == drains
    assert len(world.vtd.iotlb.entries()) == 1, "the old root's page stays until the IOTLB is invalidated"


def test_a_page_request_past_its_check_is_not_caught_by_invalidations(world: World) -> None:
    """Only a drain waits for it (vtd-pcie §10: whether the PASID-cache invalidation does is not verified)."""
    found: list[tuple[Transaction, ...]] = []

    def clear() -> None:
        world.put_entry(empty_entry())
        found.extend(apply(each, world.vtd) for each in CLEAR_PE)
        assert len(world.vtd.page_requests) == 1

    world.before(CONFIG_FILL, clear)
    assert world.page_request().refusal is None
    assert found == [(), ()]
    assert world.page_request().refusal is ResponseCode.INVALID, "the next one meets a closed door"


def test_wide_invalidations(world: World) -> None:
    world.request()
    domain = IotlbInvalidate(granularity=IotlbGranularity.PAGES, did=DID, pages=PageRange(address=VA, order=0))
    for descriptor in (domain, domain_iotlb(DID), IotlbInvalidate(granularity=IotlbGranularity.GLOBAL)):
        apply(descriptor, world.vtd)
        assert world.vtd.iotlb.entries() == ()
        world.request()
    apply(domain_iotlb(Did(2)), world.vtd)
    apply(PasidCacheInvalidate(granularity=PasidCacheGranularity.DOMAIN, did=Did(2)), world.vtd)
    apply(pasid_cache(Did(2), P1), world.vtd)
    apply(pasid_cache(DID, Pasid(2)), world.vtd)
    assert world.request() and world.bus.steps == [LOOKUP]
    apply(ContextInvalidate(granularity=ContextGranularity.GLOBAL), world.vtd)
    world.request()
    assert world.bus.steps == [LOOKUP, "context[1]", CONFIG_FILL], "PASID entries are another cache"
    assert isinstance(world.vtd.context_cache[SID], Context)


def test_resources_of_descriptors() -> None:
    world = World(pasids=(Pasid(0), P1))
    every = (("IOTLB", 0), ("IOTLB", 1))
    assert resources_of(pasid_cache(DID, P1), world.vtd) == (("PASID cache", 1),)
    assert resources_of(pasid_iotlb(DID, P1), world.vtd) == (("IOTLB", 1),)
    assert resources_of(domain_iotlb(DID), world.vtd) == every
    assert len(resources_of(PasidCacheInvalidate(granularity=PasidCacheGranularity.GLOBAL), world.vtd)) == 2
    device = ContextInvalidate(granularity=ContextGranularity.DEVICE, sid=SID)
    assert resources_of(device, world.vtd) == (("context cache", 1),)
    assert len(resources_of(ContextInvalidate(granularity=ContextGranularity.GLOBAL), world.vtd)) == 4
    assert resources_of(WaitDescriptor(), world.vtd) == ()
    with pytest.raises(ValueError, match=r"list those of this world in Vtd\.pasids"):
        resources_of(domain_iotlb(DID), World().vtd)


def test_what_only_sends_or_waits_affects_nothing(world: World) -> None:
    transaction = world.access().transaction
    for descriptor in (WaitDescriptor(), PageGroupResponse(sid=SID, prgi=Prgi(0), code=0)):
        assert not affects(descriptor, transaction)
        assert apply(descriptor, world.vtd) == ()


@pytest.mark.parametrize(("present", "inside"), [(False, 0), (True, 1)])
def test_who_has_no_pasid_entry_is_waited_for_by_no_invalidation(present: bool, inside: int) -> None:
    world = World()
    if not present:
        world.put_entry(empty_entry())
    access = untranslated_access(world.bus, world.vtd, sid=SID, pasid=P1, address=VA, write=True)
    assert (drive(access).address is None) is not present
    assert len(world.vtd.in_flight) == inside


def test_what_the_device_translated_depends_on_context_and_pasid_entry_alone() -> None:
    """Its address is a host address, of which the ranges of processes know nothing."""
    world = World(translated_checked=True)
    transaction = world.translated().transaction
    world.vtd.begin(transaction)
    assert not any(affects(descriptor, transaction) for descriptor in (domain_iotlb(DID), pasid_iotlb(DID, P1)))
    assert affects(pasid_cache(DID, P1), transaction)
    assert affects(ContextInvalidate(granularity=ContextGranularity.DEVICE, sid=SID), transaction)


@pytest.mark.parametrize("drains", [False, True])
def test_what_the_device_translated_is_waited_for_only_where_pasid_cache_invalidations_wait(drains: bool) -> None:
    world = World(translated_checked=True, pasid_cache_drains=drains)
    access = translated_access(world.bus, world.vtd, sid=SID, pasid=P1, address=PAGE, write=True)
    transaction = drive(access).transaction
    assert world.vtd.in_flight == [transaction] * drains
    assert apply(pasid_cache(DID, P1), world.vtd) == (transaction,) * drains


@pytest.mark.parametrize(
    ("address", "order", "hit"),
    [(0x7000, 0, True), (0x8000, 0, False), (0x4000, 2, True), (0, 3, True), (0, 2, False), (0, 52, True)],
)
def test_page_ranges(address: int, order: int, hit: bool) -> None:
    assert PageRange(address=VirtAddr(address), order=order).meets(VA) is hit
