"""A VT-d unit with one function, one PASID directory and two process page tables, driven without any actor."""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Sequence
from typing import Any

from hw.bus import Pasid, PhysAddr, Prgi, StreamId, VirtAddr
from hw.memory import WORD_BYTES, FrameAllocator, Memory, mm_owner
from hw.paging.x86 import PageTables
from hw.pcie.tlp import PageRequest, TranslationRequest
from hw.vtd.context import context_address, context_entry
from hw.vtd.pasid import Qwords, directory_address, directory_entry, entry_address, first_level_entry
from hw.vtd.registers import Registers
from hw.vtd.state import Transaction, Vtd
from hw.vtd.translate import (
    AccessAnswer,
    Answer,
    PageRequestAnswer,
    page_request,
    translate_request,
    translated_access,
    untranslated_access,
)
from tests.hw.conftest import StubBus, drive

SID = StreamId(1)
P1 = Pasid(1)
VA = VirtAddr(0x7000)
PAGE = PhysAddr(0x1F000)
CONTEXTS = PhysAddr(0x1000)
DIRECTORY = PhysAddr(0x2000)
TABLE = PhysAddr(0x3000)
LOOKUP = "context, PASID cache and IOTLB look-up"
PE = ["PASID directory[0]", "PE[1].q0-1", "PE[1].q2"]
CONFIG_FILL = "context and PASID cache fill"
WALK = [f"{name} {VA:#x}" for name in ("PML4E", "PDPE", "PDE", "PTE")]
COLD = [LOOKUP, "context[1]", *PE, CONFIG_FILL, *WALK, "IOTLB fill"]


class World:
    """Everything valid: PASID 1 of function 1 maps VA to PAGE."""

    def __init__(self, **knobs: Any) -> None:
        self.memory = Memory(33)
        self.allocator = FrameAllocator(self.memory, 4, 30)
        self.tables = PageTables(self.memory, self.allocator, mm_owner(0))
        self.tables.map_now(VA, PAGE)
        self.vtd = Vtd(registers=Registers(PhysAddr(0)), context_table=CONTEXTS, contexts=4, **knobs)
        self.bus = StubBus(self.memory)
        self.put(context_address(CONTEXTS, SID), context_entry(directory=DIRECTORY))
        self.memory.write(directory_address(DIRECTORY, P1), directory_entry(TABLE))
        self.put_entry(first_level_entry(flptptr=self.tables.root))

    def put(self, address: PhysAddr, words: Sequence[int]) -> None:
        """Write words at once."""
        for number, word in enumerate(words):
            self.memory.write(PhysAddr(address + number * WORD_BYTES), word)

    def put_entry(self, qwords: Qwords, pasid: Pasid = P1) -> None:
        """Write a PASID entry."""
        self.put(entry_address(TABLE, pasid), qwords)

    def put_context(self, **options: Any) -> None:
        """Write function 1's context."""
        self.put(context_address(CONTEXTS, SID), context_entry(directory=DIRECTORY, **options))

    def access(self, *, write: bool = False, pasid: Pasid = P1, sid: StreamId = SID, va: int = VA + 8) -> AccessAnswer:
        """An untranslated DMA, performed at once."""
        answer: AccessAnswer = self.done(
            untranslated_access(self.bus, self.vtd, sid=sid, pasid=pasid, address=VirtAddr(va), write=write)
        )
        return answer

    def translated(self) -> AccessAnswer:
        """A write to PAGE that the device translated itself, performed at once."""
        access = translated_access(self.bus, self.vtd, sid=SID, pasid=P1, address=PAGE, write=True)
        answer: AccessAnswer = self.done(access)
        return answer

    def request(self, pasid: Pasid = P1, sid: StreamId = SID, va: int = VA) -> Answer:
        """A Translation Request, answered at once."""
        request = TranslationRequest(sid=sid, pasid=pasid, address=VirtAddr(va), write=False, tag=9)
        answer: Answer = self.done(translate_request(self.bus, self.vtd, request))
        return answer

    def page_request(self, pasid: Pasid = P1, sid: StreamId = SID) -> PageRequestAnswer:
        """A page request, checked and taken out of the unit at once."""
        answer: PageRequestAnswer = self.done(page_request(self.bus, self.vtd, ppr(pasid=pasid, sid=sid)))
        return answer

    def done(self, coroutine: Coroutine[Any, Any, Any]) -> Any:
        """Run a request and finish its transaction as the last unit on its way would."""
        self.bus.steps.clear()
        answer = drive(coroutine)
        transaction: Transaction = answer.transaction
        self.vtd.finish(transaction)
        return answer

    def before(self, step: str, act: Callable[[], object]) -> None:
        """Act as another agent ahead of a step."""
        self.bus.before[step] = lambda: (act(), None)[1]


def ppr(prgi: int = 5, *, last: bool = True, read: bool = True, pasid: Pasid = P1, sid: StreamId = SID) -> PageRequest:
    """A page request message."""
    return PageRequest(sid=sid, pasid=pasid, address=VA, read=read, write=False, last=last, prgi=Prgi(prgi))
