"""The public face: what a scenario of your own needs, and nothing else.

    from stopmarker import Cpu, World, scenario

    @scenario()
    def my_race(world: World) -> None: ...

Run it with `stopmarker fuzz ./my_race.py::my_race`. Properties are `world.always`, `world.eventually` and
`world.sometimes`, or oracles of your own for `world.check`; `platform` and the `add_…` functions give the library's
actors.
"""

from actors.binder import add_binder
from actors.device import STYLES, Device
from actors.fault_worker import add_fault_worker
from actors.mmu_notifier import add_mmu_notifier
from actors.pri_thread import add_pri_thread
from actors.process_exit import add_process
from actors.reclaim import add_reclaim
from actors.runtime.events import Note, Oracle, Violation, Witness
from actors.runtime.ports import Link, Port, Workqueue
from actors.runtime.sync import Interrupt, Lock, RwLock, SpinLock
from actors.runtime.world import Cpu, World
from actors.smmu import SmmuUnits
from hw.memory import FrameAllocator, Memory
from scenarios.platform import Platform, platform
from scenarios.scenario import Expected, Param, Scenario, number, one_of, scenario

__all__ = [
    "STYLES",
    "Cpu",
    "Device",
    "Expected",
    "FrameAllocator",
    "Interrupt",
    "Link",
    "Lock",
    "Memory",
    "Note",
    "Oracle",
    "Param",
    "Platform",
    "Port",
    "RwLock",
    "Scenario",
    "SmmuUnits",
    "SpinLock",
    "Violation",
    "Witness",
    "Workqueue",
    "World",
    "add_binder",
    "add_fault_worker",
    "add_mmu_notifier",
    "add_pri_thread",
    "add_process",
    "add_reclaim",
    "number",
    "one_of",
    "platform",
    "scenario",
]
