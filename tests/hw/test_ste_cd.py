"""STE and CD, bit by bit, and what makes them illegal."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hw.bus import Asid, Pasid, PhysAddr, StreamId, Vmid
from hw.memory import Memory
from hw.smmuv3 import cd, ste
from hw.smmuv3.cd import StallModel
from hw.smmuv3.evtq import EventId
from hw.smmuv3.level1 import CdTableFormat
from hw.smmuv3.ste import PLAIN, AtsMode, DefaultSubstream, Features, Ste, StreamConfig
from hw.tlb import StreamWorld

ZEROS = (0,) * 6


def test_ste_golden() -> None:
    assert ste.abort_ste() == (0x1, 0, *ZEROS)
    assert ste.bypass_ste() == (0x9, 0x0000_1000_0000_0000, *ZEROS)
    made = ste.cdtable_ste(
        s1_context_ptr=PhysAddr(0x12340),
        s1cdmax=4,
        s1dss=DefaultSubstream.SSID0,
        eats=AtsMode.FULL,
        s1stalld=True,
        ppar=True,
    )
    # q1: EATS 28, S1STALLD 27, PPAR 18, S1CSH 3, S1COR 1, S1CIR 1, S1DSS 2
    assert made == (0x2000_0000_0001_234B, 0x1804_00D6, *ZEROS)
    bypassing = ste.cdtable_ste(
        s1_context_ptr=PhysAddr(0x40), s1cdmax=1, s1dss=DefaultSubstream.BYPASS, eats=AtsMode.REFUSED
    )
    assert bypassing == (0x0800_0000_0000_004B, 0x0000_1000_0000_00D5, *ZEROS)


def test_stage2_golden() -> None:
    made = ste.stage2_ste(s2ttb=PhysAddr(0x1_2345_6000), vmid=Vmid(7), vtcr=0x2_3F58, stall=True, mev=True)
    # q1: SHCFG 1 at 44, EATS 1 at 28, MEV 19. q2: S2R 58, S2S 57, S2PTW 54, S2AA64 51, VTCR 32, S2VMID 0
    assert made == (0xD, 0x1000_1008_0000, 0x064A_3F58_0000_0007, 0x1_2345_6000, 0, 0, 0, 0)
    nested = ste.stage2_ste(
        s2ttb=PhysAddr(0x40), vmid=Vmid(1), vtcr=0, s1_context_ptr=PhysAddr(0x1000), eats=AtsMode.REFUSED
    )
    assert nested == (0x100F, 0x1000_0000_0000, 0x0448_0000_0000_0001, 0x40, 0, 0, 0, 0)
    with pytest.raises(ValueError, match="multiples of 16 below"):
        ste.stage2_ste(s2ttb=PhysAddr(0x8), vmid=Vmid(1), vtcr=0)


STE_FIELDS = """
0 V 0 0, 0 Config 3 1, 0 S1Fmt 5 4, 0 S1ContextPtr 51 6, 0 S1CDMax 63 59,
1 S1DSS 1 0, 1 S1CIR 3 2, 1 S1COR 5 4, 1 S1CSH 7 6, 1 PPAR 18 18, 1 MEV 19 19, 1 S2FWB 25 25, 1 S1STALLD 27 27,
1 EATS 29 28, 1 STRW 31 30, 1 SHCFG 45 44,
2 S2VMID 15 0, 2 VTCR 50 32, 2 S2AA64 51 51, 2 S2ENDI 52 52, 2 S2PTW 54 54, 2 S2S 57 57, 2 S2R 58 58,
3 S2TTB 51 4
"""
CD_FIELDS = """
0 T0SZ 5 0, 0 TG0 7 6, 0 IR0 9 8, 0 OR0 11 10, 0 SH0 13 12, 0 EPD0 14 14, 0 ENDI 15 15, 0 EPD1 30 30, 0 V 31 31,
0 IPS 34 32, 0 AFFD 35 35, 0 TBI0 38 38, 0 AA64 41 41, 0 HD 42 42, 0 HA 43 43, 0 S 44 44, 0 R 45 45, 0 A 46 46,
0 ASET 47 47, 0 ASID 63 48,
1 HAD0 1 1, 1 TTB0 51 4,
3 MAIR 63 0
"""


@pytest.mark.parametrize(("module", "text"), [(ste, STE_FIELDS), (cd, CD_FIELDS)], ids=["STE", "CD"])
def test_every_field_of_the_tables_is_where_they_say(module: Any, text: str) -> None:
    wanted = {}
    for row in text.split(","):
        number, name, high, lowest = row.split()
        wanted[name] = (int(number), int(lowest), int(high) - int(lowest) + 1)
    found = {
        name: (word, field.low, field.width)
        for word, table in enumerate(module.LAYOUT)
        for name, field in table.items()
    }
    assert found == wanted
    for name, (word, low, width) in wanted.items():
        full = (1 << width) - 1
        made = module.encode(**{name: full})
        assert made == tuple(full << low if number == word else 0 for number in range(8))
        assert module.decode(made)[name] == full
        assert getattr(module, name, None) in (None, module.LAYOUT[word][name])


def test_cd_golden() -> None:
    # q0: ASID 5; ASET A R S; AA64; IPS 5; V EPD1; SH0 3, OR0 1, IR0 1, T0SZ 16
    assert cd.sva_cd(asid=Asid(5), ttb0=PhysAddr(0x5000), stall=True)[:4] == (0x0005_F205_C000_3510, 0x5000, 0, 0xFF)
    assert cd.sva_cd(asid=Asid(5), ttb0=PhysAddr(0x5000))[0] == 0x0005_E205_C000_3510
    assert cd.quiet_cd(asid=Asid(5))[:4] == (0x0005_C205_C000_4000, 0, 0, 0xFF)
    assert cd.quiet_cd(asid=Asid(5), stall_force=True)[0] == 0x0005_F205_C000_4000
    assert cd.empty_cd() == (0,) * 8


def test_going_quiet_changes_one_word_that_is_looked_at() -> None:
    live, quiet = cd.sva_cd(asid=Asid(5), ttb0=PhysAddr(0x5000)), cd.quiet_cd(asid=Asid(5))
    assert [number for number in range(8) if live[number] != quiet[number]] == [0, 1]
    halfway = cd.check((quiet[0], live[1]))
    assert isinstance(halfway, cd.Cd)
    assert (halfway.epd0, halfway.stall, halfway.record) == (True, False, False), "TTB0 is not looked at any more"


def words(layout: Any) -> st.SearchStrategy[tuple[int, ...]]:
    """Eight words in which only named fields are set."""
    masks = [sum(field.mask for field in table.values()) for table in layout]
    anything = st.tuples(*(st.integers(0, 2**64 - 1) for _ in masks))
    return anything.map(lambda drawn: tuple(word & mask for word, mask in zip(drawn, masks, strict=True)))


@given(words(ste.LAYOUT))
def test_ste_round_trip(qwords: tuple[int, ...]) -> None:
    assert ste.encode(**ste.decode(qwords)) == qwords


@given(words(cd.LAYOUT))
def test_cd_round_trip(qwords: tuple[int, ...]) -> None:
    assert cd.encode(**cd.decode(qwords)) == qwords


@pytest.mark.parametrize("layout", [ste.LAYOUT, cd.LAYOUT])
def test_fields_do_not_overlap(layout: Any) -> None:
    for table in layout:
        taken = 0
        for name, field in table.items():
            assert not taken & field.mask, name
            taken |= field.mask


def test_makers_refuse_addresses_that_would_lose_bits() -> None:
    with pytest.raises(ValueError, match="multiples of 64"):
        ste.cdtable_ste(s1_context_ptr=PhysAddr(0x1008), s1cdmax=1)
    with pytest.raises(ValueError, match="multiples of 16"):
        cd.sva_cd(asid=Asid(1), ttb0=PhysAddr(0x1008))


def stage1(**changes: int) -> Ste | EventId:
    """A checked stage 1 STE with some fields changed."""
    fields = {"V": 1, "Config": 5, "S1ContextPtr": 0x40, "S1CDMax": 4, "EATS": 1} | changes
    return ste.check(ste.encode(**fields))


def test_ste_check() -> None:
    assert stage1(V=0) is EventId.C_BAD_STE
    for stage2 in (StreamConfig.STAGE2, StreamConfig.NESTED):
        assert stage1(Config=stage2) is EventId.C_BAD_STE
    reserved = stage1(Config=3)
    assert isinstance(reserved, Ste)
    assert reserved.config is StreamConfig.ABORT
    good = stage1()
    assert good == Ste(
        config=StreamConfig.STAGE1,
        s1fmt=CdTableFormat.LINEAR,
        s1_context_ptr=PhysAddr(0x1000),
        s1cdmax=4,
        s1dss=0,
        s1stalld=False,
        eats=1,
        ppar=False,
        world=StreamWorld.NS_EL1,
    )


def with_features(features: Features, **changes: int) -> bool:
    """Whether such a stage 1 STE is legal for such an SMMU."""
    fields = {"V": 1, "Config": 5, "S1ContextPtr": 0x40, "S1CDMax": 4} | changes
    return isinstance(ste.check(ste.encode(**fields), features), Ste)


def test_what_an_smmu_cannot_do_is_illegal() -> None:
    one_level = Features(two_level_cds=False)
    assert [with_features(one_level, S1Fmt=number) for number in range(4)] == [True, False, False, True]
    assert with_features(one_level, S1Fmt=2, S1CDMax=0), "S1Fmt means nothing without substreams"
    assert [with_features(PLAIN, S1CDMax=bits) for bits in (0, 20, 21, 31)] == [True, True, False, False]
    models = [Features(stall_model=model) for model in StallModel]
    assert [with_features(model, S1STALLD=1) for model in models] == [True, False, False]
    assert [with_features(PLAIN, EATS=number) for number in range(4)] == [True, True, False, True]
    assert [with_features(PLAIN, STRW=number) for number in range(4)] == [True] * 4, "ignored without EL2"
    assert [with_features(Features(hyp=True), STRW=number) for number in range(4)] == [True, False, True, False]
    assert with_features(one_level, Config=4, S1Fmt=2, EATS=2, S1CDMax=31), "no stage 1: its fields are ignored"


def test_stream_world_and_table_format() -> None:
    el2 = ste.check(ste.cdtable_ste(s1_context_ptr=PhysAddr(0x40), s1cdmax=4, e2h=True), Features(hyp=True))
    assert isinstance(el2, Ste)
    assert el2.world is StreamWorld.EL2_E2H
    for number, form in enumerate((CdTableFormat.LINEAR, CdTableFormat.LEAF_4K, CdTableFormat.LEAF_64K)):
        entry = stage1(S1Fmt=number)
        assert isinstance(entry, Ste)
        assert entry.s1fmt is form
    for alike in (stage1(S1Fmt=3), stage1(S1Fmt=2, S1CDMax=0)):
        assert isinstance(alike, Ste)
        assert alike.s1fmt is CdTableFormat.LINEAR


@pytest.mark.parametrize(
    ("s1cdmax", "s1dss", "ssid", "expected"),
    [
        (4, 0, 3, 3),
        (4, 0, 15, 15),
        (4, 0, 16, EventId.C_BAD_SUBSTREAMID),
        (0, 0, 1, EventId.C_BAD_SUBSTREAMID),
        (4, 0, None, EventId.F_STREAM_DISABLED),
        (4, 1, None, None),
        (4, 2, None, 0),
        (0, 0, None, 0),
        (4, 2, 0, EventId.F_STREAM_DISABLED),
        (4, 0, 0, 0),
    ],
)
def test_which_cd_a_transaction_uses(s1cdmax: int, s1dss: int, ssid: int | None, expected: object) -> None:
    entry = stage1(S1CDMax=s1cdmax, S1DSS=s1dss)
    assert isinstance(entry, Ste)
    assert ste.context_index(entry, None if ssid is None else Pasid(ssid)) == expected


@pytest.mark.parametrize(
    ("stall", "model", "s1stalld", "legal"),
    [
        (True, StallModel.STALL_AND_TERMINATE, False, True),
        (False, StallModel.STALL_AND_TERMINATE, True, True),
        (True, StallModel.STALL_AND_TERMINATE, True, False),
        (True, StallModel.TERMINATE_ONLY, False, False),
        (False, StallModel.STALL_FORCE, False, False),
        (True, StallModel.STALL_FORCE, False, True),
    ],
)
def test_illegal_stall_combinations(stall: bool, model: StallModel, s1stalld: bool, legal: bool) -> None:
    made = cd.check(cd.sva_cd(asid=Asid(1), ttb0=PhysAddr(0x1000), stall=stall), stall_model=model, s1stalld=s1stalld)
    assert (made is not EventId.C_BAD_CD) is legal


def test_cd_check() -> None:
    q0, q1, *rest = cd.sva_cd(asid=Asid(9), ttb0=PhysAddr(0x1000))
    good = cd.check((q0, q1, *rest))
    assert isinstance(good, cd.Cd)
    assert (good.asid, good.ttb0, good.input_bits, good.output_bits) == (9, 0x1000, 48, 48)
    assert (good.epd0, good.stall, good.record, good.abort) == (False, False, True, True)
    for field in (cd.V, cd.AA64):
        assert cd.check((field.put(q0, 0), q1)) is EventId.C_BAD_CD
    for field, value in ((cd.T0SZ, 15), (cd.T0SZ, 40), (cd.TG0, 1)):
        bad = field.put(q0, value)
        assert cd.check((bad, q1)) is EventId.C_BAD_CD
        assert isinstance(cd.check((cd.EPD0.put(bad, 1), q1)), cd.Cd), "EPD0 makes these fields ignored"
    for flag in (cd.HA, cd.HD):
        assert cd.check((flag.put(q0, 1), q1)) is EventId.C_BAD_CD, "this SMMU updates no flags"
    assert cd.check((cd.ENDI.put(q0, 1), q1)) is EventId.C_BAD_CD
    assert isinstance(cd.check((cd.EPD0.put(cd.ENDI.put(q0, 1), 1), q1)), cd.Cd)
    for t0sz in (16, 25, 33, 34, 39):
        made = cd.check((cd.T0SZ.put(q0, t0sz), q1))
        assert isinstance(made, cd.Cd)
        assert made.input_bits == 64 - t0sz
    small = cd.IPS.put(q0, 1)
    assert isinstance(cd.check((small, 0xF_FFFF_F000)), cd.Cd)
    assert cd.check((small, 0x10_0000_0000)) is EventId.C_BAD_CD, "TTB0 beyond 36 bits"
    assert isinstance(cd.check((cd.EPD0.put(small, 1), 0x10_0000_0000)), cd.Cd)


@pytest.mark.parametrize(
    ("had0", "had", "affd", "expected"),
    [
        (0, True, 0, (True, True)),
        (1, False, 1, (True, False)),
        (1, True, 0, (False, True)),
        (1, True, 1, (False, False)),
    ],
)
def test_what_a_cd_says_about_table_permissions_and_flags(
    had0: int, had: bool, affd: int, expected: tuple[bool, bool]
) -> None:
    """IHI 0070 §5.4: HAD0 means something with IDR3.HAD = 1 only; with AFFD an access flag of 0 is no fault."""
    q0, q1, *_ = cd.sva_cd(asid=Asid(9), ttb0=PhysAddr(0x1000))
    made = cd.check((cd.AFFD.put(q0, affd), cd.HAD0.put(q1, had0)), walks=cd.Walks(had=had))
    assert isinstance(made, cd.Cd)
    assert (made.hierarchical, made.flags) == expected


def test_a_fetch_reads_all_eight_words_and_those_with_fields_apart(run: Any, make_bus: Any) -> None:
    memory = Memory(2)
    for number, word in enumerate(cd.sva_cd(asid=Asid(4), ttb0=PhysAddr(0x1000))):
        memory.write(PhysAddr(0x1000 + 2 * 64 + number * 8), word)
    bus = make_bus(memory)
    read: list[tuple[int, ...]] = []
    fetched = run(cd.fetch_cd(bus, cd.cd_address(PhysAddr(0x1000), Pasid(2)), Pasid(2), seen=read.append))
    assert fetched.asid == 4
    assert read == [cd.sva_cd(asid=Asid(4), ttb0=PhysAddr(0x1000))]
    assert bus.steps == ["fetch CD[2]", "CD[2].q0", "CD[2].q1", "CD[2].q3"]
    assert run(ste.fetch_ste(bus, PhysAddr(0), StreamId(0))) is EventId.C_BAD_STE
    assert bus.steps[4:] == ["fetch STE[0]", "STE[0].q0", "STE[0].q1", "STE[0].q2", "STE[0].q3"]
    assert run(cd.fetch_cd(bus, PhysAddr(0x2000), Pasid(0))) is EventId.F_CD_FETCH
    assert run(ste.fetch_ste(bus, PhysAddr(0x2000), StreamId(0))) is EventId.F_STE_FETCH
