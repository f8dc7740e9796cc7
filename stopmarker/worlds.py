"""What a world of your own is written with: actors' cpu, ports and locks, properties, and the scenario around it."""

from actors.c.module import c_module
from actors.runtime.primitives.events import Note, Oracle, Violation, Witness
from actors.runtime.primitives.goals import InOrder, Part
from actors.runtime.primitives.link import Link
from actors.runtime.primitives.names import Count, Name
from actors.runtime.primitives.ports import Port
from actors.runtime.primitives.processor import Processor
from actors.runtime.primitives.rwlock import RwLock, RwSemaphore
from actors.runtime.primitives.step import TimeOut
from actors.runtime.primitives.sync import Interrupt, Lock, SpinLock
from actors.runtime.primitives.workqueue import Workqueue
from actors.runtime.runs.schedule import ParamValue
from actors.runtime.world import Cpu, Main, World
from hw.memory import FrameAllocator, Memory
from scenarios.parameters import BadValue, Param, Parameters, number, one_of
from scenarios.scenario import Expected, Scenario, scenario

__all__ = [
    "BadValue",
    "Count",
    "Cpu",
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
    "Port",
    "Processor",
    "RwLock",
    "RwSemaphore",
    "Scenario",
    "SpinLock",
    "TimeOut",
    "Violation",
    "Witness",
    "Workqueue",
    "World",
    "c_module",
    "number",
    "one_of",
    "scenario",
]
