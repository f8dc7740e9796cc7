"""STE and CD in memory whose every store is an event, in the step of the store and with the ASIDs it concerns."""

from __future__ import annotations

from drivers.cpu import Cpu
from drivers.events.attach import ContextStored, Names, StreamStored, asid_resource
from hw.bus import Asid, Pasid, PhysAddr, StreamId
from hw.memory import WORD_BYTES, Memory
from hw.smmuv3 import LANE, cd, ste
from hw.smmuv3.cd import cd_address
from hw.smmuv3.entry import Qwords
from hw.smmuv3.ste import StreamConfig, ste_address

from ..entry_writer import CD, STE, Entry, EntryWriter

NO_ASID = Asid(0)


class StreamEntry(Entry):
    """The STE of one stream."""

    def __init__(
        self, memory: Memory, streams: PhysAddr, sid: StreamId, names: Names, writer: EntryWriter | None = None
    ) -> None:
        super().__init__(f"STE({names.stream(sid)})", ste_address(streams, sid), STE, writer)
        self.sid = sid
        self._names = names
        self.concerned: tuple[Asid, ...] = ()
        """The ASIDs in the CD tables that it leads to before and after the change that is being made."""
        self.turned = False
        """Whether it leads elsewhere since the last SYNC; else no ASID is concerned."""
        self._memory = memory

    async def store(self, cpu: Cpu, qword: int, before: Qwords, after: Qwords) -> None:
        """The word, and where the stream leads now."""
        address = PhysAddr(self.address + qword * WORD_BYTES)
        leads = leads_to(before) != leads_to(after)
        touched = [asid_resource(asid) for asid in self.concerned] if leads else []
        await cpu.access(f"store {self.name}.q{qword}", writes=(("word", address), *touched))
        self._memory.write(address, after[qword])
        self.turned = self.turned or leads
        if leads:
            table = leads_to(after)
            text = f"{self.name} = {f'CDs of {self._names.owner(table)}' if table else 'abort'}"
            cpu.emit(StreamStored(target=LANE, sid=self.sid, table=table, asids=self.concerned, text=text))


class ContextEntry(Entry):
    """One CD of the table that belongs to `owner`, a master or a domain."""

    def __init__(
        self,
        memory: Memory,
        table: PhysAddr,
        ssid: Pasid,
        owner: str,
        names: Names,
        writer: EntryWriter | None = None,
    ) -> None:
        super().__init__(f"CD{ssid}({owner})", cd_address(table, ssid), CD, writer)
        self._names = names
        self.table = table
        self.ssid = ssid
        self.hidden = False
        """No STE leads to it, so what it says concerns nobody."""
        self._asids: tuple[Asid, ...] = ()
        self._memory = memory

    @property
    def concerned(self) -> tuple[Asid, ...]:
        """The ASIDs that it has in memory, and that caches may still hold of it."""
        return () if self.hidden else self._asids

    def begin(self, current: Qwords, target: Qwords) -> None:
        """Until the last SYNC old and new ASID are both concerned."""
        self._asids = tuple(sorted({says(words)[0] for words in (current, target)} - {NO_ASID}))

    async def store(self, cpu: Cpu, qword: int, before: Qwords, after: Qwords) -> None:
        """The word, and what the CD says now."""
        address = PhysAddr(self.address + qword * WORD_BYTES)
        speaks = says(before) != says(after)
        touched = [asid_resource(asid) for asid in self.concerned] if speaks else []
        await cpu.access(f"store {self.name}.q{qword}", writes=(("word", address), *touched))
        self._memory.write(address, after[qword])
        if speaks:
            asid, ttb = says(after)
            text = f"{self.name} = {{ASID {asid}, {self._names.owner(ttb)}}}" if asid else f"{self.name}.V = 0"
            cpu.emit(
                ContextStored(
                    target=LANE, table=self.table, ssid=self.ssid, asid=asid, ttb=ttb, asids=self.concerned, text=text
                )
            )


def leads_to(words: Qwords) -> PhysAddr:
    """The CD table that an STE gives the SMMU, 0 for none."""
    if not ste.V.get(words[0]) or ste.Config.get(words[0]) != StreamConfig.STAGE1:
        return PhysAddr(0)
    return PhysAddr(words[0] & ste.S1ContextPtr.mask)


def says(words: Qwords) -> tuple[Asid, PhysAddr]:
    """ASID and table of a CD; zeros if it is not valid."""
    if not cd.V.get(words[0]):
        return Asid(0), PhysAddr(0)
    return Asid(cd.ASID.get(words[0])), PhysAddr(words[1] & cd.TTB0.mask)
