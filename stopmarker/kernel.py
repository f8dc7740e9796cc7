"""What the kernel synchronises with, by the names of its headers: `from stopmarker.kernel import Completion`.

Each is made with the world and a name, and each call takes the cpu of who calls, so that a lock held by a stranger, a
sleep under a spin lock and what an actor still holds when it ends are findings. Mutexes, spin locks and rw locks are
`world.mutex`, `world.spinlock` and `world.rwlock`.

Objects live from `allocate` (or from the beginning) to `free`; what is wrong with them is told by the properties
`NoUseAfterFree`, `NoDoubleFree` and `NothingLeaks`, for `world.check`.
"""

from actors.runtime.kernel.completion import Completion
from actors.runtime.kernel.irq import IrqAction, IrqLine
from actors.runtime.kernel.lockdep import LockOrder, NoWaitUnderSpinLock
from actors.runtime.kernel.rcu import Rcu, Srcu
from actors.runtime.kernel.refcount import RefCount
from actors.runtime.kernel.signal import FatalSignal
from actors.runtime.kernel.slab import try_allocate
from actors.runtime.kernel.wait_queue import WaitQueue
from actors.runtime.kernel.work import WorkqueueStruct, WorkStruct
from actors.runtime.primitives.processor import Processor
from actors.runtime.primitives.rwlock import RwLock, RwSemaphore
from actors.runtime.primitives.sync import Lock, SpinLock, local_irq_restore, local_irq_save
from drivers.kernel.memory.objects import Counted, Object, allocate
from scenarios.oracles.no_double_free import NoDoubleFree
from scenarios.oracles.no_use_after_free import NoUseAfterFree
from scenarios.oracles.nothing_leaks import NothingLeaks

__all__ = [
    "Completion",
    "Counted",
    "FatalSignal",
    "IrqAction",
    "IrqLine",
    "Lock",
    "LockOrder",
    "NoDoubleFree",
    "NoUseAfterFree",
    "NoWaitUnderSpinLock",
    "NothingLeaks",
    "Object",
    "Processor",
    "Rcu",
    "RefCount",
    "RwLock",
    "RwSemaphore",
    "SpinLock",
    "Srcu",
    "WaitQueue",
    "WorkStruct",
    "WorkqueueStruct",
    "allocate",
    "local_irq_restore",
    "local_irq_save",
    "try_allocate",
]
