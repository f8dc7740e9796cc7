"""What an SMMU remembers between steps: cached STEs and CDs, the TLB, and the transactions in flight that a CMD_SYNC
must wait for (smmuv3.md sections 1.3 to 1.5)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from hw.bus import Asid, Pasid, PhysAddr, Resource, StreamId, VirtAddr, Vmid
from hw.smmuv3 import cd as cd_module
from hw.smmuv3 import ste as ste_module
from hw.smmuv3.cd import Cd, StallModel
from hw.smmuv3.commands import CFGI_ALL_RANGE, Command, Opcode
from hw.smmuv3.evtq import EventId
from hw.smmuv3.registers import Registers
from hw.smmuv3.ste import Ste
from hw.tlb import PAGE_SHIFT, Tlb

IN_FLIGHT: Resource = ("SMMU", "in flight")
"""What a CMD_SYNC reads to learn whether a transaction still uses old contents; the step that
ends a transaction writes it."""

_ONLY_VMID = Vmid(0)
_CONFIGURATION = (Opcode.CFGI_STE, Opcode.CFGI_STE_RANGE, Opcode.CFGI_CD, Opcode.CFGI_CD_ALL)


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
    asid: Asid | None = None
    """The ASID it uses, once that is known."""
    stale_config: bool = False
    """A CFGI came after it looked at the configuration: it must not fill the configuration cache."""
    stale_translation: bool = False
    """A TLBI came after it looked at the TLB: it must not fill the TLB."""


@dataclass(slots=True, kw_only=True)
class Smmu:
    """Plain data; whoever changes it has named ("CFG", sid) or ("TLB", asid) in the step that does so."""

    registers: Registers
    stream_table: PhysAddr
    streams: int
    """How many STEs the linear stream table has."""
    tlb: Tlb = field(default_factory=Tlb)
    vmid: Vmid = _ONLY_VMID
    stall_model: StallModel = StallModel.STALL_AND_TERMINATE
    record_config_errors_of_ats: bool = False
    """Whether configuration errors of Translation Requests are recorded too."""
    ste_order: Sequence[int] = ste_module.FETCHED
    cd_order: Sequence[int] = cd_module.FETCHED
    any_order: bool = False
    """Whether the words of an entry come in any order, as hardware chooses, or in the order given above."""
    report_fetches: bool = False
    """Whether fetches are events: only worlds whose oracles look at them pay for that."""
    stes: dict[StreamId, Ste | EventId] = field(default_factory=dict)
    cds: dict[tuple[StreamId, Pasid], Cd | EventId] = field(default_factory=dict)
    """Invalid entries are cached like valid ones: the architecture allows both."""
    expected_asid: dict[tuple[StreamId, Pasid | None], Asid] = field(default_factory=dict)
    """The ASID that a stream used last. It only chooses which TLB resource the next look-up names beforehand, so it
    belongs to the one actor that translates for the stream and is no hardware state."""
    in_flight: list[Transaction] = field(default_factory=list)

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
        return tuple(each for each in self.in_flight if each.stale_config or each.stale_translation)


def config_resource(sid: StreamId) -> Resource:
    """What a step names that looks up, fills or invalidates cached configuration of a stream."""
    return ("CFG", sid)


def resources_of(command: Command) -> tuple[Resource, ...]:
    """What `apply` will write; commands that only send messages or wait write nothing here."""
    match command.opcode:
        case Opcode.CFGI_STE | Opcode.CFGI_CD | Opcode.CFGI_CD_ALL:
            return (config_resource(command.sid),)
        case Opcode.TLBI_NH_ASID | Opcode.TLBI_NH_VA:
            return (Tlb.resource(command.asid),)
        case Opcode.CFGI_STE_RANGE | Opcode.TLBI_NH_ALL | Opcode.TLBI_NH_VAA | Opcode.TLBI_NSNH_ALL:
            raise ValueError(
                f"{command.opcode.name} touches more than one stream or ASID, which no footprint here can name: "
                "use it while a world is set up, or the CFGI_STE, TLBI_NH_ASID and TLBI_NH_VA forms"
            )
        case _:
            return ()


def affects(command: Command, transaction: Transaction, smmu: Smmu) -> bool:
    """Whether a transaction, as far as it has come, may have used what the command invalidates."""
    match command.opcode:
        case Opcode.CFGI_STE | Opcode.CFGI_CD_ALL:
            return transaction.sid == command.sid
        case Opcode.CFGI_CD:
            return transaction.sid == command.sid and transaction.context in (None, command.ssid)
        case Opcode.CFGI_STE_RANGE:
            count = 1 << (command.range + 1)
            return command.range == CFGI_ALL_RANGE or command.sid & -count == transaction.sid & -count
        case Opcode.TLBI_NSNH_ALL:
            return transaction.asid is not None
        case Opcode.TLBI_NH_ASID | Opcode.TLBI_NH_VA | Opcode.TLBI_NH_VAA | Opcode.TLBI_NH_ALL:
            by_asid = command.opcode in (Opcode.TLBI_NH_ASID, Opcode.TLBI_NH_VA)
            by_page = command.opcode in (Opcode.TLBI_NH_VA, Opcode.TLBI_NH_VAA)
            same_asid = transaction.asid == command.asid or not by_asid
            same_page = transaction.address >> PAGE_SHIFT == command.address >> PAGE_SHIFT or not by_page
            return command.vmid == smmu.vmid and transaction.asid is not None and same_asid and same_page
        case _:
            return False


def apply(command: Command, smmu: Smmu) -> None:
    """Drop what the command invalidates, and mark the transactions that have already used it."""
    for each in smmu.in_flight:
        if affects(command, each, smmu):
            if command.opcode in _CONFIGURATION:
                each.stale_config = True
            else:
                each.stale_translation = True
    sid = command.sid
    match command.opcode:
        case Opcode.CFGI_STE:
            _forget_streams(smmu, sid, 1)
        case Opcode.CFGI_STE_RANGE if command.range == CFGI_ALL_RANGE:
            _forget_streams(smmu, StreamId(0), smmu.streams)
        case Opcode.CFGI_STE_RANGE:
            count = 1 << (command.range + 1)
            _forget_streams(smmu, StreamId(sid & -count), count)
        case Opcode.CFGI_CD:
            smmu.cds.pop((sid, command.ssid), None)
        case Opcode.CFGI_CD_ALL:
            _forget_contexts(smmu, sid, 1)
        case Opcode.TLBI_NH_ASID | Opcode.TLBI_NH_VA | Opcode.TLBI_NH_VAA | Opcode.TLBI_NH_ALL | Opcode.TLBI_NSNH_ALL:
            _invalidate_tlb(command, smmu)
        case _:
            pass


def _forget_streams(smmu: Smmu, first: StreamId, count: int) -> None:
    """Drop STEs and everything cached through them."""
    smmu.stes = {sid: ste for sid, ste in smmu.stes.items() if not first <= sid < first + count}
    _forget_contexts(smmu, first, count)


def _forget_contexts(smmu: Smmu, first: StreamId, count: int) -> None:
    """Drop all CDs of some streams."""
    smmu.cds = {key: cd for key, cd in smmu.cds.items() if not first <= key[0] < first + count}


def _invalidate_tlb(command: Command, smmu: Smmu) -> None:
    """Drop TLB entries by what the opcode names."""
    if command.opcode is not Opcode.TLBI_NSNH_ALL and command.vmid != smmu.vmid:
        return
    match command.opcode:
        case Opcode.TLBI_NH_ASID:
            smmu.tlb.invalidate_asid(command.asid, command.vmid)
        case Opcode.TLBI_NH_VA:
            smmu.tlb.invalidate_va(command.asid, command.vmid, command.address)
        case Opcode.TLBI_NH_VAA:
            smmu.tlb.invalidate_va_all_asid(command.vmid, command.address)
        case Opcode.TLBI_NH_ALL:
            smmu.tlb.invalidate_all(command.vmid)
        case _:
            smmu.tlb.invalidate_all()
