"""Random VT-d worlds: what is in memory and one request; and what the model makes of it."""

from __future__ import annotations

from dataclasses import dataclass
from random import Random
from typing import Any

from hw.bus import Pasid, PhysAddr, Prgi, StreamId, VirtAddr
from hw.memory import Memory
from hw.pcie.tlp import NO_PASID, CompletionStatus, PageRequest, TranslationRequest
from hw.vtd.registers import Registers
from hw.vtd.state import Vtd
from hw.vtd.translate import page_request, translate_request, translated_access, untranslated_access
from tests.hw.conftest import StubBus, drive
from tests.reference.random_smmuv3 import rare
from tests.reference.smmuv3 import PAGE
from tests.reference.vtd import Ask, End, Kind, Outcome, Unit

FRAMES = 40
CONTEXTS, DIRECTORY, TABLE, LEVELS = 0x1000, 0x2000, 0x3000, (0x4000, 0x5000, 0x6000, 0x7000)
NOWHERE = 0x5_0000
"""A frame that no memory answers for."""
_KINDS = (Kind.WRITE, Kind.WRITE, Kind.READ, Kind.READ, Kind.REQUEST, Kind.REQUEST, Kind.TRANSLATED, Kind.PAGE_REQUEST)


@dataclass(frozen=True)
class Vector:
    """One question, for both readings."""

    words: dict[int, int]
    unit: Unit
    ask: Ask


def vector(random: Random) -> Vector:
    """Mostly what works, with a few per cent of everything that does not."""
    words: dict[int, int] = {}
    sid = random.choice((0, 1))
    pasid = random.choice((None, 0, 1, 1, 2, 65, 1 << 13, (1 << 20) - 1) if rare(random, 30) else (1,))
    address = _address(random)
    used = random.getrandbits(6) if pasid is None else pasid
    words[CONTEXTS + 32 * sid], words[CONTEXTS + 32 * sid + 8] = _context(random, used)
    words[DIRECTORY + 8 * (used >> 6)] = _directory(random)
    words.update(_entry(random, TABLE + 64 * (used & 63)))
    for level, table in enumerate(LEVELS):
        words[table + 8 * (address >> 39 - 9 * level & 0x1FF)] = _page_entry(random, level)
    unit = Unit(NOWHERE if rare(random, 2) else CONTEXTS)
    kind = random.choice(_KINDS)
    write = kind is Kind.WRITE or (kind is Kind.REQUEST and bool(rare(random, 50)))
    return Vector(words, unit, Ask(kind, sid, pasid, address, write))


def _address(random: Random) -> int:
    address = random.getrandbits(47)
    if rare(random, 15):
        address |= 0xFFFF_8000_0000_0000
    if rare(random, 4):
        address ^= 1 << random.choice((47, 50, 63))
    return address & ~7


def _context(random: Random, pasid: int) -> tuple[int, int]:
    low = (1 - rare(random, 4)) | rare(random, 15) << 1 | (1 - rare(random, 8)) << 2 | (1 - rare(random, 4)) << 3
    low |= (1 - rare(random, 15)) << 4 | rare(random, 2) << random.choice((5, 6, 7, 8))
    low |= random.choice((0, 0, 7)) << 9 | (NOWHERE if rare(random, 4) else DIRECTORY)
    return low, pasid | rare(random, 2) << random.choice((21, 40, 63))


def _directory(random: Random) -> int:
    word = (1 - rare(random, 4)) | rare(random, 15) << 1 | rare(random, 2) << random.choice((2, 6, 11))
    return word | (NOWHERE if rare(random, 4) else TABLE)


def _entry(random: Random, at: int) -> dict[int, int]:
    low = (1 - rare(random, 6)) | rare(random, 15) << 1 | rare(random, 2) << random.choice((10, 11))
    low |= random.choice((1, 1, 1, 1, 1, 1, 1, 4, 0, 7)) << 6
    table = NOWHERE if rare(random, 4) else LEVELS[0]
    return {at: low, at + 8: random.getrandbits(16), at + 16: table | 1 << 5}


def _page_entry(random: Random, level: int) -> int:
    """A table or a page; or nothing of the kind."""
    rights = (
        (1 - rare(random, 4)) | (1 - rare(random, 8)) << 1 | (1 - rare(random, 8)) << 2 | random.getrandbits(2) << 5
    )
    rights |= rare(random, 2) << random.choice((48, 51)) | random.getrandbits(1) << 63 | random.getrandbits(3) << 9
    output = random.getrandbits(36) << 12 if rare(random, 10) else random.randrange(FRAMES) << 12
    if level < 3 and rare(random, 8):
        aligned = 0 if rare(random, 20) else (1 << 39 - 9 * level) - 1 & ~0x1FFF
        return rights | 1 << 7 | (random.getrandbits(36) << 12) & ~aligned
    return rights | (output if level == 3 or rare(random, 8) else LEVELS[level + 1])


def answer_of_the_model(given: Vector) -> tuple[Outcome, dict[int, int]]:
    """The same question to `hw.vtd`, and what stands in memory afterwards."""
    memory = Memory(FRAMES)
    for address, word in given.words.items():
        memory.write(PhysAddr(address), word)
    outcome = _ask(given, memory)
    return outcome, {address: memory.read(PhysAddr(address)) for address in given.words}


def _ask(given: Vector, memory: Memory) -> Outcome:
    """One request to a unit that has cached nothing."""
    ask = given.ask
    unit = Vtd(registers=Registers(PhysAddr(0)), context_table=PhysAddr(given.unit.contexts), contexts=4)
    bus, sid, address = StubBus(memory), StreamId(ask.sid), VirtAddr(ask.address)
    pasid = NO_PASID if ask.pasid is None else Pasid(ask.pasid)
    if ask.kind is Kind.REQUEST:
        request = TranslationRequest(sid=sid, pasid=pasid, address=address, write=ask.write, tag=0)
        return _completion(drive(translate_request(bus, unit, request)))
    if ask.kind is Kind.PAGE_REQUEST:
        ppr = PageRequest(sid=sid, pasid=pasid, address=address, read=True, write=True, last=True, prgi=Prgi(0))
        told = drive(page_request(bus, unit, ppr))
        return Outcome(End.QUEUED if told.refusal is None else End.REFUSED, reason=_reason(told))
    if ask.kind is Kind.TRANSLATED:
        access = drive(translated_access(bus, unit, sid=sid, pasid=pasid, address=PhysAddr(ask.address), write=True))
    else:
        write = ask.kind is Kind.WRITE
        access = drive(untranslated_access(bus, unit, sid=sid, pasid=pasid, address=address, write=write))
    if access.address is None:
        return Outcome(End.BLOCKED, reason=_reason(access))
    return Outcome(End.DONE, page=access.address & ~PAGE, write=_writable(access))


def _writable(access: Any) -> bool:
    return access.found is not None and access.found.entry.writable


def _reason(answer: Any) -> int:
    return answer.record.reason if answer.record is not None else 0


def _completion(answer: Any) -> Outcome:
    completion = answer.completion
    if completion.status is not CompletionStatus.SUCCESS:
        return Outcome(End.REFUSED, reason=_reason(answer))
    if not completion.read:
        return Outcome(End.HOLE, reason=_reason(answer))
    return Outcome(End.GRANT, completion.page, completion.write, _reason(answer))
