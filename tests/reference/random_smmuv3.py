"""Random SMMUv3 worlds: what is in memory, the registers, one transaction; and what the model makes of it."""

from __future__ import annotations

from dataclasses import dataclass
from random import Random

from hw.bus import Pasid, PhysAddr, StreamId, VirtAddr
from hw.memory import FRAME_BYTES, Memory
from hw.pcie.tlp import NO_PASID, CompletionStatus, TranslationRequest
from hw.smmuv3.cd import Httu, StallModel, Walks
from hw.smmuv3.registers import Registers as Mmio
from hw.smmuv3.translate import (
    Disposition,
    Smmu,
    translate_request,
    translated_access,
    untranslated_access,
)
from tests.hw.conftest import StubBus, drive
from tests.reference.smmuv3 import PAGE, Ask, End, Kind, Outcome, Registers

FRAMES = 20
STES, CDS, LEAF, TABLES = 0x1000, 0x2000, 0x1_0000, (0x4000, 0x5000, 0x6000, 0x7000)
STREAMS = 2
NOWHERE = 0x5_0000
"""A frame that no memory answers for."""
ENDS = {
    Disposition.PROCEED: End.DONE,
    Disposition.ABORT: End.ABORT,
    Disposition.RAZ_WI: End.IGNORED,
    Disposition.STALL: End.STALL,
}


@dataclass(frozen=True)
class Vector:
    """One question, for both readings."""

    words: dict[int, int]
    registers: Registers
    ask: Ask


def rare(random: Random, percent: float) -> int:
    """1 in so many of 100."""
    return int(random.random() * 100 < percent)


def vector(random: Random) -> Vector:
    """Mostly what works, with a few per cent of everything that does not."""
    words: dict[int, int] = {}
    sid = random.choice((0, 0, 0, 0, 0, 0, 0, 1, 2)) if rare(random, 30) else 0
    ssid = random.choice((None, None, 0, 1, 1, 1, 1, 2, 3, 5, 9))
    t0sz = random.choice((16, 16, 16, 16, 24, 25, 30, 33, 34, 39))
    address = _address(random, 64 - t0sz)
    stall_model = random.choice((0, 0, 0, 1, 2))
    words.update(_ste(random, stall_model))
    httu = random.choice((0, 1, 2))
    for number in range(8):
        _put_cd(random, words, CDS + 64 * number, t0sz, httu)
        _put_cd(random, words, LEAF + 64 * number, t0sz, httu)
    if bits_form(words):
        words[CDS] = 0 if rare(random, 10) else (NOWHERE if rare(random, 12) else LEAF) | 1
    for level, table in enumerate(TABLES):
        words[table + 8 * (address >> 39 - 9 * level & 0x1FF)] = _descriptor(random, level)
    kind = random.choice(_KINDS)
    enabled = not rare(random, 3)
    registers = Registers(
        enabled=enabled,
        ats_check=bool(rare(random, 60)),
        record_ats=bool(rare(random, 50)),
        record_sid=bool(rare(random, 50)),
        stall_model=stall_model,
        output_bits=random.choice((40, 44, 48, 48)),
        hierarchical_disable=bool(rare(random, 50)),
        httu=httu,
        streams=STREAMS,
        stream_table=NOWHERE if rare(random, 2) else STES,
    )
    write = kind is Kind.WRITE or (kind is Kind.REQUEST and bool(rare(random, 50)))
    return Vector(words, registers, Ask(kind, sid, ssid, address, write))


_KINDS = (Kind.WRITE, Kind.WRITE, Kind.READ, Kind.READ, Kind.REQUEST, Kind.REQUEST, Kind.TRANSLATED)


def bits_form(words: dict[int, int]) -> int:
    """S1Fmt where there are substreams: whether the table of CDs has two levels."""
    return words[STES] >> 4 & 3 if words[STES] >> 59 else 0


def _address(random: Random, width: int) -> int:
    address = random.getrandbits(width)
    if rare(random, 8):
        address |= 1 << random.choice((40, 44, 48, 52, 63))
    return address & ~7


def _ste(random: Random, stall_model: int) -> dict[int, int]:
    """Stream 0; stream 1 has none."""
    config = random.choice((4, 4, 0, 1, 6, 7)) if rare(random, 18) else 5
    q0 = (1 - rare(random, 3)) | config << 1 | random.choice((0, 0, 1, 2, 3)) << 4 | CDS
    q0 |= random.choice((0, 1, 2, 20, 21 if rare(random, 30) else 2, 3, 3, 3, 3, 3, 3)) << 59
    eats = random.choice((0, 2, 3)) if rare(random, 12) else 1
    q1 = random.choice((0, 1, 1, 2, 2, 3)) | eats << 28
    if stall_model == 0:
        q1 |= rare(random, 10) << 27
    return {STES: q0, STES + 8: q1}


