"""How the SMMU reads an entry: word by word, in an order of its own, with or without traffic."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from hw.bus import Asid, Pasid, PhysAddr, Resource, StreamId, VirtAddr, Vmid
from hw.events.fetched import EntryFetched
from hw.memory import Memory
from hw.smmuv3 import cd, ste
from hw.smmuv3.commands import Command, Opcode, cfgi_cd, cfgi_ste, cmd_sync, tlbi_nh_asid, tlbi_nh_va
from hw.smmuv3.entry import check_fields
from hw.smmuv3.evtq import EventId
from hw.smmuv3.level1 import CdTableFormat, l1cd
from hw.smmuv3.registers import Registers
from hw.smmuv3.state import Smmu, Transaction, affects, apply
from hw.smmuv3.ste import AtsMode, DefaultSubstream, cdtable_ste
from hw.smmuv3.tlb import StreamWorld
from hw.smmuv3.translate import prefetch

SID = StreamId(0)
STREAMS, TABLE, LEVEL1 = PhysAddr(0x1000), PhysAddr(0x2000), PhysAddr(0x3000)


def smmu_in(memory: Memory, s1fmt: CdTableFormat = CdTableFormat.LINEAR) -> Smmu:
    """One stream with one valid CD."""
    context = TABLE if s1fmt is CdTableFormat.LINEAR else LEVEL1
    memory.write(LEVEL1, l1cd(TABLE, CdTableFormat.LEAF_4K))
    entry = cdtable_ste(s1_context_ptr=context, s1fmt=s1fmt, s1cdmax=1, s1dss=DefaultSubstream.SSID0)
    for base, words in ((STREAMS, entry), (TABLE, cd.paging_cd(asid=Asid(4), ttb0=PhysAddr(0x4000)))):
        for number, word in enumerate(words):
            memory.write(PhysAddr(base + number * 8), word)
    return Smmu(registers=Registers(PhysAddr(0)), stream_table=STREAMS, streams=1)


def test_every_word_with_a_field_is_read_by_itself() -> None:
    assert ste.PIECES == ((0,), (1,), (2,), (3,))
    assert cd.PIECES == ((0,), (1,), (3,))


def test_no_maker_sets_a_bit_outside_the_fields() -> None:
    made = [
        *[(ste.LAYOUT, entry) for entry in (ste.abort_ste(), ste.bypass_ste(), ste.invalid_ste())],
        (ste.LAYOUT, cdtable_ste(s1_context_ptr=TABLE, s1cdmax=20, ppar=True, s1stalld=True, e2h=True)),
        (ste.LAYOUT, ste.stage2_ste(s2ttb=TABLE, vmid=Vmid(0xFFFF), vtcr=0x7FFFF, s1_context_ptr=TABLE, stall=True)),
        *[(cd.LAYOUT, entry) for entry in (cd.empty_cd(), cd.quiet_cd(asid=Asid(1)))],
        (cd.LAYOUT, cd.sva_cd(asid=Asid(0xFFFF), ttb0=TABLE, stall=True)),
    ]
    for layout, words in made:
        check_fields(layout, words, "entry")
    with pytest.raises(ValueError, match=r"^CD\[1\] with q2=0x1: no field lies in that word, so it must be 0$"):
        check_fields(cd.LAYOUT, (0, 0, 1, 0, 0, 0, 0, 0), "CD[1]")


def test_a_prefetch_fills_the_caches_and_reports_what_it_read(run: Any, make_bus: Any) -> None:
    memory = Memory(4)
    smmu = smmu_in(memory)
    smmu.report_fetches = True
    bus = make_bus(memory)
    events: list[EntryFetched] = []
    bus.emit = events.append
    transaction = run(prefetch(bus, smmu, sid=SID, ssid=None, ordinal=7))
    assert smmu.in_flight == [transaction], "a SYNC waits until the caller finishes it"
    assert transaction.ordinal == 7
    assert set(smmu.stes) == {SID}
    assert set(smmu.cds) == {(SID, 0)}
    assert [(event.entry, event.valid) for event in events] == [("STE[0]", True), ("CD[0]", True)]
    assert events[0].meaning == "stage 1 S1ContextPtr=0x80 S1CDMax=0x1 S1DSS=0x2 S1CIR=0x1 S1COR=0x1 S1CSH=0x3 EATS=0x1"
    assert events[1].label.startswith("fetch CD[0]: ASID=0x4 ")
    memory.write(STREAMS, 0)
    run(prefetch(bus, smmu, sid=SID, ssid=None, ordinal=8))
    assert [event.entry for event in events[2:]] == ["STE[0]"], "what is cached may have been evicted"
    assert smmu.stes == {SID: EventId.C_BAD_STE}
    assert set(smmu.cds) == {(SID, 0)}, "and the CD is still cached"


@pytest.mark.parametrize(
    ("kept", "fetched"), [(0, ["STE[0]", "L1CD[0]", "CD[0]"]), (1, ["L1CD[0]", "CD[0]"]), (2, ["CD[0]"])]
)
def test_a_prefetch_keeps_as_much_of_the_way_as_hardware_likes(
    run: Any, make_bus: Any, kept: int, fetched: list[str]
) -> None:
    offered: list[int] = []

    class Choosing(make_bus):  # type: ignore[misc]
        async def choose(self, what: str, options: int, reads: Sequence[Resource] = ()) -> int:
            offered.append(options)
            return kept if options > 1 else 0

    memory = Memory(4)
    smmu = smmu_in(memory, s1fmt=CdTableFormat.LEAF_4K)
    smmu.report_fetches = True
    bus = Choosing(memory)
    events: list[EntryFetched] = []
    bus.emit = events.append
    run(prefetch(bus, smmu, sid=SID, ssid=None, ordinal=0))
    assert [event.entry for event in events] == ["STE[0]", "L1CD[0]", "CD[0]"]
    events.clear()
    run(prefetch(bus, smmu, sid=SID, ssid=None, ordinal=1))
    assert offered == [1, 3]
    assert [event.entry for event in events] == fetched


def test_a_prefetch_that_was_overtaken_by_a_cfgi_caches_nothing(run: Any, make_bus: Any) -> None:
    memory = Memory(4)
    smmu = smmu_in(memory)
    bus = make_bus(memory)
    bus.before["CD[0].q1"] = lambda: apply(cfgi_ste(SID), smmu)
    run(prefetch(bus, smmu, sid=SID, ssid=None, ordinal=0))
    assert (smmu.stes, smmu.cds) == ({}, {})
    assert smmu.stragglers == tuple(smmu.in_flight)


def test_meanings_ignore_what_is_not_looked_at() -> None:
    assert ste.meaning(ste.invalid_ste()) == "C_BAD_STE (V=0)"
    assert ste.meaning(ste.encode(V=1, Config=6, S2VMID=2, S1CDMax=3)) == "stage 2 S2VMID=0x2"
    assert ste.meaning(ste.encode(V=1, Config=7, S2VMID=2, S1CDMax=3)) == "stages 1 and 2 S1CDMax=0x3 S2VMID=0x2"
    assert ste.meaning(ste.encode(V=1, Config=0, S1ContextPtr=5, EATS=1)) == "abort"
    assert ste.meaning(ste.encode(V=1, Config=4, SHCFG=1, EATS=1)) == "bypass SHCFG=1"
    plain = cdtable_ste(s1_context_ptr=TABLE, s1cdmax=1, eats=AtsMode.REFUSED)
    assert ste.meaning(plain) == ste.meaning((plain[0], ste.SHCFG.put(plain[1], 1), *plain[2:]))
    quiet = cd.quiet_cd(asid=Asid(1))
    assert cd.meaning(quiet) == cd.meaning((cd.T0SZ.put(quiet[0], 16), 0x9000, *quiet[2:]))
    assert cd.meaning(quiet) != cd.meaning((cd.R.put(quiet[0], 1), *quiet[1:]))
    assert cd.meaning(quiet) != cd.meaning((*quiet[:3], 0, *quiet[4:]))
    assert cd.meaning(cd.empty_cd()) == "C_BAD_CD (V=0)"


@pytest.mark.parametrize(
    ("command", "hit"),
    [
        (cfgi_ste(SID), True),
        (cfgi_ste(StreamId(1)), False),
        (cfgi_ste(StreamId(1), leaf=False), True),
        (cfgi_ste(StreamId(2), leaf=False), False),
        (cfgi_cd(SID, Pasid(3)), True),
        (cfgi_cd(SID, Pasid(4)), False),
        (cfgi_cd(SID, Pasid(63), leaf=False), True),
        (cfgi_cd(SID, Pasid(64), leaf=False), False),
        (cfgi_cd(StreamId(1), Pasid(3), leaf=False), False),
        (Command(opcode=Opcode.CFGI_CD_ALL, sid=SID), True),
        (Command(opcode=Opcode.CFGI_STE_RANGE, range=31), True),
        (Command(opcode=Opcode.CFGI_STE_RANGE, sid=StreamId(2), range=0), False),
        (tlbi_nh_asid(Vmid(0), Asid(9)), True),
        (tlbi_nh_asid(Vmid(0), Asid(8)), False),
        (tlbi_nh_va(Vmid(0), Asid(9), VirtAddr(0x5000)), True),
        (tlbi_nh_va(Vmid(0), Asid(9), VirtAddr(0x6000)), False),
        (Command(opcode=Opcode.TLBI_NSNH_ALL), True),
        (Command(opcode=Opcode.TLBI_NH_ALL, vmid=Vmid(1)), False),
        (Command(opcode=Opcode.TLBI_S12_VMALL), True),
        (Command(opcode=Opcode.TLBI_S2_IPA, address=VirtAddr(0x5000)), False),
        (Command(opcode=Opcode.TLBI_EL2_ALL), False),
        (Command(opcode=Opcode.TLBI_EL2_ASID, asid=Asid(9)), False),
        (Command(opcode=Opcode.TLBI_EL2_VA, asid=Asid(9), address=VirtAddr(0x5000)), False),
        (cmd_sync(), False),
    ],
)
def test_what_a_command_may_have_taken_from_under_a_transaction(command: Command, hit: bool) -> None:
    smmu = Smmu(registers=Registers(PhysAddr(0)), stream_table=STREAMS, streams=4, split=1)
    transaction = Transaction(sid=SID, ssid=Pasid(3), address=VirtAddr(0x5008), write=False, ats=False)
    transaction.context, transaction.asid = Pasid(3), Asid(9)
    transaction.l1std, transaction.level1 = 0, (SID, CdTableFormat.LEAF_4K, 0)
    assert affects(command, transaction, smmu) is hit
    transaction.world = StreamWorld.EL2_E2H
    if command.opcode.name.startswith("TLBI_"):
        of_el2 = command.opcode.name.startswith("TLBI_EL2")
        assert affects(command, transaction, smmu) is of_el2
