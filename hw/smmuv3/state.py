"""What an SMMU remembers between steps: cached STEs, CDs and first-level descriptors, the TLB, and the transactions in
flight that a CMD_SYNC must wait for (smmuv3 §1.3 to §1.5)."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Flag, auto

from hw.bus import PAGE_SHIFT, Asid, Pasid, PhysAddr, Resource, StreamId, VirtAddr, Vmid
from hw.smmuv3.cd import PLAIN_WALKS, Cd, StallModel, Walks
from hw.smmuv3.commands import CFGI_ALL_RANGE, Command, Opcode
from hw.smmuv3.evtq import EventId
from hw.smmuv3.level1 import CdTableFormat, StreamLeaf
from hw.smmuv3.registers import Registers
from hw.smmuv3.ste import Features, Ste
from hw.smmuv3.tlb import StreamWorld, Tlb


class Structure(Flag):
    """What lies on the way to a CD."""

    NONE = 0
    L1STD = auto()
    STE = auto()
    L1CD = auto()
    CD = auto()


IN_FLIGHT: Resource = ("SMMU", "in flight")
"""What a CMD_SYNC reads to learn whether a transaction still uses old contents; the step that
ends a transaction writes it."""
L1STDS: Resource = ("CFG", "L1STD")
"""The cached first level of a two-level stream table, which streams share."""

_ONLY_VMID = Vmid(0)
_TLBI = tuple(opcode for opcode in Opcode if opcode.name.startswith("TLBI_"))
_BY_ASID = (Opcode.TLBI_NH_ASID, Opcode.TLBI_NH_VA, Opcode.TLBI_EL2_ASID, Opcode.TLBI_EL2_VA)
_BY_PAGE = (Opcode.TLBI_NH_VA, Opcode.TLBI_NH_VAA, Opcode.TLBI_EL2_VA)
_EL2 = (Opcode.TLBI_EL2_ALL, Opcode.TLBI_EL2_ASID, Opcode.TLBI_EL2_VA)

_BEHIND_STE = Structure.STE | Structure.L1CD | Structure.CD
Level1Key = tuple[StreamId, CdTableFormat, int]
"""An L1CD: whose, and which range of SSIDs it covers."""


@dataclass(slots=True, kw_only=True, eq=False)
class Transaction:
    """One access or Translation Request inside the SMMU; compared by identity."""

    sid: StreamId
    ssid: Pasid | None
    address: VirtAddr
    write: bool
    ats: bool
    ordinal: int = 0
    """Which one of its agent's it is: a name for whoever waits for its end."""
    context: Pasid | None = None
    """The CD it uses, once that is known."""
    level1: Level1Key | None = None
    """The L1CD that it looked at, if it did."""
    l1std: int | None = None
    """The L1STD that it looked at, if it did."""
    asid: Asid | None = None
    """The ASID it uses, once that is known."""
    world: StreamWorld = StreamWorld.NS_EL1
    """And its StreamWorld, then."""
    outdated: Structure = Structure.NONE
    """What a CFGI named after it had looked there: it must not fill that cache."""
    stale_translation: bool = False
    """A TLBI came after it looked at the TLB: it must not fill the TLB."""


