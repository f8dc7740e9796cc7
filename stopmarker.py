"""The public face: what a scenario of your own needs, and nothing else.

    from stopmarker import Cpu, World, scenario

    @scenario()
    def my_race(world: World) -> None: ...

Run it with `stopmarker fuzz ./my_race.py::my_race`. Properties are `world.always`, `world.eventually` and
`world.sometimes`, or oracles of your own for `world.check`; what is good to have seen, but need not be, is a
`world.goal` (`InOrder`). `platform` and the `add_…` functions give the library's actors; `c_module` makes functions of
C files actors.

`plan_update` needs no world: it says what Linux's entry writer stores, and where it invalidates and waits, to turn one
STE or CD (`abort_ste`, `cdtable_ste`, `sva_cd`, …, or `ste.encode` and `cd.encode` by field) into another.
"""

from actors.binder import add_binder
from actors.c.module import c_module
from actors.device import STYLES, Device
from actors.fault_worker import add_fault_worker
from actors.mmu_notifier import add_mmu_notifier
from actors.pri_thread import add_pri_thread
from actors.process_exit import add_process
from actors.reclaim import add_reclaim
from actors.runtime.events import Note, Oracle, Violation, Witness
from actors.runtime.goals import InOrder, Part
from actors.runtime.ports import Link, Port, Workqueue
from actors.runtime.sync import Interrupt, Lock, RwLock, SpinLock
from actors.runtime.world import Cpu, World
from actors.smmu import SmmuUnits
from drivers.entry_writer import CD, STE, Entry, Store, Wait, plan_update
from hw.memory import FrameAllocator, Memory
from hw.smmuv3 import cd, ste
from hw.smmuv3.cd import empty_cd, paging_cd, quiet_cd, sva_cd
from hw.smmuv3.ste import abort_ste, bypass_ste, cdtable_ste, stage2_ste
from scenarios.board import Platform
from scenarios.platform import platform
from scenarios.scenario import Expected, Param, Scenario, number, one_of, scenario

__all__ = [
    "CD",
    "STE",
    "STYLES",
    "Cpu",
    "Device",
    "Entry",
    "Expected",
    "FrameAllocator",
    "InOrder",
    "Interrupt",
    "Link",
    "Lock",
    "Memory",
    "Note",
    "Oracle",
    "Param",
    "Part",
    "Platform",
    "Port",
    "RwLock",
    "Scenario",
    "SmmuUnits",
    "SpinLock",
    "Store",
    "Violation",
    "Wait",
    "Witness",
    "Workqueue",
    "World",
    "abort_ste",
    "add_binder",
    "add_fault_worker",
    "add_mmu_notifier",
    "add_pri_thread",
    "add_process",
    "add_reclaim",
    "bypass_ste",
    "c_module",
    "cd",
    "cdtable_ste",
    "empty_cd",
    "number",
    "one_of",
    "paging_cd",
    "plan_update",
    "platform",
    "quiet_cd",
    "scenario",
    "stage2_ste",
    "ste",
    "sva_cd",
]
