"""The terms of a search: which experiment, within which bounds."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from actors.runtime.schedule import ParamValue
from actors.runtime.world import World

from .experiment import Experiment, open_experiment


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

    def experiment(self) -> Experiment:
        """The experiment of these terms."""
        return open_experiment(self.scenario, dict(self.params), self.audit)

    def make_world(self, *, stops: bool = False) -> Callable[[], World]:
        """A maker of worlds of this experiment, with the bound applied.

        If it `stops` there, nothing of a run is looked at that lies beyond its bound.
        """
        experiment = self.experiment()

        def make() -> World:
            world = experiment.world()
            world.step_bound = self.bound or world.step_bound
            if stops:
                world.stop_at = world.step_bound
            return world

        return make