@dataclass(slots=True, kw_only=True)
class Smmu:
    """Plain data; whoever changes it has named ("CFG", sid) or ("TLB", asid) in the step that does so."""

    registers: Registers
    stream_table: PhysAddr
    streams: int
    """How many StreamIDs the stream table covers."""
    split: int = 0
    """STRTAB_BASE_CFG.SPLIT of a two-level stream table, 0 for a linear one."""
    tlb: Tlb = field(default_factory=Tlb)
    vmid: Vmid = _ONLY_VMID
    stall_model: StallModel = StallModel.STALL_AND_TERMINATE
    two_level_cds: bool = True
    hyp: bool = False
    """Whether STE.STRW means anything."""
    walks: Walks = PLAIN_WALKS
    enabled: bool = True
    """CR0.SMMUEN; without it addresses pass as they are."""
    atschk: bool = False
    """CR0.ATSCHK: whether translated traffic is checked against STE.EATS."""
    record_config_errors_of_ats: bool = False
    """CR2.REC_CFG_ATS: whether errors of configuration and walks are recorded for ATS, too."""
    record_bad_streams: bool = True
    """CR2.RECINVSID: whether C_BAD_STREAMID is recorded; Linux sets it."""
    report_fetches: bool = False
    """Whether fetches are events: only worlds whose oracles look at them pay for that."""
    l1stds: dict[int, StreamLeaf | EventId] = field(default_factory=dict)
    stes: dict[StreamId, Ste | EventId] = field(default_factory=dict)
    l1cds: dict[Level1Key, PhysAddr | EventId] = field(default_factory=dict)
    cds: dict[tuple[StreamId, Pasid], Cd | EventId] = field(default_factory=dict)
    """Invalid entries are cached like valid ones: the architecture allows both."""
    expected_asid: dict[tuple[StreamId, Pasid | None], Asid] = field(default_factory=dict)
    """The ASID that a stream used last. It only chooses which TLB resource the next look-up names beforehand, so it
    belongs to the one actor that translates for the stream and is no hardware state."""
    in_flight: list[Transaction] = field(default_factory=list)

    @property
    def features(self) -> Features:
        """What of an STE it can do."""
        return Features(stall_model=self.stall_model, two_level_cds=self.two_level_cds, hyp=self.hyp)

    def begin(self, transaction: Transaction) -> None:
        """From here invalidations mark the transaction."""
        if transaction not in self.in_flight:
            self.in_flight.append(transaction)

    def finish(self, transaction: Transaction) -> None:
        """The transaction is globally visible; called in the step that makes it so."""
        if transaction in self.in_flight:
            self.in_flight.remove(transaction)

    @property
    def stragglers(self) -> tuple[Transaction, ...]:
        """Transactions that use what an invalidation removed: no CMD_SYNC completes while there is one."""
        return tuple(each for each in self.in_flight if each.outdated or each.stale_translation)


def config_resource(sid: StreamId) -> Resource:
    """What a step names that looks up, fills or invalidates cached configuration of a stream."""
    return ("CFG", sid)


def context_resource(sid: StreamId) -> Resource:
    """What decides whether a CFGI_CD finds that a transaction of a stream has come to its CD."""
    return ("CFG", sid, "CD")


def resources_of(command: Command, streams: int = 1) -> tuple[Resource, ...]:
    """What `apply` will write, in a stream table of so many STEs; what only sends or waits writes nothing here."""
    match command.opcode:
        case Opcode.CFGI_STE if not command.leaf:
            return (config_resource(command.sid), L1STDS)
        case Opcode.CFGI_STE:
            return (config_resource(command.sid),)
        case Opcode.CFGI_CD | Opcode.CFGI_CD_ALL:
            return (config_resource(command.sid), context_resource(command.sid))
        case Opcode.CFGI_STE_RANGE:
            named = [config_resource(StreamId(sid)) for sid in range(streams) if _in_range(command, StreamId(sid))]
            return (*named, L1STDS)
        case opcode if opcode in _BY_ASID:
            return (Tlb.resource(command.asid),)
        case opcode if opcode in _TLBI:
            return Tlb.resources()
        case _:
            return ()


def affects(command: Command, transaction: Transaction, smmu: Smmu) -> bool:
    """Whether a transaction, as far as it has come, may have used what the command invalidates."""
    if command.opcode in _TLBI:
        return transaction.asid is not None and _drops(command, transaction, smmu)
    return bool(outdates(command, transaction, smmu))


def outdates(command: Command, transaction: Transaction, smmu: Smmu) -> Structure:
    """The structures that a CFGI invalidates and that a transaction may have looked at before."""
    match command.opcode:
        case Opcode.CFGI_STE_RANGE if _in_range(command, transaction.sid):
            return Structure.L1STD | _BEHIND_STE
        case Opcode.CFGI_STE if transaction.sid == command.sid:
            return _BEHIND_STE if command.leaf else Structure.L1STD | _BEHIND_STE
        case Opcode.CFGI_STE if not command.leaf and smmu.split and transaction.l1std == command.sid >> smmu.split:
            return Structure.L1STD
        case Opcode.CFGI_CD_ALL if transaction.sid == command.sid and transaction.context is not None:
            return Structure.L1CD | Structure.CD
        case Opcode.CFGI_CD if transaction.sid == command.sid:
            reached = Structure.CD if transaction.context == command.ssid else Structure.NONE
            through = not command.leaf and transaction.level1 is not None and _covers(transaction.level1, command)
            return reached | (Structure.L1CD if through else Structure.NONE)
        case _:
            return Structure.NONE


def _covers(level1: Level1Key, command: Command) -> bool:
    """Whether an L1CD is on the way to the CD that a CFGI_CD names."""
    sid, form, number = level1
    return sid == command.sid and number == command.ssid >> form.bits


