"""The program of a seed as a scenario, for everything that opens scenarios by name."""

from __future__ import annotations

from stopmarker import World, number, scenario
from tests.comparison.generator import program_of
from tests.comparison.machine import Machine
from tests.comparison.program import Program

_programs: dict[int, Program] = {}


def program(seed: int) -> Program:
    """The program of a seed; the same one for each world."""
    if seed not in _programs:
        _programs[seed] = program_of(seed)
    return _programs[seed]


@scenario(seed=number(0, 65_535, default=0, meaning="which program"))
def seeded(world: World, seed: int) -> None:
    """A random program (`tests/comparison`)."""
    Machine(program(seed), world)
