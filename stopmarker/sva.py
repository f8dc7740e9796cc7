"""Shared virtual addressing in the kernel, whichever the IOMMU: bind and unbind, faults, notifiers, exit, resets.

Flows come from `drivers.kernel`, threads that follow them from `actors.threads`, what is told of them from
`drivers.events`. A name in capitals is a table of variants, such as `UNBIND_VARIANTS`: from the words that `-p` takes
to classes, each of which overrides one step of the flow. `DriverCpu` is what a flow needs of the cpu that it runs on.
"""

from actors.threads.binder import add_binder
from actors.threads.config_space import ConfigSpace
from actors.threads.exit_orders import ORDERS as EXIT_ORDERS
from actors.threads.exit_orders import add_exit
from actors.threads.fault_worker import add_fault_worker
from actors.threads.mmu_notifier import add_mmu_notifier
from actors.threads.page_thief import add_page_thief
from actors.threads.pri_thread import add_pri_thread
from actors.threads.process_exit import add_process
from actors.threads.reclaim import add_reclaim
from drivers.cpu import Cpu as DriverCpu
from drivers.events.binding import BindReturned
from drivers.events.faults import ReleaseReturned
from drivers.kernel.blocking import BLOCKS, TEARDOWNS, Blocking
from drivers.kernel.endpoint import FLUSHED, REPORT, Endpoint
from drivers.kernel.faults.iopf import FINDERS as FAULT_FINDERS
from drivers.kernel.faults.iopf import Iopf
from drivers.kernel.faults.iopf_objects import DISCARD
from drivers.kernel.faults.mutants import AnswersGroupZero, AnswersMarkers, LosesResponses
from drivers.kernel.faults.page_requests import Intake, Responder
from drivers.kernel.function_reset import ORDERS as RESET_ORDERS
from drivers.kernel.function_reset import AtsGate, LeavesAtsOn
from drivers.kernel.helped_halt import HALTS
from drivers.kernel.idxd import STOPS as IDXD_STOPS
from drivers.kernel.idxd import Idxd, WqRegisters
from drivers.kernel.memory.gather import EXITS as MM_EXITS
from drivers.kernel.memory.kernel_tables import STAGES as KERNEL_TABLE_STAGES
from drivers.kernel.memory.mm import Mm
from drivers.kernel.memory.pasid import Bond, Pasids, begin_teardown
from drivers.kernel.notifier_ranges import RANGES
from drivers.kernel.pasid_lifetime import LIFETIMES, Lifetime, WalkedLifetime
from drivers.kernel.removal import REMOVALS
from drivers.kernel.second_pasid import DRAINS as SECOND_PASID_DRAINS
from drivers.kernel.second_pasid import StopPriThenOn
from drivers.kernel.sva import FLAG_READERS, Sva
from drivers.kernel.sva import VARIANTS as UNBIND_VARIANTS
from drivers.kernel.wq_reset import WQ_ORDERS

__all__ = [
    "BLOCKS",
    "DISCARD",
    "EXIT_ORDERS",
    "FAULT_FINDERS",
    "FLAG_READERS",
    "FLUSHED",
    "HALTS",
    "IDXD_STOPS",
    "KERNEL_TABLE_STAGES",
    "LIFETIMES",
    "MM_EXITS",
    "RANGES",
    "REMOVALS",
    "REPORT",
    "RESET_ORDERS",
    "SECOND_PASID_DRAINS",
    "TEARDOWNS",
    "UNBIND_VARIANTS",
    "WQ_ORDERS",
    "AnswersGroupZero",
    "AnswersMarkers",
    "AtsGate",
    "BindReturned",
    "Blocking",
    "Bond",
    "ConfigSpace",
    "DriverCpu",
    "Endpoint",
    "Idxd",
    "Intake",
    "Iopf",
    "LeavesAtsOn",
    "Lifetime",
    "LosesResponses",
    "Mm",
    "Pasids",
    "ReleaseReturned",
    "Responder",
    "StopPriThenOn",
    "Sva",
    "WalkedLifetime",
    "WqRegisters",
    "add_binder",
    "add_exit",
    "add_fault_worker",
    "add_mmu_notifier",
    "add_page_thief",
    "add_pri_thread",
    "add_process",
    "add_reclaim",
    "begin_teardown",
]