def _put_cd(random: Random, words: dict[int, int], at: int, t0sz: int, httu: int) -> None:
    t0sz = random.choice((15, 40, 0, 63)) if rare(random, 3) else t0sz
    q0 = t0sz | rare(random, 2) << 6 | rare(random, 5) << 14 | rare(random, 2) << 15 | 1 << 30
    q0 |= (1 - rare(random, 3)) << 31 | random.choice((5, 5, 5, 5, 2, 1, 0, 4, 6, 7)) << 32
    q0 |= (
        rare(random, 25) << 35
        | (1 - rare(random, 2)) << 41
        | rare(random, 40 if httu == 2 else 1) << 42
        | rare(random, 40 if httu else 1) << 43
    )
    q0 |= random.getrandbits(3) << 44 | 1 << 47 | random.getrandbits(16) << 48
    level = 0 if 64 - t0sz > 39 else 1 if 64 - t0sz > 30 else 2
    table = random.choice((NOWHERE, 1 << 41, 1 << 46)) if rare(random, 5) else TABLES[level]
    words[at], words[at + 8] = q0, table | rare(random, 30) << 1


def _descriptor(random: Random, level: int) -> int:
    """A table, page or block; or nothing of the kind."""
    if rare(random, 4):
        return random.choice((0, 2, random.getrandbits(62) << 2))
    output = random.getrandbits(36) << 12 if rare(random, 6) else random.randrange(FRAMES) << 12
    limits = (rare(random, 8) << 61) | (rare(random, 8) << 62) | (random.getrandbits(1) << 63)
    if level < 3 and not rare(random, 8):
        return (output if rare(random, 5) else TABLES[level + 1]) | limits | 3
    if level < 3 and not rare(random, 50):
        output = random.getrandbits(18) << 30
    leaf = (
        output
        | (1 - rare(random, 25)) << 10
        | (1 - rare(random, 8)) << 6
        | rare(random, 30) << 7
        | rare(random, 50) << 51
        | limits
    )
    return leaf | (3 if level == 3 and not rare(random, 3) else 1)


def answer_of_the_model(given: Vector) -> tuple[Outcome, dict[int, int]]:
    """The same question to `hw.smmuv3`, and what stands in memory afterwards."""
    memory = Memory(FRAMES)
    for address, word in given.words.items():
        memory.write(PhysAddr(address), word)
    outcome = _ask(given, memory)
    return outcome, {address: memory.read(PhysAddr(address)) for address in given.words}


def _ask(given: Vector, memory: Memory) -> Outcome:
    """One request to an SMMU that has cached nothing."""
    registers, ask = given.registers, given.ask
    smmu = Smmu(
        registers=Mmio(PhysAddr(0)),
        stream_table=PhysAddr(registers.stream_table),
        streams=registers.streams,
        stall_model=StallModel(registers.stall_model),
        walks=Walks(output_bits=registers.output_bits, had=registers.hierarchical_disable, httu=Httu(registers.httu)),
        enabled=registers.enabled,
        atschk=registers.ats_check,
        record_config_errors_of_ats=registers.record_ats,
        record_bad_streams=registers.record_sid,
    )
    bus, sid = StubBus(memory), StreamId(ask.sid)
    pasid = NO_PASID if ask.ssid is None else Pasid(ask.ssid)
    if ask.kind is Kind.REQUEST:
        request = TranslationRequest(sid=sid, pasid=pasid, address=VirtAddr(ask.address), write=ask.write, tag=0)
        return _completion(drive(translate_request(bus, smmu, request)))
    if ask.kind is Kind.TRANSLATED:
        where = PhysAddr(ask.address)
        access = drive(translated_access(bus, smmu, sid=sid, pasid=pasid, address=where, write=True))
    else:
        write = ask.kind is Kind.WRITE
        access = drive(untranslated_access(bus, smmu, sid=sid, pasid=pasid, address=VirtAddr(ask.address), write=write))
    return _end(access)


def _completion(answer: object) -> Outcome:
    completion, event = answer.completion, answer.event  # type: ignore[attr-defined]  # what `drive` returns is untyped
    number = event.id if event else 0
    if completion.status is not CompletionStatus.SUCCESS:
        return Outcome(End.UR if completion.status is CompletionStatus.UR else End.CA, event=number)
    if not completion.read:
        return Outcome(End.HOLE, event=number)
    return Outcome(End.GRANT, completion.page, completion.read, completion.write, number)


def _end(answer: object) -> Outcome:
    disposition, event = answer.disposition, answer.event  # type: ignore[attr-defined]
    page = answer.address & ~PAGE  # type: ignore[attr-defined]
    return Outcome(ENDS[disposition], page=page, event=event.id if event else 0)


assert FRAMES * FRAME_BYTES < NOWHERE
