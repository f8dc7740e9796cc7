"""The public face: what a scenario of your own needs, and nothing else.

    from stopmarker import Cpu, World, scenario

    @scenario()
    def my_race(world: World) -> None: ...

Run it with `stopmarker fuzz ./my_race.py::my_race`.
"""

from actors.runtime.events import Note, Oracle, Violation, Witness
from actors.runtime.ports import Link, Port, Workqueue
from actors.runtime.sync import Interrupt, Lock, RwLock, SpinLock
from actors.runtime.world import Cpu, World
from scenarios.scenario import Expected, Param, Scenario, number, one_of, scenario

__all__ = [
    "Cpu",
    "Expected",
    "Interrupt",
    "Link",
    "Lock",
    "Note",
    "Oracle",
    "Param",
    "Port",
    "RwLock",
    "Scenario",
    "SpinLock",
    "Violation",
    "Witness",
    "Workqueue",
    "World",
    "number",
    "one_of",
    "scenario",
]
