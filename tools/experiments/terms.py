"""The terms of a search: which experiment, within which bounds."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from actors.runtime.primitives.sharing import Shared
from actors.runtime.runs.schedule import ParamValue
from actors.runtime.world import World
from scenarios.scenario import Scenario

from .experiment import Experiment, find_scenario


@dataclass(frozen=True, slots=True)
class Terms:
    """What is searched, and within which bounds."""

    scenario: str
    params: tuple[tuple[str, ParamValue], ...]
    bound: int | None = None
    """Most steps in a run; None leaves it to the scenario."""
    keep_going: bool = False
    """Count all failing schedules instead of stopping at the first."""
    audit: bool = False
    """Compare every access with the footprint that its step declared."""
    shared: Shared = ()
    """What steps of a user's file are known to share in Python's own objects."""

    races: str = "default"
    """Which data races of accesses that a compiler made are told."""

    def experiment(self, loaded: Scenario | None = None) -> Experiment:
        """The experiment of these terms; `loaded` saves loading the scenario again."""
        if loaded is None:
            loaded = find_scenario(self.scenario)[1]
        return Experiment(self.scenario, loaded, dict(self.params), self.audit, self.shared, self.races)

    def make_world(self, loaded: Scenario | None = None, *, stops: bool = False) -> Callable[[], World]:
        """A maker of worlds of this experiment, with the bound applied.

        If it `stops` there, nothing of a run is looked at that lies beyond its bound.
        """
        experiment = self.experiment(loaded)

        def make() -> World:
            world = experiment.world()
            world.step_bound = self.bound or world.step_bound
            if stops:
                world.stop_at = world.step_bound
            return world

        return make
