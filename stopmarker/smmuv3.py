"""SMMUv3: its tables, commands, queues and records, what its units do, and how Linux drives it.

What silicon is comes from `hw.smmuv3` (IHI 0070), flows of the driver from `drivers.smmuv3`, units from
`actors.iommus.smmuv3`. A name in capitals that ends in the name of a choice, such as `ENTRY_WRITERS`, is a table: from
the words that `-p` takes to the variants, each of which overrides one step. Entries by field are `ste` and `cd`.
"""

from actors.iommus.smmuv3.attach_ats import AtsUnits
from actors.iommus.smmuv3.attach_units import AttachUnits
from actors.iommus.smmuv3.command_units import CommandUnits
from actors.iommus.smmuv3.event_unit import EventUnit, add_faulting_stream
from drivers.smmuv3.asid_pin import PIN as ASID_PIN
from drivers.smmuv3.attach.ats import ORDERS as ATTACH_ORDERS
from drivers.smmuv3.attach.ats import AtcList, unmap_page
from drivers.smmuv3.attach.cd_leaf import INSTALL as LEAF_INSTALL
from drivers.smmuv3.attach.cd_leaf import TABLES as LEAF_TABLES
from drivers.smmuv3.attach.cd_leaf import LeafBind, LeafMaster
from drivers.smmuv3.attach.failing import FAILURES as ATTACH_FAILURES
from drivers.smmuv3.attach.share import SHARING, PrivateAsids, SharedAsids, SvaBind
from drivers.smmuv3.attach.variants import VARIANTS as ATTACH_VARIANTS
from drivers.smmuv3.barriers import (
    CommandsUnordered,
    EntriesReadEarly,
    EntriesReadLate,
    HandsOverUnordered,
    LockFreeCommandsUnordered,
    ValidEarly,
)
from drivers.smmuv3.cmdq import Cmdq
from drivers.smmuv3.cmdq_lock_free import LockFreeCmdq, QueueWords
from drivers.smmuv3.cmdq_variants import ISSUE as CMDQ_ISSUE
from drivers.smmuv3.contexts import StreamContexts
from drivers.smmuv3.entry_writer import CD, STE, Entry, EntryKind, Sync
from drivers.smmuv3.entry_writer import WRITERS as ENTRY_WRITERS
from drivers.smmuv3.evtq import THREADS as EVENT_THREADS
from drivers.smmuv3.evtq import EventQueue
from drivers.smmuv3.priq import PriQueue
from drivers.smmuv3.priq_inspection import InspectedPriQueue
from drivers.smmuv3.quarantine import REACTIONS as QUARANTINE_REACTIONS
from drivers.smmuv3.quarantine import NotesFailures, Quarantines
from drivers.smmuv3.quiet import QUIET as QUIET_CONTEXTS
from drivers.smmuv3.stall_faults import ANSWERS as STALL_ANSWERS
from drivers.smmuv3.stall_shutdown import SHUTDOWNS as STALL_SHUTDOWNS
from drivers.smmuv3.unbind_eras import ERAS as UNBIND_ERAS
from drivers.smmuv3.unbind_eras import Parts as EraParts
from hw.events.faults import stalls_resource
from hw.smmuv3 import cd, commands, ste
from hw.smmuv3.cd import cd_address, empty_cd, paging_cd, quiet_cd, sva_cd
from hw.smmuv3.commands import cfgi_cd, cfgi_ste
from hw.smmuv3.entry import Qwords
from hw.smmuv3.evtq import ENTRY_WORDS as EVTQ_ENTRY_WORDS
from hw.smmuv3.evtq import Evtq
from hw.smmuv3.queues import Ring
from hw.smmuv3.registers import Registers
from hw.smmuv3.state import Smmu
from hw.smmuv3.ste import AtsMode, DefaultSubstream, abort_ste, bypass_ste, cdtable_ste, stage2_ste, ste_address

__all__ = [
    "ASID_PIN",
    "ATTACH_FAILURES",
    "ATTACH_ORDERS",
    "ATTACH_VARIANTS",
    "CD",
    "CMDQ_ISSUE",
    "ENTRY_WRITERS",
    "EVENT_THREADS",
    "EVTQ_ENTRY_WORDS",
    "LEAF_INSTALL",
    "LEAF_TABLES",
    "QUARANTINE_REACTIONS",
    "QUIET_CONTEXTS",
    "SHARING",
    "STALL_ANSWERS",
    "STALL_SHUTDOWNS",
    "STE",
    "UNBIND_ERAS",
    "AtcList",
    "AtsMode",
    "AtsUnits",
    "AttachUnits",
    "Cmdq",
    "CommandUnits",
    "CommandsUnordered",
    "DefaultSubstream",
    "EntriesReadEarly",
    "EntriesReadLate",
    "Entry",
    "EntryKind",
    "EraParts",
    "EventQueue",
    "EventUnit",
    "Evtq",
    "HandsOverUnordered",
    "InspectedPriQueue",
    "LeafBind",
    "LeafMaster",
    "LockFreeCmdq",
    "LockFreeCommandsUnordered",
    "NotesFailures",
    "PriQueue",
    "PrivateAsids",
    "Quarantines",
    "QueueWords",
    "Qwords",
    "Registers",
    "Ring",
    "SharedAsids",
    "Smmu",
    "StreamContexts",
    "SvaBind",
    "Sync",
    "ValidEarly",
    "abort_ste",
    "add_faulting_stream",
    "bypass_ste",
    "cd",
    "cd_address",
    "cdtable_ste",
    "cfgi_cd",
    "cfgi_ste",
    "commands",
    "empty_cd",
    "paging_cd",
    "quiet_cd",
    "stage2_ste",
    "stalls_resource",
    "ste",
    "ste_address",
    "sva_cd",
    "unmap_page",
]
