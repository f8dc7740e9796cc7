"""How the SMMU reads an entry: word by word, in an order of its own, with or without traffic."""

from __future__ import annotations

from typing import Any

import pytest

from hw.bus import Asid, Pasid, PhysAddr, StreamId, VirtAddr, Vmid
from hw.memory import Memory
from hw.smmuv3 import cd, ste
from hw.smmuv3.commands import Command, Opcode, cfgi_cd, cfgi_ste, cmd_sync, tlbi_nh_asid, tlbi_nh_va
from hw.smmuv3.entry import EntryFetched
from hw.smmuv3.registers import Registers
from hw.smmuv3.state import Smmu, Transaction, affects, apply
from hw.smmuv3.ste import AtsMode, DefaultSubstream, cdtable_ste
from hw.smmuv3.translate import prefetch

SID = StreamId(0)
STREAMS, TABLE = PhysAddr(0x1000), PhysAddr(0x2000)


def smmu_in(memory: Memory) -> Smmu:
    """One stream with one valid CD."""
    entry = cdtable_ste(s1_context_ptr=TABLE, s1cdmax=1, s1dss=DefaultSubstream.SSID0)
    for base, words in ((STREAMS, entry), (TABLE, cd.paging_cd(asid=Asid(4), ttb0=PhysAddr(0x3000)))):
        for number, word in enumerate(words):
            memory.write(PhysAddr(base + number * 8), word)
    return Smmu(registers=Registers(PhysAddr(0)), stream_table=STREAMS, streams=1)


@pytest.mark.parametrize(("choice", "order"), [(0, ["CD[2].q0", "CD[2].q1"]), (1, ["CD[2].q1", "CD[2].q0"])])
def test_hardware_chooses_the_order_of_the_words(run: Any, make_bus: Any, choice: int, order: list[str]) -> None:
    class Choosing(make_bus):  # type: ignore[misc]
        async def choose(self, what: str, options: int) -> int:
            assert (what, options) == ("next word of CD[2]", 2)
            return choice

    bus = Choosing(Memory(4))
    run(cd.fetch_cd(bus, TABLE, Pasid(2), any_order=True))
    assert bus.steps == order


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
    run(prefetch(bus, smmu, sid=SID, ssid=None, ordinal=8))
    assert len(events) == 2, "what is cached is not fetched again"


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
    assert ste.meaning(ste.encode(V=1, Config=6)) == "C_BAD_STE (V=1)"
    assert ste.meaning(ste.encode(V=1, Config=0, S1ContextPtr=5, EATS=1)) == "abort"
    assert ste.meaning(ste.encode(V=1, Config=4, SHCFG=1, EATS=1)) == "bypass SHCFG=1"
    plain = cdtable_ste(s1_context_ptr=TABLE, s1cdmax=1, eats=AtsMode.REFUSED)
    assert ste.meaning(plain) == ste.meaning((plain[0], ste.SHCFG.put(plain[1], 1), *plain[2:]))
    quiet = cd.quiet_cd(asid=Asid(1))
    assert cd.meaning(quiet) == cd.meaning((cd.T0SZ.put(quiet[0], 16), 0x9000, *quiet[2:]))
    assert cd.meaning(quiet) != cd.meaning((cd.R.put(quiet[0], 1), *quiet[1:]))
    assert cd.meaning(cd.empty_cd()) == "C_BAD_CD (V=0)"


@pytest.mark.parametrize(
    ("command", "hit"),
    [
        (cfgi_ste(SID), True),
        (cfgi_ste(StreamId(1)), False),
        (cfgi_cd(SID, Pasid(3)), True),
        (cfgi_cd(SID, Pasid(4)), False),
        (Command(opcode=Opcode.CFGI_STE_RANGE, range=31), True),
        (Command(opcode=Opcode.CFGI_STE_RANGE, sid=StreamId(2), range=0), False),
        (tlbi_nh_asid(Vmid(0), Asid(9)), True),
        (tlbi_nh_asid(Vmid(0), Asid(8)), False),
        (tlbi_nh_va(Vmid(0), Asid(9), VirtAddr(0x5000)), True),
        (tlbi_nh_va(Vmid(0), Asid(9), VirtAddr(0x6000)), False),
        (Command(opcode=Opcode.TLBI_NSNH_ALL), True),
        (cmd_sync(), False),
    ],
)
def test_what_a_command_may_have_taken_from_under_a_transaction(command: Command, hit: bool) -> None:
    smmu = Smmu(registers=Registers(PhysAddr(0)), stream_table=STREAMS, streams=4)
    transaction = Transaction(sid=SID, ssid=Pasid(3), address=VirtAddr(0x5008), write=False, ats=False)
    transaction.context, transaction.asid = Pasid(3), Asid(9)
    assert affects(command, transaction, smmu) is hit
