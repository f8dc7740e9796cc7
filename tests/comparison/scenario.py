"""The program of a seed as a scenario, for everything that opens scenarios by name."""

from __future__ import annotations

from functools import cache

from stopmarker import World, number, scenario
from tests.comparison.generator import program_of
from tests.comparison.machine import Machine

program = cache(program_of)
"""The program of a seed; the same one for each world."""


@scenario(seed=number(0, 65_535, default=0, meaning="which program"))
def seeded(world: World, seed: int) -> None:
    """A random program (`tests/comparison`)."""
    Machine(program(seed), world)