def _in_range(command: Command, sid: StreamId) -> bool:
    """Whether a CFGI_STE_RANGE covers a stream."""
    count = 1 << (command.range + 1)
    return command.range == CFGI_ALL_RANGE or command.sid & -count == sid & -count


def _drops(command: Command, transaction: Transaction, smmu: Smmu) -> bool:
    """Whether a TLBI covers the page and the tags of a transaction."""
    opcode = command.opcode
    if opcode is Opcode.TLBI_NSNH_ALL:
        return transaction.world is StreamWorld.NS_EL1
    if opcode is Opcode.TLBI_S2_IPA:
        return False
    same_asid = transaction.asid == command.asid or opcode not in _BY_ASID
    same_page = transaction.address >> PAGE_SHIFT == command.address >> PAGE_SHIFT or opcode not in _BY_PAGE
    if opcode in _EL2:
        return transaction.world is StreamWorld.EL2_E2H and same_asid and same_page
    return transaction.world is StreamWorld.NS_EL1 and command.vmid == smmu.vmid and same_asid and same_page


def apply(command: Command, smmu: Smmu) -> None:
    """Drop what the command invalidates, and mark the transactions that have already used it."""
    for each in smmu.in_flight:
        each.outdated |= outdates(command, each, smmu)
        if command.opcode in _TLBI and affects(command, each, smmu):
            each.stale_translation = True
    sid = command.sid
    match command.opcode:
        case Opcode.CFGI_STE:
            _forget_streams(smmu, sid, 1)
            if not command.leaf and smmu.split:
                smmu.l1stds.pop(sid >> smmu.split, None)
        case Opcode.CFGI_STE_RANGE if command.range == CFGI_ALL_RANGE:
            _forget_streams(smmu, StreamId(0), smmu.streams)
            smmu.l1stds.clear()
        case Opcode.CFGI_STE_RANGE:
            count = 1 << (command.range + 1)
            first = StreamId(sid & -count)
            _forget_streams(smmu, first, count)
            if smmu.split:
                numbers = range(first >> smmu.split, ((first + count - 1) >> smmu.split) + 1)
                smmu.l1stds = {number: leaf for number, leaf in smmu.l1stds.items() if number not in numbers}
        case Opcode.CFGI_CD:
            smmu.cds.pop((sid, command.ssid), None)
            if not command.leaf:
                smmu.l1cds = {key: leaf for key, leaf in smmu.l1cds.items() if not _covers(key, command)}
        case Opcode.CFGI_CD_ALL:
            _forget_contexts(smmu, sid, 1)
        case opcode if opcode in _TLBI:
            _invalidate_tlb(command, smmu)
        case _:
            pass


def _forget_streams(smmu: Smmu, first: StreamId, count: int) -> None:
    """Drop STEs and everything cached through them."""
    smmu.stes = {sid: ste for sid, ste in smmu.stes.items() if not first <= sid < first + count}
    _forget_contexts(smmu, first, count)


def _forget_contexts(smmu: Smmu, first: StreamId, count: int) -> None:
    """Drop all CDs and L1CDs of some streams."""
    smmu.cds = {key: cd for key, cd in smmu.cds.items() if not first <= key[0] < first + count}
    smmu.l1cds = {key: leaf for key, leaf in smmu.l1cds.items() if not first <= key[0] < first + count}


def _invalidate_tlb(command: Command, smmu: Smmu) -> None:
    """Drop TLB entries by what the opcode names; this TLB holds no IPA that TLBI_S2_IPA could find."""
    tlb, opcode = smmu.tlb, command.opcode
    if opcode is Opcode.TLBI_NSNH_ALL:
        tlb.invalidate_all(world=StreamWorld.NS_EL1)
        return
    world = StreamWorld.EL2_E2H if opcode in _EL2 else StreamWorld.NS_EL1
    vmid = smmu.vmid if opcode in _EL2 else command.vmid
    match opcode:
        case Opcode.TLBI_NH_ASID | Opcode.TLBI_EL2_ASID:
            tlb.invalidate_asid(command.asid, vmid, world)
        case Opcode.TLBI_NH_VA | Opcode.TLBI_EL2_VA:
            tlb.invalidate_va(command.asid, vmid, command.address, world)
        case Opcode.TLBI_NH_VAA:
            tlb.invalidate_va_all_asid(vmid, command.address, world)
        case Opcode.TLBI_NH_ALL | Opcode.TLBI_S12_VMALL | Opcode.TLBI_EL2_ALL:
            tlb.invalidate_all(vmid, world)
        case _:
            pass
