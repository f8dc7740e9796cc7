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

Every name can be imported from here; `stopmarker.worlds`, `stopmarker.library` and `stopmarker.entries` hold them by
subject. All that shipped scenarios use has a name in one of the further modules, which are imported by themselves:
`stopmarker.kernel` (what the kernel synchronises with), `.sva` (its flows), `.smmuv3`, `.vtd`, `.pcie`, `.memory`,
`.boards`, `.oracles`, `.witnesses`. A module belongs here if it only hands on what others make, or is a door into them;
models and tools do not.
"""

from .entries import (
    CD,
    STE,
    Entry,
    Store,
    Wait,
    abort_ste,
    bypass_ste,
    cd,
    cdtable_ste,
    empty_cd,
    paging_cd,
    plan_update,
    quiet_cd,
    stage2_ste,
    ste,
    sva_cd,
)
from .library import (
    STYLES,
    Device,
    Platform,
    SmmuUnits,
    add_binder,
    add_fault_worker,
    add_mmu_notifier,
    add_pri_thread,
    add_process,
    add_reclaim,
    platform,
)
from .worlds import (
    BadValue,
    Count,
    Cpu,
    Expected,
    FrameAllocator,
    InOrder,
    Interrupt,
    Link,
    Lock,
    Main,
    Memory,
    Name,
    Note,
    Oracle,
    Param,
    Parameters,
    ParamValue,
    Part,
    Port,
    Processor,
    RwLock,
    RwSemaphore,
    Scenario,
    SpinLock,
    TimeOut,
    Violation,
    Witness,
    Workqueue,
    World,
    c_module,
    number,
    one_of,
    scenario,
)

__all__ = [
    "CD",
    "STE",
    "STYLES",
    "BadValue",
    "Count",
    "Cpu",
    "Device",
    "Entry",
    "Expected",
    "FrameAllocator",
    "InOrder",
    "Interrupt",
    "Link",
    "Lock",
    "Main",
    "Memory",
    "Name",
    "Note",
    "Oracle",
    "Param",
    "ParamValue",
    "Parameters",
    "Part",
    "Platform",
    "Port",
    "Processor",
    "RwLock",
    "RwSemaphore",
    "Scenario",
    "SmmuUnits",
    "SpinLock",
    "Store",
    "TimeOut",
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
